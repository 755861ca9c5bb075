//! The message bus against its model: whom it calls and in which order, whom it removes, what it
//! remembers and finds again.
//!
//! All steps of a case are taken in one run of the kernel, so the machine is driven by hand here.

mod model;
mod step;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use dacapo_orchestration::Ctx;
use dacapo_orchestration::bus::history::{Criteria, Listing};
use dacapo_orchestration::bus::subscriptions::{FailureCount, SubscriberKey, SubscriptionLimits};
use dacapo_orchestration::bus::{Bus, BusConfig, BusStatistics, Handler, HandlerError};
use dacapo_orchestration::defect::Defects;
use dacapo_orchestration::message::{Draft, Message, Name, Payload, Span, Topic, Ttl};
use proptest::prelude::*;
use proptest_state_machine::ReferenceStateMachine;
use serde_json::json;

use super::stage;
use model::{Answer, Call, Model, Setting};
use step::{Deed, Habit, Step, Wanted, step};

struct Machine;

impl ReferenceStateMachine for Machine {
    type State = Model;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Model> {
        let history = prop_oneof![Just(0), 1..12_usize, Just(1_000)];
        let per_topic = prop_oneof![1 => 1..4_usize, 3 => Just(100)];
        let failures = prop_oneof![1 => 1..4_u32, 3 => Just(10)];
        let counting = prop_oneof![
            Just(FailureCount::Cumulative),
            Just(FailureCount::Consecutive)
        ];
        let setting = (history, per_topic, failures, counting);
        let setting = setting.prop_map(|(history, per_topic, failures, counting)| Setting {
            history,
            per_topic,
            failures,
            counting,
        });
        setting.prop_map(Model::new).boxed()
    }

    fn transitions(_: &Model) -> BoxedStrategy<Step> {
        step().boxed()
    }

    fn apply(mut model: Model, step: &Step) -> Model {
        model.take(step);
        model
    }
}

/// The real bus, and who was called since the last step.
#[derive(Clone)]
struct Scene {
    bus: Bus,
    calls: Rc<RefCell<Vec<Call>>>,
}

impl Scene {
    fn new(ctx: &Ctx, setting: Setting) -> Scene {
        let config = BusConfig {
            max_history_size: setting.history,
            subscriptions: SubscriptionLimits {
                per_topic: setting.per_topic,
                failures: setting.failures,
                counting: setting.counting,
            },
            ..BusConfig::default()
        };
        Scene {
            bus: Bus::new(ctx, &config, Rc::default(), Defects::NONE),
            calls: Rc::default(),
        }
    }

    async fn take(&self, ctx: &Ctx, step: Step) -> Answer {
        match step {
            Step::Subscribe {
                topic,
                who,
                label,
                habit,
            } => match self.subscribe(ctx, topic, who, label, habit).await {
                true => Answer::Nothing,
                false => Answer::Refused,
            },
            Step::Crowd { topic, from, count } => {
                let mut taken = 0;
                for number in from..from + count {
                    let name = format!("crowd-{number}");
                    let quiet = self.subscribe(ctx, topic, &name, None, Habit::QUIET);
                    taken += usize::from(quiet.await);
                }
                Answer::Count(taken)
            }
            Step::Unsubscribe { who, topic } => {
                Answer::Count(self.bus.unsubscribe(ctx, &Name::from(who), topic).await)
            }
            Step::Publish {
                topic,
                source,
                life_s,
                times,
            } => {
                let mut delivered = 0;
                for _ in 0..times {
                    let draft = draft(topic, source, 0).ttl(Ttl::from_secs(life_s as f64));
                    match self.bus.publish(ctx, draft).await {
                        Ok(more) => delivered += more as usize,
                        Err(_) => return Answer::Refused,
                    }
                }
                Answer::Count(delivered)
            }
            Step::Wait { seconds } => {
                ctx.sleep(Duration::from_secs(seconds.unsigned_abs())).await;
                Answer::Nothing
            }
            Step::CleanUp => Answer::Count(self.bus.clean_up(ctx).await),
            Step::Clear { topic } => Answer::Count(self.bus.clear_history(ctx, topic).await),
            Step::Latest { topic, look } => {
                let criteria = Criteria {
                    source: look.source.map(Name::from),
                    max_age: look.max_age_s.map(Span::from_secs),
                };
                let fits = |message: &Message| {
                    look.parity
                        .is_none_or(|it| message.id.as_number() % 2 == it)
                };
                let found = self.bus.get_latest(ctx, topic, &criteria, fits).await;
                Answer::Found(found.iter().map(|found| found.id.as_number()).collect())
            }
            Step::List { topic, look, limit } => {
                let listing = Listing {
                    topic,
                    source: look.source.map(Name::from),
                    since: None,
                    limit,
                };
                let found = self.bus.get_history(ctx, &listing).await;
                Answer::Found(found.iter().map(|found| found.id.as_number()).collect())
            }
        }
    }

