//! What a breached limit of the risk engine leads to.
//!
//! Closing and reducing positions in an emergency is not here yet: the state changes, and the
//! action is announced.

use std::rc::Rc;

use super::Coordinator;
use super::state::RunState;
use crate::bus::HandlerError;
use crate::message::{EmergencyAction, Message, Name, OrNull, Priority, Topic};

impl Coordinator {
    /// Acts on an alert. Only a circuit breaker asks for anything: a severe one halts, any other
    /// pauses.
    pub(super) async fn on_alert(self: Rc<Self>, message: Rc<Message>) -> Result<(), HandlerError> {
        let payload = &message.payload;
        if !payload.field("alert_type").is("circuit_breaker") {
            return Ok(());
        }
        let severity = payload.field("severity");
        let action = if severity.is("high") || severity.is("critical") {
            self.enter(RunState::Halted, "circuit_breaker");
            "halt_all"
        } else {
            self.pause("circuit_breaker").await;
            "pause_trading"
        };
        let text = |name: &str| OrNull(payload.field(name).text().map(Name::from));
        let taken = EmergencyAction {
            breach_type: text("breach_type"),
            action_taken: Name::fixed(action),
            alert_message: text("message"),
            severity: severity.text().map_or(Name::fixed("unknown"), Name::from),
        };
        self.publish(Topic::SystemEvents, taken, Priority::Urgent)
            .await;
        Ok(())
    }
}
