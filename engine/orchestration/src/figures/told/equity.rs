//! What the account was worth in a part of a run, and what may be said of that for a year.

use crate::figures::returns::Defined;
use crate::figures::series::Point;

/// Below so many days a return is not stretched to a year: nothing would be left of it but chance. (The
/// Global Investment Performance Standards, 2020, allow it from a whole year on only.)
pub(super) const DAYS_OF_RETURN: f64 = 30.0;

/// Below so many days no spread is stretched to a year either.
pub(super) const DAYS_OF_SPREAD: f64 = 1.0;

/// The equity of a part, and what its returns say.
pub(super) struct Equity {
    pub(super) points: Result<Vec<Point>, String>,
    pub(super) returns: Result<Vec<f64>, String>,
    pub(super) per_year: Defined,
    pub(super) free: f64,
    pub(super) days: f64,
}

impl Equity {
    /// A figure of the returns and the number of periods that a year has.
    pub(super) fn of(&self, figure: impl FnOnce(&[f64], f64) -> Defined) -> Defined {
        figure(self.returns.as_ref()?, self.per_year.clone()?)
    }

    /// The same for a figure that is stretched to a year, which takes so many days.
    pub(super) fn of_a_year(
        &self,
        days: f64,
        figure: impl FnOnce(&[f64], f64) -> Defined,
    ) -> Defined {
        if self.days < days {
            let needed = match days {
                DAYS_OF_SPREAD => "a day is".to_owned(),
                days => format!("{days} days are"),
            };
            return Err(format!(
                "the time is too short for a figure of a year: {needed} needed"
            ));
        }
        self.of(figure)
    }

    pub(super) fn mean_worth(&self) -> Defined {
        let points = self.points.as_ref()?;
        Ok(points.iter().map(|point| point.worth).sum::<f64>() / points.len() as f64)
    }
}