    async fn subscribe(
        &self,
        ctx: &Ctx,
        topic: Topic,
        who: &str,
        label: Option<&'static str>,
        habit: Habit,
    ) -> bool {
        let key = SubscriberKey {
            subscriber: who.into(),
            label: label.map(Name::from),
        };
        let handler = self.handler(who.to_owned(), label, habit);
        self.bus.subscribe(ctx, topic, key, handler).await.is_ok()
    }

    fn handler(&self, who: String, label: Option<&'static str>, habit: Habit) -> Handler {
        let scene = self.clone();
        let called = Rc::new(RefCell::new(0));
        let handler = Handler::waiting(move |ctx, message| {
            let (scene, who, called) = (scene.clone(), who.clone(), Rc::clone(&called));
            async move {
                let call = called.replace_with(|call| *call + 1);
                let number = message.id.as_number();
                scene.calls.borrow_mut().push((who.clone(), label, number));
                scene.perform(&ctx, &message, &who, label, habit).await;
                match habit.fails_at(call) {
                    true => Err(HandlerError(format!("call {call} fails"))),
                    false => Ok(()),
                }
            }
        });
        match habit.wants {
            Wanted::Everything => handler,
            Wanted::Of(source) => handler.only(move |message| Ok(message.source == *source)),
            Wanted::FilterFails => handler.only(|_| Err(HandlerError("no answer".to_owned()))),
        }
    }

    async fn perform(
        &self,
        ctx: &Ctx,
        message: &Message,
        who: &str,
        label: Option<&'static str>,
        habit: Habit,
    ) {
        let depth = message.payload.field("depth").number();
        let Ok(depth) = depth.map(|depth| depth as u32) else {
            return;
        };
        match habit.does {
            Deed::Nothing => {}
            Deed::Publish(to) if depth < Habit::DEEPEST => {
                let nested = self.bus.publish(ctx, draft(to, who, depth + 1));
                Box::pin(nested).await.expect("it has a source");
            }
            Deed::Publish(_) => {}
            Deed::Unsubscribe(who) => {
                let (who, topic) = (Name::from(who), Some(message.topic));
                let _ended = self.bus.unsubscribe(ctx, &who, topic).await;
            }
            Deed::Subscribe(who) => {
                let made = self.subscribe(ctx, message.topic, who, label, Habit::QUIET);
                let _taken = Box::pin(made).await;
            }
        }
    }
}

/// A message that says how many publishes lie around its own.
fn draft(topic: Topic, source: &str, depth: u32) -> Draft {
    let payload = Payload::from_json(topic, json!({ "depth": depth }));
    Draft::new(topic, source.into(), payload)
}

/// Takes the steps side by side, up to the first at which the two differ.
async fn play(
    ctx: Ctx,
    mut model: Model,
    steps: Vec<Step>,
    taken: Option<std::sync::Arc<AtomicUsize>>,
) -> Result<(), String> {
    let scene = Scene::new(&ctx, model.setting);
    for (at, step) in steps.into_iter().enumerate() {
        if let Some(taken) = &taken {
            taken.fetch_add(1, Ordering::SeqCst);
        }
        model = Machine::apply(model, &step);
        let told = format!("step {at}, {step:?}");
        let answer = scene.take(&ctx, step).await;
        agree(&told, "the answer", &answer, &model.answer)?;
        agree(&told, "the calls", &scene.calls.take(), &model.calls)?;
        let names = |names: Vec<Name>| names.iter().map(Name::to_string).collect();
        let subscribers = scene.bus.subscribers().into_iter();
        let subscribers: BTreeMap<Topic, Vec<String>> = subscribers
            .map(|(topic, all)| (topic, names(all)))
            .collect();
        agree(&told, "the subscribers", &subscribers, &model.subscribers())?;
        let statistics = BusStatistics {
            total_published: model.published,
            total_delivered: model.delivered,
            delivery_errors: model.errors,
            history_size: model.history_size(),
            subscriber_count: subscribers.values().map(Vec::len).sum(),
            topics_active: subscribers.len(),
        };
        agree(
            &told,
            "the statistics",
            &scene.bus.statistics(),
            &statistics,
        )?;
    }
    Ok(())
}

fn agree<T: Debug + PartialEq>(
    told: &str,
    what: &str,
    found: &T,
    expected: &T,
) -> Result<(), String> {
    if found == expected {
        return Ok(());
    }
    Err(format!(
        "{told}: {what}: expected {expected:?}, found {found:?}"
    ))
}

proptest! {
    #![proptest_config(super::cases(200))]

    #[test]
    fn it_does_what_its_model_does(
        (model, steps, taken) in Machine::sequential_strategy(1..40),
    ) {
        let played = stage::play(move |ctx| play(ctx, model, steps, taken));
        played.map_err(TestCaseError::fail)?;
    }
}
