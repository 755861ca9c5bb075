//! Every known defect of the orchestration as a named switch, and the profiles that name sets of them.
//!
//! A switch is consulted at one place: the point where the decision is taken. This file only
//! names and describes them; what a switch does is written where it is asked.

use serde::{Deserialize, Serialize};

/// What a person is told about one defect.
#[derive(Clone, Copy, Debug)]
pub struct DefectInfo {
    /// The switch.
    pub defect: Defect,
    /// The name used on the command line and in scenarios.
    pub name: &'static str,
    /// The finding or section of the orchestration's rules that it belongs to.
    pub reference: &'static str,
    /// What happens with the switch on.
    pub broken: &'static str,
    /// What happens with it off.
    pub sound: &'static str,
    /// Which profiles have it on: letters of R `reviewed`, U `upstream`, F `review-fixed`.
    pub profiles: &'static str,
    /// The invariants that notice it, separated by commas.
    pub caught_by: &'static str,
}

macro_rules! defects {
    ($($variant:ident, $name:literal, $reference:literal, $profiles:literal, $broken:literal, $sound:literal, $caught:literal;)*) => {
        /// One switchable defect.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Defect {
            $(#[doc = $broken] $variant,)*
        }

        /// Every defect, in the order in which they are listed to people.
        pub const DEFECTS: &[DefectInfo] = &[
            $(DefectInfo {
                defect: Defect::$variant,
                name: $name,
                reference: $reference,
                broken: $broken,
                sound: $sound,
                profiles: $profiles,
                caught_by: $caught,
            },)*
        ];
    };
}

/// A set of defects that are switched on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Defects(u64);

impl Defects {
    /// No defect: what `sound` means.
    pub const NONE: Defects = Defects(0);

    /// Those of these names; a name that no defect has adds nothing.
    pub fn named(names: &[String]) -> Defects {
        DEFECTS
            .iter()
            .filter(|info| names.iter().any(|name| name == info.name))
            .map(|info| info.defect)
            .collect()
    }

    /// Whether `defect` is switched on.
    pub fn has(self, defect: Defect) -> bool {
        self.0 & (1 << defect as u64) != 0
    }

    /// The same set with `defect` on.
    pub fn with(self, defect: Defect) -> Defects {
        Defects(self.0 | 1 << defect as u64)
    }

    /// Those that are on, in the order of [`DEFECTS`].
    pub fn iter(self) -> impl Iterator<Item = &'static DefectInfo> {
        DEFECTS.iter().filter(move |info| self.has(info.defect))
    }
}

impl FromIterator<Defect> for Defects {
    fn from_iter<I: IntoIterator<Item = Defect>>(defects: I) -> Defects {
        defects.into_iter().fold(Defects::NONE, Defects::with)
    }
}

/// A named set of defects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// The code the review looked at.
    Reviewed,
    /// The last version of the original: one finding fixed, one half.
    Upstream,
    /// Every finding of the review repaired, and nothing else.
    ReviewFixed,
    /// Every known defect repaired.
    #[default]
    Sound,
}

impl Profile {
    /// Every profile with its name and meaning, from the most broken to the soundest.
    pub const ALL: [(Profile, &'static str, &'static str); 4] = [
        (
            Profile::Reviewed,
            "reviewed",
            "the code the review looked at",
        ),
        (
            Profile::Upstream,
            "upstream",
            "the last version of the original: one finding fixed, one half",
        ),
        (
            Profile::ReviewFixed,
            "review-fixed",
            "every finding of the review repaired, nothing else",
        ),
        (Profile::Sound, "sound", "every known defect repaired"),
    ];

    /// The defects that the profile has on.
    pub fn defects(self) -> Defects {
        let letter = match self {
            Profile::Reviewed => 'R',
            Profile::Upstream => 'U',
            Profile::ReviewFixed => 'F',
            Profile::Sound => return Defects::NONE,
        };
        DEFECTS
            .iter()
            .filter(|info| info.profiles.contains(letter))
            .map(|info| info.defect)
            .collect()
    }
}

