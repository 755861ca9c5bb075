//! Which of a plan's defects somebody asked for, and which its profile has on anyway.

use dacapo_kernel::{Plan, System};

/// The defects of a plan beyond those of its profile, and how many the profile has on.
pub fn beyond_profile<S: System>(plan: &Plan<S::Config>) -> (Vec<&str>, usize) {
    let profile = S::profiles()
        .into_iter()
        .find(|profile| profile.name == plan.profile);
    let usual = profile.map_or_else(Vec::new, |profile| profile.defects);
    let (of_profile, added): (Vec<&str>, Vec<&str>) = plan
        .defects
        .iter()
        .map(String::as_str)
        .partition(|name| usual.contains(name));
    (added, of_profile.len())
}
