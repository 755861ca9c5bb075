//! A kitchen: cooks share a stove and a pan, and ask for recipes. Small enough to read at once,
//! and able to fail in every way that a screen has to tell of.
//!
//! `cargo run -p dacapo-cli --example kitchen -- run engine/cli/examples/kitchen.toml`

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;
use std::time::Duration;

use dacapo_kernel::{
    Answer, BuildError, Ctx, Event, FaultKind, Figure, Files, How, Invariant, Lock, Mistake,
    NoDeadlock, Odds, Plan, Port, Provider, Section, Seq, Setup, Sometimes, Switch, System, Time,
    View, World, channel, events,
};
use serde::{Deserialize, Serialize};

/// Part of the kitchen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    dish: u32,
}

/// Part of the kitchen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    dish: u32,
    text: String,
}

/// Part of the kitchen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Served {
    dish: u32,
    by: String,
}

events! {
    /// What happens in a kitchen.
    pub enum KitchenEvent {
        /// A recipe is wanted.
        64 "recipe asked" v 1 Call => Asked(Asked);
        /// A recipe came.
        65 "recipe given" v 1 Answer => Recipe(Recipe);
        /// A dish is ready.
        66 "dish served" v 1 Consequence => Served(Served);
    }
}

thread_local! {
    /// Whether the program is another one than it was: cooks are slower. For the screen of a
    /// replay that differs.
    pub static CHANGED: Cell<bool> = const { Cell::new(false) };
}

/// The kitchen.
#[derive(Debug)]
pub struct Kitchen;

/// Part of the kitchen.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    kitchen: Menu,
}

/// Part of the kitchen.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Menu {
    cooks: u32,
    dishes: u32,
    /// Whether a clock ticks every second, whatever the cooks do.
    #[serde(default)]
    clock: bool,
    /// What every recipe says.
    #[serde(default)]
    recipe: String,
}

/// What has been served.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Table {
    served: BTreeMap<u32, Vec<String>>,
    recipes: Vec<String>,
}

impl View<KitchenEvent> for Table {
    fn apply(&mut self, _: &Event<KitchenEvent>, domain: &KitchenEvent) {
        match domain {
            KitchenEvent::Asked(_) => {}
            KitchenEvent::Recipe(recipe) => self.recipes.push(recipe.text.clone()),
            KitchenEvent::Served(served) => {
                self.served
                    .entry(served.dish)
                    .or_default()
                    .push(served.by.clone());
            }
        }
    }
}

const BOOK: Port = Port(0);

struct Book(String);

impl Provider<KitchenEvent> for Book {
    fn answer(
        &mut self,
        _: Seq,
        request: &KitchenEvent,
        _: Time,
        odds: &mut Odds<'_>,
    ) -> Answer<KitchenEvent> {
        let KitchenEvent::Asked(asked) = request else {
            panic!("only recipes are asked for");
        };
        let (dish, text) = (asked.dish, self.0.clone());
        Answer {
            after: Duration::from_millis(odds.stream().below(20)),
            event: Recipe { dish, text }.into(),
        }
    }
}

impl System for Kitchen {
    const NAME: &'static str = "kitchen";
    type Event = KitchenEvent;
    type View = Table;
    type Config = Config;

    fn resolve(plan: &mut Plan<Config>, _: &dyn Files) -> Result<(), Mistake> {
        if plan.system.kitchen.cooks == 0 {
            return Err(Mistake::at(
                "kitchen.cooks",
                "a kitchen has at least one cook",
            ));
        }
        Ok(())
    }

    fn build(plan: &Plan<Config>, setup: &mut Setup<'_, Self>) -> Result<(), BuildError> {
        let recipe = plan.system.kitchen.recipe.clone();
        setup.provider(BOOK, "cookbook", |_| Ok(Book(recipe)))?;
        let plan = plan.clone();
        setup.host("kitchen", move |ctx| open(ctx, plan.clone()));
        Ok(())
    }

    fn invariants(_: &Plan<Config>) -> Vec<Box<dyn Invariant<KitchenEvent>>> {
        vec![
            Box::new(NoDeadlock),
            Box::new(Once::default()),
            Box::new(Praised),
        ]
    }

