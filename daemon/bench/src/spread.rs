//! The spread of repeated measurements. Must not know what was measured.

use serde::Serialize;

/// Smallest, middle, nearly largest, largest.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    pub n: usize,
    pub min: f64,
    pub median: f64,
    /// 95th percentile, by nearest rank.
    pub p95: f64,
    pub max: f64,
}

impl Spread {
    /// Of at least one run; `None` of none. What is not a number is left out.
    pub fn of(runs: &[f64]) -> Option<Self> {
        let mut sorted: Vec<f64> = runs.iter().copied().filter(|run| run.is_finite()).collect();
        sorted.sort_by(f64::total_cmp);
        let n = sorted.len();
        let (&min, &max) = (sorted.first()?, sorted.last()?);
        let median = (sorted[(n - 1) / 2] + sorted[n / 2]) / 2.0;
        Some(Self { n, min, median, p95: sorted[(n * 95).div_ceil(100).max(1) - 1], max })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_of_twenty_runs_has_its_middle_and_its_tail() {
        let runs: Vec<f64> = (1..=20).rev().map(f64::from).collect();
        let expected = Spread { n: 20, min: 1.0, median: 10.5, p95: 19.0, max: 20.0 };
        assert_eq!(Spread::of(&runs), Some(expected));
    }

    #[test]
    fn one_run_is_all_of_its_spread_and_no_run_has_none() {
        assert_eq!(Spread::of(&[3.0]), Some(Spread { n: 1, min: 3.0, median: 3.0, p95: 3.0, max: 3.0 }));
        assert_eq!(Spread::of(&[]), None);
        assert_eq!(Spread::of(&[f64::NAN]), None);
    }
}
