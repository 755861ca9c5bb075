//! The scenarios of the project as stories: what each is expected to show.

use dacapo_kernel::Verified;
use dacapo_lab::scenario::Overrides;
use dacapo_tests::{record, replay, scenario};

#[test]
fn smoke() {
    for name in ["deadlock", "day", "binance-tape"] {
        let run = record(&scenario(name), &Overrides::default());
        println!(
            "{name}: {} events {} {:?}",
            run.outcome.events, run.outcome.verdict, run.outcome.fingerprint
        );
        println!("{:#?}", dacapo_orchestration_figures(&run.outcome.world));
        println!("{:?}", run.outcome.world.view.coordinator);
        println!("{:?}", run.outcome.world.view.models);
        println!(
            "rejected {:?} refused {:?} fills {} resting {} submitted {}",
            run.outcome.world.view.trading.rejected,
            run.outcome.world.view.trading.refused,
            run.outcome.world.view.trading.fills.len(),
            run.outcome.world.view.trading.resting,
            run.outcome.world.view.trading.submitted
        );
        match replay(&run.log) {
            Verified::Same(o) => println!("SAME {}", o.events),
            Verified::SameSoFar(_) => println!("so far"),
            Verified::Diverged(d, _) => println!("DIVERGED {d:?}"),
        }
    }
}

fn dacapo_orchestration_figures(
    world: &dacapo_kernel::World<dacapo_orchestration::views::Views>,
) -> Vec<String> {
    use dacapo_kernel::System;
    dacapo_orchestration::Orchestration::figures(world)
        .into_iter()
        .map(|f| format!("{}={}", f.name, f.value))
        .collect()
}
