//! Subscribers that misbehave: they fail, take their time, publish while they are told something, come in
//! crowds, or go.

use dacapo_kernel::Time;
use serde_json::json;

use crate::config::{Config, OutsideEvent, Reply, ScriptedSubscriber, Unsubscription};
use crate::message::{Json, Name, Priority, Topic};

/// How long after it came a subscriber goes again, in seconds.
const STAYS_S: f64 = 60.0;

/// Adds what subscribers do; whether there is such an act.
pub(super) fn act(config: &mut Config, what: &str, at: Time, value: u64) -> bool {
    let topic = Topic::ALL[(value % Topic::COUNT as u64) as usize];
    let seconds = at.as_secs_f64();
    let plain = subscriber(&format!("{what} {value}"), topic);
    match what {
        "subscriber.fails" => {
            let fails = ScriptedSubscriber {
                always_fails: true,
                ..plain
            };
            config.add_event(subscribes(seconds, fails));
        }
        "subscriber.fails-sometimes" => {
            let step = 1 + value / 10 % 4;
            let fails = ScriptedSubscriber {
                fails: (0..40).map(|call| call * step).collect(),
                ..plain
            };
            config.add_event(subscribes(seconds, fails));
        }
        "subscriber.slow" => {
            let slow = ScriptedSubscriber {
                delay_seconds: 0.1 + (value / 10) as f64,
                ..plain
            };
            config.add_event(subscribes(seconds, slow));
        }
        "subscriber.calls-bus" => {
            // An answer on the topic itself would be answered in turn.
            let answer = Topic::ALL[(topic.index() + 1) % Topic::COUNT];
            let reply = Reply {
                topic: answer,
                payload: Json(json!({"noted": true})),
                priority: Priority::Normal,
                max: Some(20),
            };
            let calls = ScriptedSubscriber {
                reply: Some(reply),
                ..plain
            };
            config.add_event(subscribes(seconds, calls));
        }
        "subscriber.labels" => {
            for label in ["one", "two"] {
                let labelled = ScriptedSubscriber {
                    label: Some(Name::fixed(label)),
                    ..plain.clone()
                };
                config.add_event(subscribes(seconds, labelled));
            }
        }
        "subscriber.many" => {
            for number in 0..value / 10 {
                let one = subscriber(&format!("crowd {number}"), topic);
                config.add_event(subscribes(seconds, one));
            }
        }
        "subscriber.churn" => {
            let goes = Unsubscription {
                subscriber: plain.subscriber.clone(),
                topic: Some(topic),
            };
            config.add_event(subscribes(seconds, plain));
            config.add_event(OutsideEvent {
                at_seconds: seconds + STAYS_S,
                unsubscribe: Some(goes),
                ..OutsideEvent::default()
            });
        }
        _ => return false,
    }
    true
}

fn subscriber(name: &str, topic: Topic) -> ScriptedSubscriber {
    ScriptedSubscriber {
        subscriber: Name::from(name),
        topic,
        label: None,
        fails: Vec::new(),
        always_fails: false,
        delay_seconds: 0.0,
        reply: None,
    }
}

fn subscribes(at_seconds: f64, subscriber: ScriptedSubscriber) -> OutsideEvent {
    OutsideEvent {
        at_seconds,
        subscribe: Some(subscriber),
        ..OutsideEvent::default()
    }
}
