//! Minimum, median, and ratios taken within a round.

use serde::Serialize;

/// What is kept of the rounds of one subject.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// The best round.
    pub min: f64,
    /// The middle round.
    pub median: f64,
}

impl Summary {
    /// Summarises the rounds of one subject.
    #[must_use]
    pub fn of(rounds: &[f64]) -> Self {
        let min = rounds.iter().copied().fold(f64::INFINITY, f64::min);
        Self { min, median: median(rounds.to_vec()) }
    }
}

/// The middle value; the mean of the two middle ones where their number is even.
///
/// Not a number where there is no value.
#[must_use]
pub fn median(mut values: Vec<f64>) -> f64 {
    if values.is_empty() {
        return f64::NAN;
    }
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 {
        values[middle]
    } else {
        f64::midpoint(values[middle - 1], values[middle])
    }
}

/// The median over the rounds of `a / b`: what happens to both in a round cancels out.
#[must_use]
pub fn median_ratio(a: &[f64], b: &[f64]) -> f64 {
    median(a.iter().zip(b).map(|(a, b)| a / b).collect())
}

/// The median over the rounds of `a - b`.
#[must_use]
pub fn median_difference(a: &[f64], b: &[f64]) -> f64 {
    median(a.iter().zip(b).map(|(a, b)| a - b).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_of_odd_and_even_counts() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
        assert_eq!(median(vec![7.0]), 7.0);
        assert!(median(vec![]).is_nan());
    }

    #[test]
    fn summary_keeps_the_best_and_the_middle() {
        let summary = Summary::of(&[5.0, 2.0, 9.0]);
        assert_eq!(summary, Summary { min: 2.0, median: 5.0 });
    }

    #[test]
    fn ratios_are_taken_within_a_round() {
        // A slow round hits both alike; the ratio of the medians would be another one.
        let ours = [1.0, 10.0, 2.0];
        let peer = [4.0, 40.0, 8.0];
        assert_eq!(median_ratio(&peer, &ours), 4.0);
        assert_eq!(median_difference(&peer, &ours), 6.0);
    }
}