defects! {
    HandlerUnderLock, "handler-under-lock", "S1 P0", "R", "publish awaits the handlers while it holds the bus lock: a handler that calls the bus deadlocks", "subscriptions are copied under the lock, handlers run after its release", "live.no-deadlock, bus.reentrant";
    NoHandlerBreaker, "no-handler-breaker", "S2 P1", "RU", "a failing handler is called for ever", "the 10th failure (cumulative by default, consecutive by configuration) unsubscribes it from that topic", "bus.breaker";
    NoSymbolFilter, "no-symbol-filter", "S5, S7 P1", "RU", "consensus and conflicts take the newest message of any symbol", "evidence is filtered by the signal's symbol through a filter of get_latest", "evidence.same-symbol, bus.latest";
    TaskErrorsIgnored, "task-errors-ignored", "S6 P1", "RU", "a task that raises leaves the level alone", "every failed run counts as one API failure, exactly once", "degrade.counts-once";
    PersistOnStopOnly, "persist-on-stop-only", "S11 P1", "RU", "state is saved in stop only", "also every 600 s of virtual time", "live.persists, recovery.statistics";
    TrustLlmReply, "trust-llm-reply", "S8 P1", "RU", "action, confidence and modifications are taken as they come", "validated as section 7.4 says", "llm.invalid-waits, number.finite";
    UnboundedSubscriptions, "unbounded-subscriptions", "S4 P2", "RU", "no limit", "at most 100 per topic; one more is refused with an error", "bus.bounded";
    ResubscribeReplaces, "resubscribe-replaces", "S3 P2", "RUF", "one subscription per subscriber and topic, silently replaced", "a subscription may carry a label; the same label replaces (documented), different labels live side by side", "bus.coexist";
    UnsortedRebalance, "unsorted-rebalance", "S9 P2", "RU", "trades run in list order", "sells before buys, stable", "rebalance.sells-first";
    DbFailureDropsTrades, "db-failure-drops-trades", "S10 P2", "RU", "a failed insert loses the scheduled trades", "they stay in memory", "legs.one-state, live.legs-finish";
    NoAgentTimeout, "no-agent-timeout", "text P3", "R", "a hung agent hangs the coordinator", "every agent call has a timeout, its expiry is a failed run", "live.hung-agent-freed";
    BreakerSilent, "breaker-silent", "S2", "RUF", "the removal of a failing handler is not announced", "system_events says who was removed and why", "bus.breaker";
    BuysUnfunded, "buys-unfunded", "S9", "RUF", "after a failed sell the buys it would have paid for are sent anyway", "they shrink or are cancelled", "rebalance.sells-first, money.non-negative";
    ScheduledLegsUnsorted, "scheduled-legs-unsorted", "9.4", "RUF", "due legs of one batch run in stored order, buys before sells", "sells first there too", "rebalance.sells-first";
    LegsNotRetried, "legs-not-retried", "S10", "RUF", "legs that could not be stored stay in memory for good", "storing is retried, each is stored once", "legs.one-state";
    UnstartedTasksNeverRun, "unstarted-tasks-never-run", "D1", "RUF", "a task that never ran and has no run_on_start never becomes due", "due one interval after start", "live.tasks-run";
    DependencyCyclesAccepted, "dependency-cycles-accepted", "4", "RUF", "a cycle of dependencies is accepted and its tasks never run", "refused at load, with the cycle", "live.tasks-run";
    RebalanceRefused, "rebalance-refused", "D2", "U", "rebalance proposals are refused by their own validation", "exempt from price and stop rules, as market orders", "live.legs-finish";
    RebalanceUnpriced, "rebalance-unpriced", "D2", "RUF", "they carry entry price 0", "priced from the price source", "money.notional";
    ApiSuccessUnrecorded, "api-success-unrecorded", "D3", "RUF", "API failures never decay", "a successful task run is an API success", "live.recovers";
    RebalanceNeedsLiveExecutor, "rebalance-needs-live-executor", "D4", "RUF", "rebalancing is skipped in paper mode", "it goes to the executor in use", "live.legs-finish";
    TtlBelowWindow, "ttl-below-window", "D5", "RUF", "a 300 s time to live cuts the 600 s and 3,600 s evidence windows short", "each topic's time to live is at least its window", "evidence.window";
    HaltLiftedByPause, "halt-lifted-by-pause", "D6", "RUF", "HALTED, pause, resume gives RUNNING", "only the command clear_halt (params: operator, reason) leaves HALTED, for PAUSED", "halt.sticks";
    EmergencyReachesNobody, "emergency-reaches-nobody", "D7", "RUF", "emergency close and reduce reach no executor that lacks the methods, as both shipped ones do", "they reach the executor in use and are retried until flat or alerted", "live.emergency-flat";
    RiskNeverFed, "risk-never-fed", "D8", "RUF", "the paper runner never tells the risk engine the equity, so every trade is refused (a run that feeds it explicitly still does)", "fed after every fill and price", "live.trades-possible";
    ExposureOfExposure, "exposure-of-exposure", "D9", "RUF", "exposure is a share of total exposure: one position blocks all correlated symbols", "a share of equity", "risk.limits";
    BadSignalFailsCoordinator, "bad-signal-fails-coordinator", "D10", "RUF", "a malformed signal or command raises inside the coordinator's own handler, and ten unsubscribe it; an executor that raises is told to nobody", "each becomes a trade_rejected or command_rejected alert; the coordinator's handlers do not fail", "bus.coordinator-stays";
    SentimentErrorsSwallowed, "sentiment-errors-swallowed", "D11", "RUF", "counted as success", "a failed run", "degrade.counts-once";
    CrossPairSizing, "cross-pair-sizing", "D12", "RUF", "XRP/BTC is sized as dollars over a BTC price", "converted through BTC/USDT", "money.notional";
    CloseDoesNotSettle, "close-does-not-settle", "D13", "RUF", "closing a paper position leaves the balances unchanged; a fill precedes position validation", "settled on close, validated first", "money.conserved";
    EmergencyAbsorbing, "emergency-absorbing", "D14", "RUF", "at EMERGENCY no call is made, so no success is ever seen", "probes on a schedule", "live.recovers";
    UnknownActionSells, "unknown-action-sells", "D15", "RUF", "any action but BUY and HOLD sells", "an unknown action is rejected", "trade.known-action";
    PayloadMutated, "payload-mutated", "D16", "RUF", "the handler rewrites the published message", "messages are immutable", "bus.immutable";
    RegimeVocabulary, "regime-vocabulary", "D17", "RUF", "consensus and the regime agent use different names, so the regime never agrees", "one vocabulary; both sets of names are understood", "evidence.vocabulary";
    TimeoutCancelsExecution, "timeout-cancels-execution", "D18", "RUF", "a task timeout cancels consensus, LLM or execution midway", "handling runs in a task of the coordinator's own, fed by a bounded queue", "trade.at-most-once";
    ForceRunBypassesGuards, "force-run-bypasses-guards", "3", "RUF", "a forced run has no timeout and may overlap a scheduled one", "the same guards as any run", "task.single, live.hung-agent-freed";
    InFlightNotRerun, "in-flight-not-rerun", "D19", "RUF", "a task in flight at a crash waits a whole interval", "due at once after recovery", "recovery.tasks, live.tasks-run";
    RestingOrdersForgotten, "resting-orders-forgotten", "D20", "RUF", "an unfilled paper limit order is never looked at again", "matched on every price", "live.orders-resolve";
    DcaWhilePaused, "dca-while-paused", "D22", "RUF", "scheduled legs run while PAUSED", "they wait", "trade.no-leg-while-paused";
    LimitedProceeds, "limited-proceeds", "D23", "RUF", "at LIMITED an unresolved sentiment conflict proceeds", "it waits", "degrade.monotone-trading, llm.asked";
    OneProviderForTwoModels, "one-provider-for-two-models", "D24", "RUF", "both models are asked of one provider: its outage takes both (a reply scripted per model still answers)", "two providers, failing independently", "live.fallback-reached";
    MockPriceFallback, "mock-price-fallback", "12", "RUF", "a stale or missing price falls through to a built-in price table, and a fill is made at it", "refused: no price, no fill", "evidence.fresh";
    HaltForgottenOnRestart, "halt-forgotten-on-restart", "10", "RUF", "a restart after a halt starts RUNNING", "the reason of a halt is durable, apart from a clean stop, which is none", "halt.sticks";
    ExecuteBeforeMark, "execute-before-mark", "9.4", "RUF", "a scheduled trade runs, then is marked: a crash between runs it twice", "the intent is recorded first, with an idempotency key; unknown outcomes are asked for", "trade.at-most-once";
    StateNotRechecked, "state-not-rechecked", "7", "RUF", "the state is checked before the LLM call only", "checked again at submit", "trade.only-when-running";
    GarbageCountsAsSuccess, "garbage-counts-as-success", "7.3", "RUF", "an unusable reply counts as an LLM success", "a failure", "llm.invalid-waits";
    LlmRaisesRisk, "llm-raises-risk", "7.5", "RUF", "a reply may raise leverage up to 5 or move the entry past its stop", "the riskier part is ignored (leverage and size never above the signal's); an entry beyond its stop means wait; risk is checked after the change", "llm.never-riskier, trade.as-decided";
    SharedRecoveryCounter, "shared-recovery-counter", "6", "RUF", "LLM and API successes share one recovery count", "each has its own", "degrade.own-counter";
    RecoveryMislabelled, "recovery-mislabelled", "6", "RUF", "EMERGENCY to LIMITED is announced as an increase", "degradation_decreased, and degradation_recovery for NORMAL", "degrade.direction";
    MemoryLegsLost, "memory-legs-lost", "9.4", "RUF", "legs held in memory are acknowledged, and lost in a crash", "acknowledged only when stored; until then reported as pending", "legs.one-state";
    PartialInsertDuplicates, "partial-insert-duplicates", "9.4", "RUF", "legs are inserted one by one without keys: a retry after a failure halfway stores some twice (seen once legs-not-retried is off)", "one transaction, one key per leg", "legs.one-state";
    PrimaryStarvesFallback, "primary-starves-fallback", "7.3", "RUF", "one budget covers both models, a hung primary uses it up", "each has its share", "live.fallback-reached, llm.asked";
    LevelNotPersisted, "level-not-persisted", "10", "RUF", "the failure counts are lost in a restart", "persisted with the state", "recovery.statistics";
    RiskForgottenOnRestart, "risk-forgotten-on-restart", "10", "RUF", "a restart forgets cooldowns, losses in a row, breakers and what the account was worth when the day and the week began", "persisted at once, with the state", "risk.remembered, risk.cooldown, risk.breach-stops";
    AgesByWallClock, "ages-by-wall-clock", "0", "RUF", "time to live, intervals and cooldowns read the wall clock, so a clock jump expires or delays them", "they read monotone virtual time; only daily and weekly resets read the wall clock", "time.monotone, live.tasks-run";
    HandlerErrorStopsDelivery, "handler-error-stops-delivery", "planted", "", "an error in one handler ends the delivery loop", "the others are still tried", "bus.one-attempt";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_profile_repairs_what_the_one_before_it_had() {
        let counts = Profile::ALL.map(|(profile, ..)| profile.defects().iter().count());
        assert!(counts.is_sorted_by(|a, b| a > b), "{counts:?}");
        assert_eq!(counts[3], 0);
    }

    #[test]
    fn the_name_of_a_switch_is_its_serialised_form() {
        for info in DEFECTS {
            let name =
                serde_json::to_string(&info.defect).expect("an enum of unit variants serialises");
            assert_eq!(name.trim_matches('"'), info.name);
        }
    }
}
