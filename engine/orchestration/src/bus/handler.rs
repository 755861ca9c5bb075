//! What a subscription does with a message, and which messages it wants.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use thiserror::Error;

use crate::Ctx;
use crate::message::{Message, Raised};

/// What a handler raised. Its publisher never sees it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct HandlerError(pub String);

impl From<Raised> for HandlerError {
    fn from(raised: Raised) -> HandlerError {
        HandlerError(raised.to_string())
    }
}

/// A handler at work.
pub type HandlerFuture = Pin<Box<dyn Future<Output = Result<(), HandlerError>>>>;

/// A handler that is done as soon as it is called.
type Immediate = dyn Fn(&Ctx, &Rc<Message>) -> Result<(), HandlerError>;

/// A handler that may wait: for the bus, for a model, for time to pass.
type Waiting = dyn Fn(Ctx, Rc<Message>) -> HandlerFuture;

/// Says whether a message is wanted; an error skips the message like a no.
type Filter = dyn Fn(&Message) -> Result<bool, HandlerError>;

#[derive(Clone)]
enum Act {
    Immediate(Rc<Immediate>),
    Waiting(Rc<Waiting>),
}

/// What a subscription does with a message.
#[derive(Clone)]
pub struct Handler {
    act: Act,
    filter: Option<Rc<Filter>>,
}

impl Handler {
    /// A handler that is done as soon as it is called.
    pub fn immediate(
        act: impl Fn(&Ctx, &Rc<Message>) -> Result<(), HandlerError> + 'static,
    ) -> Handler {
        Handler {
            act: Act::Immediate(Rc::new(act)),
            filter: None,
        }
    }

    /// A handler that may wait.
    pub fn waiting<F>(act: impl Fn(Ctx, Rc<Message>) -> F + 'static) -> Handler
    where
        F: Future<Output = Result<(), HandlerError>> + 'static,
    {
        Handler::starting(move |ctx, message| Box::pin(act(ctx, message)))
    }

    /// The same, where what is begun is on the heap already.
    pub(crate) fn starting(act: impl Fn(Ctx, Rc<Message>) -> HandlerFuture + 'static) -> Handler {
        Handler {
            act: Act::Waiting(Rc::new(act)),
            filter: None,
        }
    }

    /// The same handler for those messages only that pass a filter.
    pub fn only(
        mut self,
        filter: impl Fn(&Message) -> Result<bool, HandlerError> + 'static,
    ) -> Handler {
        self.filter = Some(Rc::new(filter));
        self
    }

    /// Whether the handler wants a message.
    pub(super) fn wants(&self, message: &Message) -> bool {
        self.filter
            .as_ref()
            .is_none_or(|filter| filter(message) == Ok(true))
    }

    /// Calls the handler and waits for it to finish.
    pub(super) async fn call(&self, ctx: &Ctx, message: &Rc<Message>) -> Result<(), HandlerError> {
        match &self.act {
            Act::Immediate(act) => act(ctx, message),
            Act::Waiting(act) => act(ctx.clone(), Rc::clone(message)).await,
        }
    }
}
