//! Targets as data: evaluated against a row's own figures, and rendered to text.

use std::fmt;

use crate::stats::{Summary, median_difference, median_ratio};

/// What one locked read-modify-write takes on the machine that the absolute targets were set on.
pub const REFERENCE_RMW_NS: f64 = 4.8;

/// What the scale is worth.
pub const SCALE: &str = "Targets in nanoseconds were set where one locked add takes 4.8 ns, and are scaled by \
     what it takes here: on another kind of processor, ratios to peers say more.";

/// One condition on a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// Our median is at most this many nanoseconds, scaled to the machine.
    Median(f64),
    /// Our best round is at most this many nanoseconds, scaled to the machine.
    Minimum(f64),
    /// Our median is at most this, in the row's own unit, on any machine.
    AtMost(f64),
    /// The peer takes at least this many times as long as we do.
    Faster(f64, &'static str),
    /// We take at most this many times as long as the peer.
    Within(f64, &'static str),
    /// We take at most this many nanoseconds, scaled to the machine, more than the floor.
    OverFloor(f64, &'static str),
}

/// All the conditions on a row; none where the row only informs.
#[derive(Clone, Copy, Debug)]
pub struct Target(pub &'static [Bound]);

/// The rounds of a row, as far as targets look at them.
pub trait Figures {
    /// Our rounds.
    fn ours(&self) -> &[f64];
    /// The rounds of a peer or of the floor, by name.
    fn other(&self, name: &str) -> Option<&[f64]>;
}

impl Target {
    /// Whether every condition holds; `rmw_ns` is what a locked add takes here.
    ///
    /// A condition on a peer that was not measured does not hold.
    pub fn met(&self, figures: &impl Figures, rmw_ns: f64) -> bool {
        self.0.iter().all(|bound| bound.met(figures, rmw_ns / REFERENCE_RMW_NS))
    }

    /// Where the conditions lie in the row's own unit, by its medians; [`met`](Self::met) looks at
    /// every round.
    pub fn limits(&self, figures: &impl Figures, rmw_ns: f64) -> Vec<f64> {
        let scale = rmw_ns / REFERENCE_RMW_NS;
        self.0.iter().filter_map(|bound| bound.limit(figures, scale)).collect()
    }
}

impl Bound {
    fn met(&self, figures: &impl Figures, scale: f64) -> bool {
        let ours = figures.ours();
        match *self {
            Bound::Median(ns) => Summary::of(ours).median <= ns * scale,
            Bound::Minimum(ns) => Summary::of(ours).min <= ns * scale,
            Bound::AtMost(most) => Summary::of(ours).median <= most,
            Bound::Faster(times, peer) => {
                figures.other(peer).is_some_and(|peer| median_ratio(peer, ours) >= times)
            }
            Bound::Within(times, peer) => {
                figures.other(peer).is_some_and(|peer| median_ratio(ours, peer) <= times)
            }
            Bound::OverFloor(ns, floor) => figures
                .other(floor)
                .is_some_and(|floor| median_difference(ours, floor) <= ns * scale),
        }
    }
}

impl Bound {
    /// Nothing where it is relative to a peer that was not measured.
    fn limit(&self, figures: &impl Figures, scale: f64) -> Option<f64> {
        let median = |name| figures.other(name).map(|rounds| Summary::of(rounds).median);
        match *self {
            Bound::Median(ns) | Bound::Minimum(ns) => Some(ns * scale),
            Bound::AtMost(most) => Some(most),
            Bound::Faster(times, peer) => median(peer).map(|ns| ns / times),
            Bound::Within(times, peer) => median(peer).map(|ns| ns * times),
            Bound::OverFloor(ns, floor) => median(floor).map(|floor| floor + ns * scale),
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Bound::Median(ns) => write!(f, "<= {ns} ns * rmw_ns / {REFERENCE_RMW_NS}"),
            Bound::Minimum(ns) => write!(f, "minimum <= {ns} ns * rmw_ns / {REFERENCE_RMW_NS}"),
            Bound::AtMost(most) => write!(f, "<= {most:.2}"),
            Bound::Faster(times, peer) => write!(f, ">= {times}x {peer}"),
            Bound::Within(times, peer) => write!(f, "<= {times}x of {peer}"),
            Bound::OverFloor(ns, floor) => {
                write!(f, "<= {floor} + {ns} ns * rmw_ns / {REFERENCE_RMW_NS}")
            }
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, bound) in self.0.iter().enumerate() {
            let comma = if i == 0 { "" } else { ", " };
            write!(f, "{comma}{bound}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Two(Vec<f64>, Vec<f64>);

    impl Figures for Two {
        fn ours(&self) -> &[f64] {
            &self.0
        }
        fn other(&self, name: &str) -> Option<&[f64]> {
            (name == "bytes").then_some(&self.1)
        }
    }

    const ROUNDS: [f64; 3] = [2.0, 3.0, 4.0];

    fn row() -> Two {
        Two(ROUNDS.to_vec(), ROUNDS.iter().map(|ns| ns * 8.0).collect())
    }

    #[test]
    fn absolute_bounds_scale_with_the_machine() {
        let target = Target(&[Bound::Median(3.0)]);
        assert!(target.met(&row(), 4.8));
        assert!(!target.met(&row(), 4.0), "a faster machine asks for less");
        assert!(target.met(&row(), 9.6));
        assert!(Target(&[Bound::Minimum(2.0)]).met(&row(), 4.8));
        assert!(!Target(&[Bound::Minimum(1.9)]).met(&row(), 4.8));
    }

    #[test]
    fn bounds_on_peers() {
        assert!(Target(&[Bound::Faster(8.0, "bytes")]).met(&row(), 4.8));
        assert!(!Target(&[Bound::Faster(8.1, "bytes")]).met(&row(), 4.8));
        assert!(Target(&[Bound::Within(0.125, "bytes")]).met(&row(), 4.8));
        assert!(!Target(&[Bound::Within(0.12, "bytes")]).met(&row(), 4.8));
        let over = Two(vec![15.0, 16.0], vec![1.0, 2.0]);
        assert!(Target(&[Bound::OverFloor(14.0, "bytes")]).met(&over, 4.8));
        assert!(!Target(&[Bound::OverFloor(13.0, "bytes")]).met(&over, 4.8));
    }

    #[test]
    fn limits_lie_where_the_medians_say() {
        let target = Target(&[
            Bound::Median(3.0),
            Bound::Minimum(2.0),
            Bound::AtMost(7.75),
            Bound::Faster(8.0, "bytes"),
            Bound::Within(0.5, "bytes"),
            Bound::OverFloor(1.0, "bytes"),
            Bound::Faster(2.0, "absent"),
        ]);
        assert_eq!(target.limits(&row(), 9.6), [6.0, 4.0, 7.75, 3.0, 12.0, 26.0]);
    }

    #[test]
    fn a_missing_peer_and_a_missed_part_both_miss() {
        assert!(!Target(&[Bound::Faster(1.0, "absent")]).met(&row(), 4.8));
        assert!(!Target(&[Bound::Median(3.0), Bound::Faster(9.0, "bytes")]).met(&row(), 4.8));
        assert!(Target(&[]).met(&row(), 4.8));
    }

    #[test]
    fn renders_as_the_design_writes_it() {
        let target = Target(&[Bound::Median(3.0), Bound::Faster(7.5, "bytes")]);
        assert_eq!(target.to_string(), "<= 3 ns * rmw_ns / 4.8, >= 7.5x bytes");
        assert_eq!(
            Target(&[Bound::Within(1.05, "arc-slice")]).to_string(),
            "<= 1.05x of arc-slice"
        );
        assert_eq!(
            Target(&[Bound::OverFloor(14.0, "Vec alone")]).to_string(),
            "<= Vec alone + 14 ns * rmw_ns / 4.8"
        );
    }
}
