//! A share of something counted, and how sure it is.

/// The 97.5th percentile of the standard normal distribution: intervals are of 95 %.
const Z: f64 = 1.959_963_984_540_054;

/// So many of so many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// How many are of the kind.
    pub count: u64,
    /// How many there are.
    pub of: u64,
}

impl Share {
    /// So many of so many.
    pub fn new(count: u64, of: u64) -> Share {
        Share { count, of }
    }

    /// The share, 0 to 1; none of nothing.
    pub fn rate(self) -> Option<f64> {
        (self.of > 0).then(|| self.count as f64 / self.of as f64)
    }

    /// Between which rates the true one lies with 95 %: the score interval of E. B. Wilson, "Probable inference, the law
    /// of succession, and statistical inference", Journal of the American Statistical Association 22 (1927), 209 to
    /// 212: (p + z²/2n ± z √(p(1−p)/n + z²/4n²)) / (1 + z²/n). None of nothing.
    ///
    /// It is one for independent cases: for decisions of one run that resemble each other it is too narrow.
    pub fn interval(self) -> Option<(f64, f64)> {
        let (p, n) = (self.rate()?, self.of as f64);
        let z2 = Z * Z;
        let centre = p + z2 / (2.0 * n);
        let half = Z * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
        let scale = 1.0 + z2 / n;
        // At the ends rounding would say a little less than nothing, or more than all.
        let low = ((centre - half) / scale).max(0.0);
        let high = ((centre + half) / scale).min(1.0);
        Some((low, high))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Fails if the formula is another one: the values are those of Newcombe, "Two-sided confidence intervals for the
    // single proportion", Statistics in Medicine 17 (1998), table I, method 3.
    #[test]
    fn the_intervals_are_those_in_print() {
        let printed = [
            (81, 263, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (0, 20, 0.0, 0.1611),
            (1, 29, 0.0061, 0.1718),
        ];
        for (count, of, low, high) in printed {
            let (found_low, found_high) = Share::new(count, of).interval().unwrap();
            assert!(
                (found_low - low).abs() < 5e-5,
                "{count} of {of}: {found_low}"
            );
            assert!(
                (found_high - high).abs() < 5e-5,
                "{count} of {of}: {found_high}"
            );
        }
        assert_eq!(Share::new(0, 0).interval(), None);
        assert!(Share::new(7, 7).interval().unwrap().1 <= 1.0);
    }
}
