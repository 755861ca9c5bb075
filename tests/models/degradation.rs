//! Degradation against its rules: the model keeps what happened and counts it anew at each question.

use std::collections::VecDeque;

use dacapo_orchestration::coordinator::degradation::{
    Degradation, DegradationConfig, Dependency, FailureCounts, LevelMove,
};
use dacapo_orchestration::defect::{Defect, Defects};
use dacapo_orchestration::message::{DegradationLevel, Topic};
use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};
use serde_json::json;

const BOTH: [Dependency; 2] = [Dependency::LanguageModel, Dependency::Api];

#[derive(Clone, Debug)]
enum Step {
    Failure(Dependency),
    Success(Dependency),
    /// From a state that was saved.
    Restore([u32; 2]),
    /// The oldest change of level that has not been told of yet is told now.
    Announce,
}

/// Since the start, or since the counts were restored.
#[derive(Clone, Debug)]
struct Model {
    config: DegradationConfig,
    shared_counter: bool,
    mislabelled: bool,
    begun: [u32; 2],
    /// What was used, and whether it worked.
    outcomes: Vec<(Dependency, bool)>,
    /// The levels that the last step led from and to.
    moved: Option<(usize, usize)>,
    /// Changes that have not been told of yet.
    untold: VecDeque<(usize, usize)>,
    /// What the last step told.
    told: Option<serde_json::Value>,
}

impl Model {
    /// The failures of both, and the successes that count towards undoing one of each.
    fn counted(&self) -> ([u64; 2], [u32; 2]) {
        let mut failures = self.begun.map(u64::from);
        let mut successes = [0; 2];
        for (dependency, worked) in &self.outcomes {
            let own = usize::from(*dependency == Dependency::Api);
            let counter = if self.shared_counter { 0 } else { own };
            if !worked {
                successes[counter] = 0;
                // The count has no ceiling but that of its type.
                failures[own] = (failures[own] + 1).min(u32::MAX.into());
                continue;
            }
            successes[counter] += 1;
            if successes[counter] == self.config.recovery_threshold {
                successes[counter] = 0;
                failures[own] -= u64::from(failures[own] > 0);
            }
        }
        (failures, successes)
    }

    /// NORMAL is 0, EMERGENCY is 3.
    fn level(&self) -> usize {
        let (failures, _) = self.counted();
        let total: u64 = failures.iter().sum();
        let reached = |level: &u64| total >= level * u64::from(self.config.failures_per_level);
        (1..=3).filter(reached).count()
    }

    fn announcement(&self, (old, new): (usize, usize)) -> serde_json::Value {
        let event = match new {
            0 => "degradation_recovery",
            _ if new < old && !self.mislabelled => "degradation_decreased",
            _ => "degradation_increased",
        };
        let names = ["NORMAL", "REDUCED", "LIMITED", "EMERGENCY"];
        let (failures, _) = self.counted();
        json!({
            "event": event,
            "old_level": names[old],
            "new_level": names[new],
            "llm_failures": failures[0],
            "api_failures": failures[1],
        })
    }
}

struct Machine;

impl ReferenceStateMachine for Machine {
    type State = Model;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Model> {
        let begun = prop_oneof![3 => Just([0; 2]), 1 => prop::array::uniform2(0..12_u32)];
        let defects = any::<(bool, bool)>();
        let drawn = (1..5_u32, 1..5_u32, begun, defects);
        let model =
            |(recovery, per_level, begun, (shared_counter, mislabelled)): (_, _, [u32; 2], _)| {
                Model {
                    config: DegradationConfig {
                        recovery_threshold: recovery,
                        failures_per_level: per_level,
                        llm_failures: begun[0],
                        api_failures: begun[1],
                    },
                    shared_counter,
                    mislabelled,
                    begun,
                    outcomes: Vec::new(),
                    moved: None,
                    untold: VecDeque::new(),
                    told: None,
                }
            };
        drawn.prop_map(model).boxed()
    }

