//! Language models that are asked live, by HTTP, while a run is recorded.
//!
//! [`connect`] gives a [`Dialogue`](dacapo_kernel::Dialogue) that is asked a question as a line of JSON and says a
//! reply as another. Whatever a provider does wrong is a reply that says so, as it would be of a simulated model; only
//! what makes a whole recording worthless (no key, a key that is refused) is an error. Nothing here is simulated, and
//! a replay never comes here.

mod anthropic;
mod http;
mod live;
mod openai;
mod question;
mod recorded;
mod secret;
mod settings;

pub use live::connect;
