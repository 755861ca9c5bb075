//! The rule of the risk engine written down a second time: as a list of what may refuse a trade, and of
//! what remains of one that passes.
//!
//! What the log does not tell to the last digit is not guessed: each refusal is sure, possible or out of
//! the question, and a judgement must be one of those that remain.

use crate::domain_event::{Proposed, RiskBasis, RiskJudged};
use crate::risk::RiskConfig;

use super::super::account::Range;

/// A part in so many is rounding.
const SLACK: f64 = 1e-9;

/// Whether something is so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Is {
    /// It cannot be otherwise.
    Surely,
    /// The log does not tell.
    Maybe,
    /// It cannot be.
    Never,
}

impl From<bool> for Is {
    fn from(so: bool) -> Is {
        if so { Is::Surely } else { Is::Never }
    }
}

/// What is known when a trade is judged.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known<'a> {
    pub(super) risk: &'a RiskConfig,
    pub(super) asked: &'a Proposed,
    /// Whether it needs no stop.
    pub(super) is_market: bool,
    pub(super) basis: &'a RiskBasis,
    /// A limit was breached before.
    pub(super) is_halted: Is,
    /// A limit is breached now.
    pub(super) is_breached: Is,
    /// A trade was closed too short a time ago.
    pub(super) is_cooling: Is,
    /// Losses in a row.
    pub(super) losses: u32,
    /// How far the account is below its highest worth, in percent of that.
    pub(super) drawdown: Range,
    /// What there is to trade with, in dollars, where that is known.
    pub(super) margin: Option<f64>,
    /// Whether the log tells what was noticed besides; those of earlier versions do not.
    pub(super) tells_warnings: bool,
}

