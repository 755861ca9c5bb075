//! What goes wrong on the way to the exchange and back, as doors of the plan of faults.

use std::time::Duration;

use dacapo_kernel::FaultKind;

use super::Answered;
use crate::Ctx;
use crate::domain_event::{OrderAnswered, OrderOutcome};
use crate::message::Name;

/// The kinds of trouble. Few orders wait for their price, so what can strike only those strikes most of them.
pub(crate) const KINDS: &[FaultKind] = &[
    FaultKind::door("exchange.reject", "an order is refused", "", 0, 0, 500),
    FaultKind::door(
        "exchange.slow",
        "an order takes its time on the way",
        "how long, in milliseconds",
        1,
        20_000,
        400,
    ),
    FaultKind::door(
        "exchange.partial",
        "a part of an order is filled, the rest is dropped",
        "how much is filled, in percent",
        1,
        99,
        500,
    ),
    FaultKind::door(
        "exchange.lost-ack",
        "an order is carried out, and the answer is lost",
        "",
        0,
        0,
        300,
    ),
    FaultKind::door(
        "exchange.duplicate-fill",
        "the execution of an order that waited is reported twice",
        "",
        0,
        0,
        1_000,
    ),
    FaultKind::door(
        "exchange.fill-after-cancel",
        "an order that was taken back is executed all the same, when its price comes",
        "",
        0,
        0,
        1_000,
    ),
];

/// How long nobody answers before the order is asked for.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// Whether the exchange refuses the next order; it may take its time.
pub(super) async fn refuses(ctx: &Ctx) -> bool {
    if let Some(millis) = ctx.fault("exchange.slow") {
        ctx.sleep(Duration::from_millis(millis)).await;
    }
    ctx.buggify("exchange.reject")
}

/// Whether an order is taken back in vain.
pub(super) fn cancels_in_vain(ctx: &Ctx) -> bool {
    ctx.buggify("exchange.fill-after-cancel")
}

/// Whether the exchange reports an execution once more.
pub(super) fn reports_twice(ctx: &Ctx) -> bool {
    ctx.buggify("exchange.duplicate-fill")
}

/// The answer to an order that is refused.
pub(super) fn refusal() -> Answered {
    Answered {
        order: None,
        position: None,
        result: Err(Name::fixed("exchange_reject")),
    }
}

/// The answer of the exchange may be lost: then nobody knows the outcome until it has been asked for
/// by the intent; whether that was so. The order is never sent again.
pub(super) async fn loses_answer(ctx: &Ctx, intent: &Name) -> bool {
    let lost = ctx.buggify("exchange.lost-ack");
    if lost {
        ctx.emit(OrderAnswered {
            intent: intent.clone(),
            order: None,
            outcome: OrderOutcome::Unknown,
        });
        ctx.sleep(ANSWER_LIMIT).await;
    }
    lost
}
