//! Where a log has no whole block: a torn tail, or damage?

use super::blocks::{Blocks, Position};
use super::ending::Ending;
use super::error::LogError;
use super::footer::{END_MARK, Footer, FooterFound, is_torn_mark};
use super::scan::later_part;
use super::storage::{Storage, read_full};

impl<S: Storage> Blocks<S> {
    /// What it means that there is no whole block at `position`. It is a torn tail only if nothing
    /// shows that writing went on behind it.
    pub(super) fn tail(
        &self,
        position: &Position,
        what: &'static str,
        resume: u64,
    ) -> Result<Ending, LogError> {
        let offset = position.offset;
        let torn = Ending::Torn {
            offset,
            dropped: self.file_len - offset,
            chain: position.chain,
            events: self.events_before(position),
        };
        if self.footer.is_some() {
            return Err(self.damaged(position, what));
        }
        if let Some(found) = Footer::read(&self.storage, offset, self.file_len)? {
            return self
                .is_torn_footer(position, &found)?
                .map_or(Ok(torn), |what| Err(self.damaged(position, what)));
        }
        let went_on = self.ends_with_mark
            || later_part(
                &self.storage,
                resume,
                self.file_len,
                position.seq,
                position.epoch,
            )?;
        if went_on {
            Err(self.damaged(position, what))
        } else {
            Ok(torn)
        }
    }

    /// `None` if closing this log was interrupted; otherwise what is wrong with its end.
    fn is_torn_footer(
        &self,
        position: &Position,
        found: &FooterFound,
    ) -> Result<Option<&'static str>, LogError> {
        if found.end > self.file_len {
            return Ok(None);
        }
        if found.end < self.file_len {
            return Ok(Some("there are bytes behind the end of the log"));
        }
        if found.footer.is_none() {
            return Ok(Some("the checksum of the footer does not match"));
        }
        let mut mark = [0; END_MARK];
        read_full(&self.storage, self.file_len - END_MARK as u64, &mut mark)?;
        let is_torn = is_torn_mark(&mark, position.offset);
        Ok((!is_torn).then_some("the end mark is not what it was"))
    }
}