impl Known<'_> {
    /// Whether this is what comes of the trade.
    pub(super) fn explain(&self, judged: &RiskJudged) -> Result<(), String> {
        let found = judged.rejections.first().map(|code| code.as_str());
        for (code, is_so) in self.refusals() {
            if found == Some(code) && is_so != Is::Never {
                return as_refused(judged, code);
            }
            if found == Some(code) {
                return Err(format!(
                    "expected nothing to speak for {code}, found a trade refused for it"
                ));
            }
            if is_so == Is::Surely {
                let found = found.unwrap_or(judged.status.as_str());
                return Err(format!("expected {code}, found {found}"));
            }
        }
        match found {
            Some(unknown) => Err(format!("expected a known reason, found {unknown}")),
            None => self.remains(judged),
        }
    }

    /// Everything that refuses a trade, in the order in which it is looked at.
    fn refusals(&self) -> Vec<(&'static str, Is)> {
        let mut all = vec![
            ("TRADING_HALTED", self.is_halted),
            ("IN_COOLDOWN", self.is_cooling),
        ];
        all.extend(self.stop().map(|(code, so)| (code, Is::from(so))));
        let sure_enough = self.asked.confidence >= self.least_confidence();
        all.push(("CONFIDENCE_TOO_LOW", Is::from(!sure_enough)));
        all.push(("EXPOSURE_LIMIT", Is::from(self.is_too_exposed())));
        all.push(("CORRELATED_EXPOSURE", Is::from(self.is_too_alike())));
        let needed = self.asked.size_usd / self.asked.leverage as f64;
        let margin = self.margin.map(|margin| Is::from(needed > margin));
        all.push(("INSUFFICIENT_MARGIN", margin.unwrap_or(Is::Maybe)));
        all.push(("CIRCUIT_BREAKER", self.is_breached));
        all
    }

    fn stop(&self) -> [(&'static str, bool); 4] {
        let rules = &self.risk.stop_loss;
        let (entry, way) = (self.asked.entry_price, self.way());
        let stop = self.asked.stop_loss;
        let risk = stop.map(|stop| (entry - stop) * way);
        let distance = risk.map(|risk| risk / entry * 100.0);
        let reward = self.asked.take_profit.map(|target| (target - entry) * way);
        let ratio = reward.zip(risk).map(|(reward, risk)| reward / risk);
        [
            (
                "STOP_LOSS_REQUIRED",
                stop.is_none() && rules.required && !self.is_market,
            ),
            (
                "STOP_TOO_TIGHT",
                distance.is_some_and(|it| it < rules.min_distance_pct),
            ),
            (
                "STOP_TOO_WIDE",
                distance.is_some_and(|it| it > rules.max_distance_pct),
            ),
            ("LOW_RR", ratio.is_some_and(|it| it < rules.min_risk_reward)),
        ]
    }

    /// 1 where a rising price earns, −1 where a falling one does.
    fn way(&self) -> f64 {
        if self.asked.side == *"buy" { 1.0 } else { -1.0 }
    }

    fn regime(&self) -> &str {
        self.asked.regime.as_ref().map_or("", |it| it.as_str())
    }

    fn has_lost_often(&self) -> bool {
        self.losses
            >= self
                .risk
                .circuit_breakers
                .consecutive_losses
                .threshold_count
    }

    fn least_confidence(&self) -> f64 {
        let by_regime = match self.regime() {
            "choppy" => 0.75,
            "unknown" => 0.70,
            "volatile_bear" | "volatile_bull" => 0.65,
            "trending_bear" | "trending_bull" => 0.55,
            _ => 0.60,
        };
        let for_losses = match self.losses {
            _ if self.has_lost_often() => 0.20,
            0..=2 => 0.0,
            _ => 0.10,
        };
        f64::min(1.0, by_regime + for_losses)
    }

    /// By the size and leverage that were asked for, whatever remains of them.
    fn is_too_exposed(&self) -> bool {
        let equity = self.basis.equity.to_f64();
        let asked = self.asked.size_usd * self.asked.leverage as f64;
        let after = self.basis.exposure_pct + asked / equity * 100.0;
        equity != 0.0 && after > self.risk.limits.max_total_exposure_pct
    }

    fn is_too_alike(&self) -> bool {
        !self.basis.by_symbol.is_empty()
            && self.alike() > self.risk.limits.max_correlated_exposure_pct
    }

    /// What moves together, the trade included, in percent of the account.
    fn alike(&self) -> f64 {
        let equity = self.basis.equity.to_f64();
        let mut together = 0.0;
        for open in &self.basis.by_symbol {
            let alike = likeness(&self.asked.symbol, &open.symbol);
            if alike > 0.0 {
                together += open.pct * alike;
            }
        }
        if equity > 0.0 {
            together += self.asked.size_usd / equity * 100.0;
        }
        together
    }

    // What remains.

    /// A trade that passed is whole, or what the reductions leave of it.
    fn remains(&self, judged: &RiskJudged) -> Result<(), String> {
        let asked = self.asked;
        let size = self.size();
        let leverages = self.leverages();
        let (found_size, found_leverage) = match (judged.size_usd, judged.leverage) {
            (Some(size), Some(leverage)) if judged.status == *"modified" => (size, leverage),
            (None, None) if judged.status == *"approved" => (asked.size_usd, asked.leverage),
            _ => {
                return Err(format!(
                    "expected a trade that passes to be approved as it is, or modified, found {}",
                    judged.status
                ));
            }
        };
        if (found_size - size).abs() > SLACK * (1.0 + size.abs()) {
            return Err(format!(
                "expected {size} dollars to remain, found {found_size}"
            ));
        }
        if !leverages.contains(&found_leverage) {
            return Err(format!(
                "expected a leverage of {leverages:?} to remain, found {found_leverage}"
            ));
        }
        let is_less = found_size < asked.size_usd || found_leverage < asked.leverage;
        if judged.status == *"modified" && !is_less && !self.has_lost_often() {
            return Err("expected what is modified to be less, found the same".into());
        }
        self.warned(judged, found_leverage)
    }

    /// All that is noticed of a trade that passes is told, in the order of the checks, and nothing else.
    fn warned(&self, judged: &RiskJudged, leverage: i64) -> Result<(), String> {
        let mut told = judged.warnings.iter().map(|code| code.as_str()).peekable();
        for (code, is_so) in self.noticed(leverage) {
            let is_told = told.next_if(|told| *told == code).is_some();
            if is_told && is_so == Is::Never {
                return Err(format!(
                    "expected nothing to speak for {code}, found it told"
                ));
            }
            if self.tells_warnings && !is_told && is_so == Is::Surely {
                return Err(format!("expected {code} to be told, found nothing of it"));
            }
        }
        match told.next() {
            Some(other) => Err(format!("expected no more to be told, found {other}")),
            None => Ok(()),
        }
    }

    fn noticed(&self, leverage: i64) -> [(&'static str, Is); 4] {
        // Of two ways to work out a limit that is met exactly, one may be above it.
        let is_above = |here: f64, limit: f64| {
            let is_edge = (here - limit).abs() <= SLACK * (1.0 + here.abs());
            if is_edge {
                Is::Maybe
            } else {
                Is::from(here > limit)
            }
        };
        let near = self.risk.limits.max_correlated_exposure_pct * 0.8;
        let is_near = match self.basis.by_symbol.is_empty() {
            true => Is::Never,
            false => is_above(self.alike(), near),
        };
        [
            ("SIZE_REDUCED", is_above(self.asked.size_usd, self.most())),
            ("SIZE_REDUCED_LOSSES", Is::from(self.halves())),
            ("LEVERAGE_REDUCED", Is::from(leverage < self.asked.leverage)),
            ("HIGH_CORRELATION", is_near),
        ]
    }

    /// In dollars.
    fn size(&self) -> f64 {
        let size = self.asked.size_usd.min(self.most());
        if self.halves() { size / 2.0 } else { size }
    }

    /// The most dollars that the limits allow, whatever was asked for.
    fn most(&self) -> f64 {
        let equity = self.basis.equity.to_f64();
        if equity == 0.0 {
            return f64::INFINITY;
        }
        let percent = |pct: f64| equity * pct / 100.0;
        let limits = &self.risk.limits;
        let most = percent(limits.max_position_pct);
        let lost = |stop: f64| (1.0 - stop / self.asked.entry_price).abs();
        match self.asked.stop_loss.map(lost) {
            Some(lost) if lost > 0.0 => most.min(percent(limits.max_risk_per_trade_pct) / lost),
            _ => most,
        }
    }

    /// Losses in a row halve a trade, where there is anything to lose.
    fn halves(&self) -> bool {
        self.has_lost_often() && self.basis.equity.to_f64() != 0.0
    }

    /// Each that may remain.
    fn leverages(&self) -> Vec<i64> {
        let by_regime = self.risk.regime_leverage_limits.get(self.regime());
        let by_losses = match self.losses {
            _ if self.has_lost_often() => 1,
            0..=2 => i64::MAX,
            _ => 2,
        };
        let caps = [
            self.asked.leverage,
            self.risk.limits.max_leverage,
            *by_regime.unwrap_or(&2),
            by_losses,
        ];
        let cap = caps.into_iter().min().unwrap_or(1);
        let (least, most) = self.drawdown;
        // From which drawdown on, below which, at most which leverage.
        let steps = [
            (f64::NEG_INFINITY, 5.0, i64::MAX),
            (5.0, 10.0, 3),
            (10.0, 15.0, 2),
            (15.0, f64::INFINITY, 1),
        ];
        let is_possible =
            |(from, below, _): &(f64, f64, i64)| most + SLACK >= *from && least - SLACK < *below;
        let possible = steps.into_iter().filter(is_possible);
        possible.map(|(_, _, most)| cap.min(most)).collect()
    }
}

/// A refusal says one thing, and leaves nothing.
fn as_refused(judged: &RiskJudged, code: &str) -> Result<(), String> {
    let of_everything = matches!(code, "TRADING_HALTED" | "CIRCUIT_BREAKER");
    let status = if of_everything { "halted" } else { "rejected" };
    let is_alone = judged.rejections.len() == 1;
    if is_alone
        && judged.status == *status
        && judged.size_usd.is_none()
        && judged.leverage.is_none()
    {
        return Ok(());
    }
    Err(format!(
        "expected {code} to refuse alone as {status}, and nothing to remain, found {}",
        judged.status
    ))
}

/// How much two pairs move together; 0 where that is too little to count.
fn likeness(one: &str, other: &str) -> f64 {
    const ALIKE: [(&str, &str, f64); 3] = [
        ("BTC/USDT", "XRP/USDT", 0.75),
        ("BTC/USDT", "XRP/BTC", 0.60),
        ("XRP/USDT", "XRP/BTC", 0.85),
    ];
    if one == other {
        return 1.0;
    }
    let known = ALIKE
        .into_iter()
        .find(|(a, b, _)| (*a, *b) == (one, other) || (*b, *a) == (one, other));
    known.map_or(0.0, |(_, _, alike)| alike)
}
