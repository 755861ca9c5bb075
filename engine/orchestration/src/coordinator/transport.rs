//! The way from an agent that runs elsewhere to the bus, on which messages are lost, doubled, late or out
//! of order where the run's faults say so. An agent beside the bus has no such way.

use std::rc::Rc;
use std::time::Duration;

use dacapo_kernel::FaultKind;

use super::Coordinator;
use crate::message::Draft;

/// The kinds of trouble.
pub(crate) const FAULTS: &[FaultKind] = &[
    FaultKind::door(
        "transport.drop",
        "a message of an agent is lost",
        "",
        0,
        0,
        300,
    ),
    FaultKind::door(
        "transport.duplicate",
        "a message of an agent arrives twice",
        "",
        0,
        0,
        500,
    ),
    FaultKind::door(
        "transport.delay",
        "a message of an agent is late",
        "how late, in seconds",
        1,
        600,
        200,
    ),
    FaultKind::door(
        "transport.reorder",
        "a message of an agent is overtaken by later ones",
        "by how many",
        1,
        16,
        200,
    ),
];

/// What an agent has said and its successors overtake.
#[derive(Debug)]
pub(super) struct Overtaken {
    at: usize,
    draft: Draft,
    left: u64,
}

impl Coordinator {
    /// Carries a message of an agent to the bus.
    pub(super) async fn carry(self: &Rc<Self>, at: usize, draft: Draft) {
        if self.config.agents.remote {
            // Few agents run elsewhere: what that takes does not make the future of each message larger.
            Box::pin(self.carry_from_afar(at, draft)).await;
        } else {
            self.arrive(at, draft).await;
        }
    }

    /// Carries a message on the way on which something may happen to it.
    async fn carry_from_afar(self: &Rc<Self>, at: usize, draft: Draft) {
        let ctx = self.agents.voice(at).ctx.clone();
        if ctx.buggify("transport.drop") {
            return;
        }
        if ctx.buggify("transport.duplicate") {
            self.arrive(at, draft.clone()).await;
        }
        if let Some(seconds) = ctx.fault("transport.delay") {
            let me = Rc::clone(self);
            drop(self.ctx.spawn_daemon("transport", async move {
                me.ctx.sleep(Duration::from_secs(seconds)).await;
                me.arrive(at, draft).await;
            }));
        } else if let Some(left) = ctx.fault("transport.reorder") {
            self.overtaken
                .borrow_mut()
                .push(Overtaken { at, draft, left });
        } else {
            self.arrive(at, draft).await;
            self.release_overtaken(at).await;
        }
    }

    /// Lets those arrive that have been overtaken often enough.
    async fn release_overtaken(&self, by: usize) {
        let arrives = |overtaken: &mut Overtaken| {
            if overtaken.at == by {
                overtaken.left = overtaken.left.saturating_sub(1);
            }
            overtaken.left == 0
        };
        let due: Vec<Overtaken> = self
            .overtaken
            .borrow_mut()
            .extract_if(.., arrives)
            .collect();
        for Overtaken { at, draft, .. } in due {
            self.arrive(at, draft).await;
        }
    }

    async fn arrive(&self, at: usize, draft: Draft) {
        let published = self.bus.publish(self.agents.voice(at).ctx, draft).await;
        published.expect("an agent is named as the source, and every life is above zero");
    }
}