    fn sometimes(_: &Plan<Config>) -> Vec<Sometimes<KitchenEvent>> {
        let sometimes = |id, meaning, dish: u32| Sometimes {
            id,
            meaning,
            watches: &[66],
            reached: Box::new(
                move |event: &Event<KitchenEvent>| matches!(event.domain(), Some(KitchenEvent::Served(served)) if served.dish == dish),
            ),
        };
        vec![
            sometimes("first-dish", "the first dish is served", 1),
            sometimes("feast", "a hundred dishes are served", 100),
        ]
    }

    fn faults() -> Vec<FaultKind> {
        vec![
            FaultKind {
                name: "stove.cold",
                meaning: "the stove has to warm up first",
                value: "for how many milliseconds",
                least: 10,
                most: 2_000,
                how: How::Door {
                    most_per_mille: 300,
                },
            },
            FaultKind {
                name: "crash-host",
                meaning: "the kitchen burns down and is built again",
                value: "after how many milliseconds",
                least: 0,
                most: 500,
                how: How::CrashHost { host: "kitchen" },
            },
        ]
    }

    fn defects() -> Vec<Switch> {
        let switch = |name, broken, sound, caught_by| Switch {
            name,
            reference: "tests",
            broken,
            sound,
            caught_by,
        };
        vec![
            switch(
                "pan-first",
                "the second cook takes the pan before the stove",
                "everybody takes the stove first",
                "live.no-deadlock",
            ),
            switch(
                "served-twice",
                "a dish is served again",
                "once is enough",
                "kitchen.once",
            ),
            switch(
                "dropped-plate",
                "a cook panics",
                "nobody drops anything",
                "the verdict",
            ),
            switch(
                "no-waiter",
                "a cook waits for a waiter who never comes",
                "cooks serve themselves",
                "the verdict",
            ),
            switch(
                "too-eager",
                "a cook asks for recipes without end",
                "one recipe a dish",
                "the budget of events",
            ),
        ]
    }

    fn figures(world: &World<Table>) -> Vec<Figure> {
        vec![Figure {
            name: "dishes",
            value: world.view.served.len() as f64,
            meaning: "dishes served at least once",
        }]
    }

    fn summary(world: &World<Table>) -> Vec<Section> {
        let broken = |text: &String| text == "a recipe that breaks the program";
        assert!(
            !world.view.recipes.iter().any(broken),
            "a mistake in the program itself"
        );
        let mut by_cook: BTreeMap<&str, u32> = BTreeMap::new();
        for by in world.view.served.values().flatten() {
            *by_cook.entry(by).or_default() += 1;
        }
        let row = |(cook, dishes): (&str, u32)| vec![cook.to_owned(), dishes.to_string()];
        vec![Section {
            title: "Who cooked".to_owned(),
            columns: vec!["cook".to_owned(), "dishes".to_owned()],
            rows: by_cook.into_iter().map(row).collect(),
        }]
    }

    fn warnings(_: &Plan<Config>, world: &World<Table>) -> Vec<String> {
        if world.view.served.is_empty() {
            vec!["nobody was served".to_owned()]
        } else {
            Vec::new()
        }
    }

    fn describe(_: &Event<KitchenEvent>, domain: &KitchenEvent) -> String {
        match domain {
            KitchenEvent::Asked(asked) => format!("asked how to make dish {}", asked.dish),
            KitchenEvent::Recipe(recipe) => format!("dish {}: {}", recipe.dish, recipe.text),
            KitchenEvent::Served(served) => format!("dish {} served by {}", served.dish, served.by),
        }
    }

    fn tags(domain: &KitchenEvent) -> Vec<(&'static str, String)> {
        let dish = match domain {
            KitchenEvent::Asked(asked) => asked.dish,
            KitchenEvent::Recipe(recipe) => recipe.dish,
            KitchenEvent::Served(served) => served.dish,
        };
        vec![("dish", dish.to_string())]
    }
}

