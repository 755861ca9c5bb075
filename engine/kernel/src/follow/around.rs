//! What a run that follows a recording does at its doors: where its log goes, what its providers are made from,
//! and where a host crashes as recorded.

use std::io::Read;

use crate::executor::{Cut, State};
use crate::id::ActorId;
use crate::journal::BoxedStorage;
use crate::log::{LogError, SyncPolicy, Writer};
use crate::run::header;
use crate::system::{BuildError, Files, System};

impl<S: System> State<S> {
    /// Whether a recording is followed, with nobody outside but that.
    pub(crate) fn follows(&self) -> bool {
        let guide = self.guide.as_ref();
        guide.is_some_and(|guide| guide.follows())
    }

    /// The recording that is followed may have had a host crash right after this event.
    #[cold]
    pub(crate) fn cut_as_recorded(&mut self, actor: ActorId, kind: u16) {
        let actor = self.world.actor_name(actor);
        let Some(guide) = &mut self.guide else {
            return;
        };
        let Some((host, restart_after)) = guide.cut_after(actor, kind) else {
            return;
        };
        if let Some(host) = self.outside.host_named(&host) {
            let cut = Cut {
                host,
                restart_after,
            };
            self.strike(cut, true);
        }
    }
}

/// The writer of the log of a run.
pub(crate) fn writer<S: System>(
    seed: u64,
    plan: &str,
    storage: BoxedStorage,
    sync: SyncPolicy,
) -> Result<Writer<BoxedStorage>, LogError> {
    Writer::create(storage, &header::<S>(seed, plan), sync)
}

/// Where a recording is followed there are no files.
pub(crate) struct NoFiles;

impl Files for NoFiles {
    fn open(&self, path: &str) -> Result<Box<dyn Read>, BuildError> {
        Err(BuildError::File {
            path: path.to_owned(),
            what: "a recording that is followed has no files".to_owned(),
        })
    }
}
