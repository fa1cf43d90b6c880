//! The axis of a plot, and figures as text.

use std::ops::{Range, RangeInclusive};

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};

/// Values beyond these bounds, or that are no numbers, are said in the tables only: no plot of
/// durations or of counts has use for them, and none is bent by a single one.
const PLOTTED: RangeInclusive<f64> = 1e-9..=1e15;

/// From here on, the greatest value over the least, an axis is logarithmic.
const SPREAD: f64 = 20.0;

/// Whether a plot has a place for the value.
fn plotted(value: f64) -> bool {
    value == 0.0 || PLOTTED.contains(&value)
}

/// A horizontal axis. Places on it are the values, or their decimal logarithms.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    logarithmic: bool,
    /// The places of its ends.
    from: f64,
    to: f64,
}

impl Axis {
    /// An axis for those of the values that can be plotted; none where there are none.
    ///
    /// It starts at zero, or is logarithmic where the spread needs it: not where there is a zero, or
    /// where differences from one value are what is shown.
    pub(super) fn of(values: impl IntoIterator<Item = f64>, from_zero: bool) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().filter(|value| plotted(*value)).collect();
        values.sort_by(f64::total_cmp);
        let (least, most) = (*values.first()?, *values.last()?);
        let logarithmic = !from_zero && least > 0.0 && most / least >= SPREAD;
        let (from, to) = if logarithmic {
            let margin = 0.04 * (most / least).log10();
            (least.log10() - margin, most.log10() + margin)
        } else {
            (0.0, if most > 0.0 { 1.05 * most } else { 1.0 })
        };
        Some(Self { logarithmic, from, to })
    }

    /// Whether equal distances on it are equal ratios.
    pub(super) fn is_logarithmic(&self) -> bool {
        self.logarithmic
    }

    /// Whether the value lies on it.
    pub(super) fn has(&self, value: f64) -> bool {
        plotted(value) && (self.from..=self.to).contains(&self.place(value))
    }

    fn place(&self, value: f64) -> f64 {
        if self.logarithmic { value.log10() } else { value }
    }

    fn value(&self, place: f64) -> f64 {
        if self.logarithmic { 10_f64.powf(place) } else { place }
    }

    /// The places of round values, about so many at most.
    fn ticks(&self, most: usize) -> Vec<f64> {
        #[expect(clippy::cast_precision_loss, reason = "a dozen ticks")]
        let rough = (self.to - self.from) / most.max(1) as f64;
        if self.logarithmic {
            let steps: [&[f64]; 3] = [&[1.0, 2.0, 5.0], &[1.0, 3.0], &[1.0]];
            let fine = steps.iter().map(|step| self.decades(1.0, step));
            let coarse = (2..).map(|step| self.decades(f64::from(step), &[1.0]));
            fine.chain(coarse).find(|ticks| ticks.len() <= most.max(1)).unwrap_or_default()
        } else {
            let decade = 10_f64.powf(rough.log10().floor());
            let steps = [1.0, 2.0, 5.0, 10.0].map(|round| round * decade);
            let step = steps.into_iter().find(|step| *step >= rough).unwrap_or(rough);
            (0..=most).map(|tick| tick_at(tick, step)).take_while(|tick| *tick <= self.to).collect()
        }
    }

    /// Every so many decades, the values that are these times a power of ten.
    fn decades(&self, every: f64, times: &[f64]) -> Vec<f64> {
        let mut ticks = Vec::new();
        let mut decade = (self.from / every).floor() * every;
        while decade <= self.to {
            ticks.extend(times.iter().map(|times| decade + times.log10()));
            decade += every;
        }
        ticks.retain(|tick| (self.from..=self.to).contains(tick));
        ticks
    }
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (left, right): (i32, i32)) -> i32 {
        let part = (self.place(*value) - self.from) / (self.to - self.from);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a pixel; what is beyond i32 stops there"
        )]
        let pixels = (f64::from(right - left) * part).round() as i32;
        left.saturating_add(pixels)
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        if hint.weight().allow_light_points() {
            return Vec::new();
        }
        self.ticks(hint.bold_points()).into_iter().map(|place| self.value(place)).collect()
    }

    fn range(&self) -> Range<f64> {
        self.value(self.from)..self.value(self.to)
    }
}

