//! Replies of an earlier recording, given again to the same requests; and what has changed where a request is another.
//!
//! A reply is found by the whole request. Where there is none, the decision is looked up: what was asked for, by whose
//! provider, about which inputs. If the decision is the same and the request is not, the prompt has changed, and the
//! policy says what is done.

use std::collections::BTreeMap;
use std::path::Path;

use dacapo_kernel::log::{File, Reader};
use dacapo_kernel::{
    BodyOf, BoxedStorage, BuildError, Changed, Dialogue, Event, EventSet, Events, KernelEvent,
    Service, Unfit,
};
use serde_json::{Value, json};

/// A call that was recorded, and its reply.
struct Call {
    /// The template and the digest of the request, in one.
    rendered: Value,
    asked: Value,
    reply: Value,
    /// Whether it came before nobody waited for it any more.
    is_answered: bool,
    is_used: bool,
}

/// What is replied to a call that was given up: nothing, for longer than anybody waits.
fn silence() -> Value {
    let day_us: u64 = 86_400_000_000;
    json!({"text": "no reply was waited for", "failed": true, "latency_us": day_us})
}

/// A service whose replies come from an earlier recording as far as they are there.
pub(crate) struct Recorded {
    calls: Vec<Call>,
    changed: Changed,
    log: String,
    live: Option<Box<dyn Dialogue>>,
}

impl Recorded {
    /// The replies of a service in an earlier recording; `live` is asked where the policy says so.
    pub(crate) fn read<E: EventSet>(
        service: &Service,
        (log, changed): (&Path, Changed),
        live: Option<Box<dyn Dialogue>>,
    ) -> Result<Recorded, BuildError> {
        let path = log.to_string_lossy().into_owned();
        let problem = |what: String| BuildError::File {
            path: path.clone(),
            what,
        };
        let storage: BoxedStorage =
            Box::new(File::open(log).map_err(|error| problem(error.to_string()))?);
        let reader = Reader::open(storage).map_err(|error| problem(error.to_string()))?;
        let mut events = Events::<E>::new(reader);
        let mut calls = Calls::default();
        while let Some(event) = events.next().map_err(|error| problem(error.to_string()))? {
            calls
                .see(&event, &service.name)
                .map_err(|error| problem(error.to_string()))?;
        }
        Ok(Recorded {
            calls: calls.all(),
            changed,
            log: path,
            live,
        })
    }

    /// The first call that was not used yet and is like this.
    fn find(&mut self, is_like: impl Fn(&Call) -> bool) -> Option<&mut Call> {
        let unused = self.calls.iter_mut().filter(|call| !call.is_used);
        let mut like = unused.filter(|call| is_like(call));
        like.next()
    }
}

/// The calls of a log while it is read.
#[derive(Default)]
struct Calls {
    /// Who is called what.
    actor: Option<dacapo_kernel::ActorId>,
    rendered: Value,
    open: BTreeMap<u64, (Value, Value)>,
    answered: BTreeMap<u64, Call>,
}

impl Calls {
    /// All of them in the order in which they were made. Whose provider did not answer is not in a log: the request
    /// tells.
    fn all(self) -> Vec<Call> {
        let mut calls = self.answered;
        for (seq, (rendered, asked)) in self.open {
            let call = Call {
                rendered,
                asked,
                reply: silence(),
                is_answered: false,
                is_used: false,
            };
            calls.insert(seq, call);
        }
        calls.into_values().collect()
    }

    fn see<E: EventSet>(
        &mut self,
        event: &Event<E>,
        service: &str,
    ) -> Result<(), serde_json::Error> {
        if let Some(KernelEvent::ActorNamed(named)) = event.kernel()
            && named.name.as_str() == service
        {
            self.actor = Some(named.actor);
        }
        let body = || serde_json::to_value(BodyOf(event));
        match event.kind().name {
            "request rendered" => self.rendered = body()?,
            // One without a request was asked of a simulated model.
            "model asked" if self.rendered.is_object() => {
                let rendered = self.rendered.take();
                self.open.insert(event.seq.0, (rendered, body()?));
            }
            "model answered" => {
                let call = event.cause.map_or(0, |call| call.0);
                let mut reply = body()?;
                let live = reply["reply"]["Live"].take();
                if let Some((rendered, asked)) = self.open.remove(&call)
                    && Some(event.actor) == self.actor
                    && live.is_object()
                {
                    let call_made = Call {
                        rendered,
                        asked,
                        reply: live,
                        is_answered: true,
                        is_used: false,
                    };
                    self.answered.insert(call, call_made);
                }
            }
            _ => {}
        }
        Ok(())
    }
}

impl Dialogue for Recorded {
    fn ask(&mut self, line: &str) -> Result<String, Unfit> {
        let question: Value = serde_json::from_str(line)
            .map_err(|error| Unfit::new(error.to_string(), "this is a mistake of the program"))?;
        let (decision, changed) = (&question["decision"], self.changed);
        if let Some(call) = self.find(|call| call.rendered["request"] == question["digest"]) {
            call.is_used = true;
            return Ok(again(&call.reply, "the same request"));
        }
        let is_like = |call: &Call| {
            (call.is_answered || call.asked["model"] == question["model"])
                && call.asked["purpose"] == decision["purpose"]
                && call.asked["prompt"] == decision["inputs"]
        };
        let what = match self.find(is_like) {
            None => "no such decision was recorded, or not as often".to_owned(),
            Some(call) => {
                let what = difference(&question, call);
                if changed == Changed::Reuse {
                    call.is_used = true;
                    return Ok(again(&call.reply, &what));
                }
                what
            }
        };
        match (changed, &mut self.live) {
            (Changed::Ask, Some(live)) => live.ask(line),
            _ => {
                let what = format!("{} has no reply to this request: {what}", self.log);
                let help = "give `--changed reuse` to take the reply to the same decision, `--changed ask` to ask live";
                Err(Unfit::new(what, help))
            }
        }
    }
}

/// A recorded reply, marked as one.
fn again(reply: &Value, why: &str) -> String {
    let mut reply = reply.clone();
    reply["reused"] = json!(why);
    reply.to_string()
}

/// Which part of a request differs from the recorded one of the same decision.
fn difference(question: &Value, call: &Call) -> String {
    let mut parts = Vec::new();
    let mut compare = |what: &str, recorded: &Value, now: &Value| {
        if recorded != now {
            let text = |value: &Value| {
                value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned)
            };
            parts.push(format!(
                "the {what} changed from {} to {}",
                text(recorded),
                text(now)
            ));
        }
    };
    compare(
        "template",
        &call.rendered["template"],
        &question["template"],
    );
    compare("model", &call.asked["model"], &question["model"]);
    compare(
        "longest answer",
        &call.asked["max_tokens"],
        &question["max_tokens"],
    );
    if parts.is_empty() {
        parts.push("the protocol or the temperature changed".to_owned());
    }
    parts.join(", ")
}
