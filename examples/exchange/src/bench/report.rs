//! What is said of a measurement.

use super::Settings;
use crate::{Mode, log::Fsync};
use hdrhistogram::Histogram;
use std::{fmt, path::Path, time::Duration};

/// What came out for a mode.
#[derive(Clone, Debug)]
pub struct Figures {
    /// How orders travelled.
    pub mode: Mode,
    /// Orders of the flow.
    pub orders: u64,
    /// How long each round took.
    pub wall: Vec<Duration>,
    /// How much time of all cores.
    pub cpu: Vec<Duration>,
    /// From the claim of a slot to when what came of the order is published, in nanoseconds.
    pub matched: Histogram<u64>,
    /// From the claim of a slot to when the order is durable; empty without a log.
    pub durable: Histogram<u64>,
    /// For each order of the second half of the flow.
    pub allocations: f64,
    /// Copies of payload.
    pub copies: f64,
    /// And bytes copied.
    pub bytes: f64,
}

impl Figures {
    fn new(mode: Mode) -> Self {
        // Of fixed size, so that they never allocate in the middle of a run.
        let bounds = || Histogram::new_with_bounds(1, 60_000_000_000, 3);
        let [matched, durable] = [(); 2].map(|()| bounds().expect("1 ns to 60 s are bounds"));
        let [wall, cpu] = [const { Vec::new() }; 2];
        let [allocations, copies, bytes] = [0.0; 3];
        Self { mode, orders: 0, wall, cpu, matched, durable, allocations, copies, bytes }
    }
}

/// The middle one of some rounds, in seconds.
fn median(rounds: impl Iterator<Item = f64>) -> f64 {
    let mut rounds: Vec<f64> = rounds.collect();
    rounds.sort_by(f64::total_cmp);
    rounds.get(rounds.len() / 2).copied().unwrap_or_default()
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = if self.mode == Mode::Copying { "copying" } else { "zero-copy" };
        let orders = self.orders as f64;
        let rate = |times: &[Duration]| orders / median(times.iter().map(Duration::as_secs_f64));
        let (all, core) = (rate(&self.wall), rate(&self.cpu));
        writeln!(f, "{name}: {all:.0} orders/s, {core:.0} orders/s per core")?;
        let at = |share| self.matched.value_at_quantile(share);
        let (p50, p99, p999) = (at(0.5), at(0.99), at(0.999));
        writeln!(f, "  matched: p50 {p50} ns, p99 {p99} ns, p99.9 {p999} ns")?;
        if !self.durable.is_empty() {
            let [p50, p99] = [0.5, 0.99].map(|share| self.durable.value_at_quantile(share) / 1_000);
            writeln!(f, "  durable: p50 {p50} us, p99 {p99} us")?;
        }
        let Self { copies, bytes, allocations, .. } = self;
        write!(
            f,
            "  {copies:.2} copies, {bytes:.1} bytes copied and {allocations:.2} allocations per order"
        )
    }
}

/// What came out.
#[derive(Clone, Debug)]
pub struct Report {
    /// For each mode, zero-copy first.
    pub modes: Vec<Figures>,
    /// Where the log was, and how it was synced.
    log: String,
}

impl Report {
    pub(super) fn new(settings: &Settings, modes: Vec<Mode>) -> Self {
        let folder = settings.folder.display();
        let log = match settings.log {
            None => "no log".to_owned(),
            Some(fsync) => {
                let how = match fsync {
                    Fsync::Never => "never synced",
                    Fsync::Group { .. } => "synced in groups",
                    Fsync::Each => "synced with each order",
                };
                format!("log in {folder}, on {}, {how}", filesystem(&settings.folder))
            }
        };
        Self { modes: modes.into_iter().map(Figures::new).collect(), log }
    }
}

/// The name of the file system that a folder is to be on.
fn filesystem(folder: &Path) -> String {
    let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty());
    let Ok(system) = rustix::fs::statfs(parent.unwrap_or(Path::new("."))) else {
        return "an unknown file system".to_owned();
    };
    match system.f_type {
        0xef53 => "ext4".to_owned(),
        0x9123_683e => "btrfs".to_owned(),
        0x5846_5342 => "xfs".to_owned(),
        0x2fc1_2fc1 => "zfs".to_owned(),
        0x794c_7630 => "overlayfs".to_owned(),
        0x0102_1994 => "tmpfs, WHICH IS MEMORY: nothing is synced".to_owned(),
        other => format!("a file system of type {other:#x}"),
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let orders = self.modes.first().map_or(0, |figures| figures.orders);
        write!(f, "{orders} orders, {}", self.log)?;
        for figures in &self.modes {
            write!(f, "\n{figures}")?;
        }
        if let [first, second] = &self.modes[..] {
            let rounds = first.wall.iter().zip(&second.wall);
            let ratio = median(rounds.map(|(a, b)| b.as_secs_f64() / a.as_secs_f64()));
            write!(f, "\nzero-copy is {ratio:.2} times as fast as copying")?;
        }
        Ok(())
    }
}