    fn transitions(_: &Model) -> BoxedStrategy<Step> {
        let dependency = || prop::sample::select(&BOTH[..]);
        let count = || prop_oneof![8 => 0..12_u32, 1 => (u32::MAX - 2)..=u32::MAX];
        prop_oneof![
            6 => dependency().prop_map(Step::Failure),
            10 => dependency().prop_map(Step::Success),
            1 => (count(), count()).prop_map(|(llm, api)| Step::Restore([llm, api])),
            4 => Just(Step::Announce),
        ]
        .boxed()
    }

    fn apply(mut model: Model, step: &Step) -> Model {
        let before = model.level();
        model.told = None;
        match step {
            Step::Failure(dependency) => model.outcomes.push((*dependency, false)),
            Step::Success(dependency) => model.outcomes.push((*dependency, true)),
            Step::Restore(counts) => {
                model.begun = *counts;
                model.outcomes.clear();
            }
            Step::Announce => {
                let oldest = model.untold.pop_front();
                model.told = oldest.map(|oldest| model.announcement(oldest));
            }
        }
        let after = model.level();
        model.moved = (before != after).then_some((before, after));
        model.untold.extend(model.moved);
        model
    }
}

/// The real counts, and the changes that have not been told of yet.
struct Scene {
    degradation: Degradation,
    untold: VecDeque<LevelMove>,
}

impl StateMachineTest for Machine {
    type SystemUnderTest = Scene;
    type Reference = Machine;

    fn init_test(model: &Model) -> Scene {
        let switched = [
            (model.shared_counter, Defect::SharedRecoveryCounter),
            (model.mislabelled, Defect::RecoveryMislabelled),
        ];
        let on = switched.into_iter().filter(|(on, _)| *on);
        let defects: Defects = on.map(|(_, defect)| defect).collect();
        Scene {
            degradation: Degradation::new(model.config, defects),
            untold: VecDeque::new(),
        }
    }

    fn apply(mut scene: Scene, model: &Model, step: Step) -> Scene {
        let it = &mut scene.degradation;
        let mut told = None;
        let moved = match step {
            Step::Failure(dependency) => it.record_failure(dependency),
            Step::Success(dependency) => it.record_success(dependency),
            Step::Restore([llm_failures, api_failures]) => it.restore(FailureCounts {
                llm_failures,
                api_failures,
            }),
            Step::Announce => {
                let draft = scene.untold.pop_front().map(|moved| it.announcement(moved));
                told = draft.map(|draft| {
                    assert_eq!(draft.topic, Some(Topic::SystemEvents));
                    assert_eq!(draft.source, "coordinator");
                    assert_eq!(draft.priority.name(), "HIGH");
                    draft.payload.to_json()
                });
                None
            }
        };
        scene.untold.extend(moved);
        let moved = moved.map(|moved| (place(moved.old), place(moved.new)));
        assert_eq!((moved, told), (model.moved, model.told.clone()));
        scene
    }

    fn check_invariants(scene: &Scene, model: &Model) {
        let (failures, successes) = model.counted();
        let counts = scene.degradation.counts();
        let found = [counts.llm_failures, counts.api_failures].map(u64::from);
        assert_eq!(found, failures);
        assert_eq!(place(scene.degradation.level()), model.level());
        let progress = BOTH.map(|it| scene.degradation.recovery_progress(it));
        let expected = match model.shared_counter {
            true => [successes[0]; 2],
            false => successes,
        };
        assert_eq!(progress, expected);
    }
}

fn place(level: DegradationLevel) -> usize {
    match level {
        DegradationLevel::Normal => 0,
        DegradationLevel::Reduced => 1,
        DegradationLevel::Limited => 2,
        DegradationLevel::Emergency => 3,
    }
}

prop_state_machine! {
    #![proptest_config(super::cases(200))]

    #[test]
    fn it_counts_as_its_rules_say(sequential 1..60 => Machine);
}
