//! The clock of a run: counts operations, times them in groups, and says when to stop.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

/// The longest time that is told apart from longer ones.
const LONGEST: Duration = Duration::from_secs(60);
/// How often a run tells how far it is.
const TELL: Duration = Duration::from_millis(100);

/// When a run ends.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Limit {
    /// At the end of the pass.
    Pass,
    Time(Duration),
    Operations(u64),
}

/// Told about ten times a second how much of a run is done, where that is known.
pub(crate) type Progress<'a> = dyn FnMut(Option<f64>) + 'a;

pub(crate) struct Run<'a> {
    limit: Limit,
    most: u64,
    together: u64,
    progress: &'a mut Progress<'a>,
    operations: u64,
    group_end: u64,
    times: Histogram<u64>,
    begun: Instant,
    group_begun: Instant,
    told: Instant,
}

impl<'a> Run<'a> {
    /// A run that times so many operations together; its clock starts now.
    pub(crate) fn new(limit: Limit, together: u64, progress: &'a mut Progress<'a>) -> Self {
        let longest = LONGEST.as_nanos() as u64;
        let most = if let Limit::Operations(n) = limit { n } else { u64::MAX };
        // Of fixed size, so that it never allocates in the middle of a run.
        let times = Histogram::new_with_bounds(1, longest, 3).expect("1 ns to 60 s are bounds");
        let now = Instant::now();
        Run {
            limit,
            most,
            together,
            progress,
            operations: 0,
            group_end: together,
            times,
            begun: now,
            group_begun: now,
            told: now,
        }
    }

    /// Sets the clock to zero: what came before was making ready.
    pub(crate) fn start(&mut self) {
        let now = Instant::now();
        (self.begun, self.group_begun, self.told) = (now, now, now);
    }

    /// One operation is done.
    #[inline]
    pub(crate) fn operation(&mut self) -> ControlFlow<()> {
        self.operations += 1;
        if self.operations < self.group_end && self.operations < self.most {
            return ControlFlow::Continue(());
        }
        self.end_group()
    }

    fn end_group(&mut self) -> ControlFlow<()> {
        let now = Instant::now();
        let complete = self.operations == self.group_end;
        // A group cut short counts only where it is all there is.
        if complete || self.times.is_empty() {
            let done = self.together - (self.group_end - self.operations);
            let taken = (now - self.group_begun).as_nanos() as u64 * self.together / done;
            self.times.saturating_record(taken);
        }
        self.group_begun = now;
        self.group_end = self.operations + self.together;
        let elapsed = now - self.begun;
        if now - self.told > TELL {
            self.told = now;
            (self.progress)(match self.limit {
                Limit::Pass => None,
                Limit::Time(all) => Some(elapsed.as_secs_f64() / all.as_secs_f64()),
                Limit::Operations(all) => Some(self.operations as f64 / all as f64),
            });
        }
        let over = self.operations >= self.most
            || matches!(self.limit, Limit::Time(all) if elapsed >= all);
        if over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    pub(crate) fn operations(&self) -> u64 {
        self.operations
    }

    /// Operations per second so far.
    pub(crate) fn throughput(&self) -> f64 {
        self.operations as f64 / self.begun.elapsed().as_secs_f64()
    }

    /// Nanoseconds per operation that this share of the groups did not exceed.
    pub(crate) fn quantile(&self, share: f64) -> f64 {
        self.times.value_at_quantile(share) as f64 / self.together as f64
    }
}