async fn open(ctx: Ctx<Kitchen>, plan: Plan<Config>) {
    let clock = ctx.clone();
    if plan.system.kitchen.clock {
        drop(ctx.spawn_daemon("clock", async move {
            loop {
                clock.sleep(Duration::from_secs(1)).await;
            }
        }));
    }
    let (stove, pan) = (Lock::new(&ctx, "stove"), Lock::new(&ctx, "pan"));
    let config = &plan.system.kitchen;
    let mut cooks = Vec::new();
    for number in 1..=config.cooks {
        let name = format!("cook-{number}");
        let cook = Cook {
            ctx: ctx.actor(name.as_str()),
            name: name.clone(),
            number,
            stove: stove.clone(),
            pan: pan.clone(),
            plan: plan.clone(),
        };
        cooks.push(cook.ctx.clone().spawn(name.as_str(), cook.cook()));
    }
    for cook in cooks {
        if cook.join().await.is_err() && plan.defects.iter().any(|defect| defect == "dropped-plate")
        {
            panic!("a plate was dropped: \u{1b}[31mred\u{1b}[0m");
        }
    }
}

struct Cook {
    ctx: Ctx<Kitchen>,
    name: String,
    number: u32,
    stove: Lock<Kitchen>,
    pan: Lock<Kitchen>,
    plan: Plan<Config>,
}

impl Cook {
    fn has(&self, defect: &str) -> bool {
        self.plan.defects.iter().any(|on| on == defect)
    }

    async fn cook(self) {
        let config = self.plan.system.kitchen.clone();
        for dish in (self.number..=config.dishes).step_by(config.cooks as usize) {
            loop {
                self.ctx.call(BOOK, Asked { dish }).await;
                if !self.has("too-eager") {
                    break;
                }
            }
            let (first, second) = if self.has("pan-first") && self.number == 2 {
                (&self.pan, &self.stove)
            } else {
                (&self.stove, &self.pan)
            };
            let one = first.acquire().await;
            let slower = u64::from(CHANGED.get()) * 10;
            let cold = self.ctx.fault("stove.cold").unwrap_or(0);
            let at_stove = 100 + slower + cold + self.ctx.random("stove", 50);
            self.ctx.sleep(Duration::from_millis(at_stove)).await;
            let other = second.acquire().await;
            let by = self.name.clone();
            self.ctx.emit(Served {
                dish,
                by: by.clone(),
            });
            if self.has("served-twice") && dish == 2 {
                self.ctx.emit(Served { dish, by });
            }
            if self.has("dropped-plate") && dish == 3 {
                panic!("slippery");
            }
            if self.has("no-waiter") && dish == 1 {
                let (_waiter, mut bell) = channel::<Kitchen, u32>(&self.ctx, "bell", 1);
                bell.recv().await;
            }
            drop((one, other));
        }
    }
}

#[derive(Debug, Default)]
struct Once(BTreeSet<u32>);

impl Invariant<KitchenEvent> for Once {
    fn id(&self) -> &'static str {
        "kitchen.once"
    }

    fn statement(&self) -> &'static str {
        "every dish is served at most once"
    }

    fn observe(&mut self, event: &Event<KitchenEvent>) -> Result<(), String> {
        match event.domain() {
            Some(KitchenEvent::Served(served)) if !self.0.insert(served.dish) => Err(format!(
                "expected dish {} once, found it served again",
                served.dish
            )),
            _ => Ok(()),
        }
    }

    fn evaluable(&self) -> bool {
        !self.0.is_empty()
    }
}

/// Speaks of something that never happens.
#[derive(Debug)]
struct Praised;

impl Invariant<KitchenEvent> for Praised {
    fn id(&self) -> &'static str {
        "kitchen.praised"
    }

    fn statement(&self) -> &'static str {
        "whoever is praised has served"
    }

    fn observe(&mut self, _: &Event<KitchenEvent>) -> Result<(), String> {
        Ok(())
    }

    fn evaluable(&self) -> bool {
        false
    }
}

#[allow(dead_code, reason = "the tests use the system without its main")]
fn main() -> ExitCode {
    dacapo_cli::main::<Kitchen>()
}
