//! What the rules know of each market: indicators over what has become visible so far.

use dacapo_market::Side;
use serde::{Deserialize, Serialize};

use super::AverageCrossConfig;
use super::indicator::{
    Cross, Crossing, Flow, FlowConfig, IndicatorError, MoodReading, RegimeConfig, RegimeReading,
    RegimeWindow, Trend, TrendConfig, TrendReading,
};
use crate::amount::Amount;
use crate::by_name::ByName;
use crate::message::Name;

/// The windows of the rules.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AnalysisConfig {
    /// Technical analysis.
    pub trend: TrendConfig,
    /// Regime detection.
    pub regime: RegimeConfig,
    /// Sentiment, from the flow of trades.
    pub flow: FlowConfig,
}

/// Every market that is watched.
#[derive(Debug)]
pub struct MarketView {
    markets: ByName<Watched>,
}

#[derive(Debug)]
struct Watched {
    price: Option<Amount>,
    cross: Option<Cross>,
    trend: Trend,
    regime: RegimeWindow,
    flow: Flow,
}

impl MarketView {
    /// A view of these markets, before anything has become visible; averages that cross are made
    /// where an agent goes by them.
    ///
    /// # Errors
    /// A window outside its bounds.
    pub fn new(
        symbols: &[Name],
        config: &AnalysisConfig,
        cross: Option<&AverageCrossConfig>,
    ) -> Result<MarketView, IndicatorError> {
        let mut markets = ByName::default();
        for symbol in symbols {
            let watched = Watched {
                price: None,
                cross: cross.map(|it| Cross::new(it.fast, it.slow)).transpose()?,
                trend: Trend::new(config.trend.clone())?,
                regime: RegimeWindow::new(config.regime.clone())?,
                flow: Flow::new(config.flow.clone())?,
            };
            markets.or_insert_with(symbol, || watched);
        }
        Ok(MarketView { markets })
    }

    /// A trade became visible.
    pub fn see_trade(
        &mut self,
        symbol: &str,
        price: Amount,
        size: Amount,
        taker_buys: Option<bool>,
    ) {
        let Some(watched) = self.markets.get_mut(symbol) else {
            return;
        };
        watched.price = Some(price);
        let number = price.to_f64();
        if let Some(cross) = &mut watched.cross {
            cross.push(number);
        }
        watched.trend.push(number);
        watched.regime.push(number);
        let side = taker_buys.map(|buys| if buys { Side::Buy } else { Side::Sell });
        watched.flow.push(side, size.as_decimal());
    }

    /// The last price, if any was seen.
    pub fn price(&self, symbol: &str) -> Option<Amount> {
        self.markets.get(symbol)?.price
    }

    /// Where prices lead, once the window is full.
    pub fn trend(&self, symbol: &str) -> Option<TrendReading> {
        self.markets.get(symbol)?.trend.reading()
    }

    /// How the last price made the averages cross, if it did.
    pub fn crossing(&self, symbol: &str) -> Option<Crossing> {
        self.markets.get(symbol)?.cross.as_ref()?.crossing()
    }

    /// What kind of market it is, once the window is full.
    pub fn regime(&self, symbol: &str) -> Option<RegimeReading> {
        self.markets.get(symbol)?.regime.reading()
    }

    /// How buyers and sellers feel, once the window is full.
    pub fn mood(&self, symbol: &str) -> Option<MoodReading> {
        self.markets.get(symbol)?.flow.reading()
    }
}
