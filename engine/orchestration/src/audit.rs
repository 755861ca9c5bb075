//! Whether the views tell what the code knows: compared whenever no task can run, in debug builds.
//!
//! A difference means that something changed without an event.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use dacapo_kernel::World;

use crate::coordinator::Coordinator;
use crate::exchange::Exchange;
use crate::views::Views;

/// The coordinator that is up now, if any.
pub(crate) type Up = Rc<RefCell<Weak<Coordinator>>>;

/// What the views say wrong, if anything.
pub(crate) fn compare(up: &Up, exchange: &Exchange, world: &World<Views>) -> Result<(), String> {
    if let Some(coordinator) = up.borrow().upgrade() {
        coordinator.agrees_with(&world.view)?;
    }
    for (asset, shown) in &world.view.trading.balances {
        let kept = exchange.balance(asset).unwrap_or_default();
        agree(&format!("balance of {asset}"), kept, *shown)?;
    }
    Ok(())
}

/// An error if what is kept is not what is shown.
pub(crate) fn agree<T: PartialEq + std::fmt::Display>(
    what: &str,
    kept: T,
    shown: T,
) -> Result<(), String> {
    if kept == shown {
        Ok(())
    } else {
        Err(format!("{what}: kept {kept}, shown {shown}"))
    }
}