impl ValueFormatter<f64> for Axis {
    fn format_ext(&self, value: &f64) -> String {
        label(*value)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a dozen ticks")]
fn tick_at(tick: usize, step: f64) -> f64 {
    tick as f64 * step
}

/// A figure with as many digits as matter, thousands apart; a dash where there is none.
pub(super) fn figure(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        "\u{2013}".into()
    } else if size == 0.0 {
        "0".into()
    } else if !(1e-3..1e10).contains(&size) {
        format!("{value:.2e}")
    } else if size < 0.1 {
        format!("{value:.4}")
    } else if size < 99.995 {
        format!("{value:.2}")
    } else if size < 999.95 {
        format!("{value:.1}")
    } else {
        thousands(&format!("{value:.0}"))
    }
}

/// The label of a tick: a round value, without the digits that say nothing.
fn label(value: f64) -> String {
    // Long labels would run into each other.
    let text = if value < 1e5 { figure(value) } else { format!("{value:.2e}") };
    match text.split_once('e') {
        Some((digits, exponent)) => format!("{}e{exponent}", trimmed(digits)),
        None => trimmed(&text).to_owned(),
    }
}

fn trimmed(digits: &str) -> &str {
    if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits }
}

fn thousands(digits: &str) -> String {
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        let left = digits.len() - i;
        if left.is_multiple_of(3) && text.ends_with(|before: char| before.is_ascii_digit()) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_the_digits_that_matter() {
        for (value, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (0.000_012_3, "1.23e-5"),
            (0.0461, "0.0461"),
            (0.461, "0.46"),
            (4.5738, "4.57"),
            (99.999, "100.0"),
            (446.1, "446.1"),
            (999.99, "1,000"),
            (24_347_638.97, "24,347,639"),
            (-1234.0, "-1,234"),
            (-123_456.0, "-123,456"),
            (9_999_999_999.0, "9,999,999,999"),
            (1e300, "1.00e300"),
            (f64::NAN, "\u{2013}"),
            (f64::NEG_INFINITY, "\u{2013}"),
        ] {
            assert_eq!(figure(value), text, "{value}");
        }
        for (value, text) in [
            (0.5, "0.5"),
            (20.0, "20"),
            (100.0, "100"),
            (5e4, "50,000"),
            (1e-5, "1e-5"),
            (1.5e9, "1.5e9"),
        ] {
            assert_eq!(label(value), text, "{value}");
        }
    }

    fn labels(values: &[f64], most: usize) -> Vec<String> {
        let axis = Axis::of(values.iter().copied(), false).expect("values to plot");
        axis.ticks(most).into_iter().map(|tick| label(axis.value(tick))).collect()
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(labels(&[9.2, 21.9], 6), ["0", "5", "10", "15", "20"]);
        assert_eq!(labels(&[0.87, 1.73], 4), ["0", "0.5", "1", "1.5"]);
        assert_eq!(labels(&[2.4, 79.2], 8), ["5", "10", "20", "50"]);
        assert_eq!(labels(&[5.6, 6700.0], 5), ["10", "100", "1,000"]);
        assert_eq!(labels(&[0.0], 4), ["0", "0.5", "1"]);
    }

    #[test]
    fn an_axis_is_logarithmic_where_it_must_be() {
        let axis = |values: &[f64], from_zero| Axis::of(values.iter().copied(), from_zero);
        let logarithmic = |values: &[f64]| axis(values, false).expect("values").logarithmic;
        assert!(!logarithmic(&[1.0, 19.0]));
        assert!(logarithmic(&[1.0, 20.0]));
        assert!(!logarithmic(&[0.0, 1.0, 20.0]), "zero has no logarithm");
        assert!(!axis(&[1.0, 20.0], true).expect("values").logarithmic);
        assert!(axis(&[f64::NAN, f64::INFINITY, -1.0, 1e300], false).is_none());
        assert!(axis(&[], false).is_none());
    }

    #[test]
    fn every_axis_has_few_ticks_within_it() {
        let ends = [0.0, 1e-9, 3e-4, 0.7, 1.0, 9.99, 12.0, 1e6, 1e15];
        for low in ends {
            for high in ends {
                let axis = Axis::of([low, high], false).expect("both can be plotted");
                for most in [1, 4, 8] {
                    let ticks = axis.ticks(most);
                    assert!(ticks.len() <= most + 1, "{low} {high} {most}: {ticks:?}");
                    assert!(ticks.iter().all(|tick| (axis.from..=axis.to).contains(tick)));
                }
                assert!(!axis.ticks(4).is_empty(), "{low} {high}");
                assert!(axis.has(low) && axis.has(high));
            }
        }
    }
}
