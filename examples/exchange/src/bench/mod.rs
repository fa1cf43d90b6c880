//! `bench`: how fast orders go through.

use crate::{
    Accounts, Error, Exchange, Mode, Source, flow,
    generate::Generated,
    log::{Encoding, Folder, Fsync, Keeper, Options, Recovery},
    replay,
};
use example_common::command::cpu_time;
use indicatif::ProgressBar;
use std::{fs, path::PathBuf, time::Instant};

mod report;
mod watches;

pub use report::{Figures, Report};
pub use watches::Halves;
use watches::{Acknowledged, Latency};

/// Orders of a flow out of a seed.
const ORDERS: u64 = 1_000_000;
/// A seed's users have so much that hardly an order is refused.
const UNITS: u64 = 10_000;
/// How often each mode is measured, unless told otherwise.
pub const ROUNDS: u64 = 3;

/// What is run.
#[derive(Clone, Debug)]
pub enum Flow {
    /// The orders of a folder.
    Folder(PathBuf),
    /// Orders out of a seed.
    Seed(u64),
}

/// What is measured, and how.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The orders.
    pub flow: Flow,
    /// How they travel; none for both ways, in turns.
    pub mode: Option<Mode>,
    /// Whether on four threads.
    pub threads: bool,
    /// Whether there is a log, and when it is synced.
    pub log: Option<Fsync>,
    /// Where the log is written: a folder of this path is made, and removed.
    pub folder: PathBuf,
    /// Gives the allocations so far of the thread that orders come from, where the program counts them.
    pub allocations: fn() -> u64,
    /// How often each mode is measured, in turns.
    pub rounds: u64,
}

impl Settings {
    /// Runs the flow, each time twice: once with a clock at each order, and once for its time.
    ///
    /// # Errors
    ///
    /// Those of the flow's files, and of the log.
    pub fn bench(&self) -> Result<Report, Error> {
        match &self.flow {
            Flow::Folder(folder) => {
                // Read before the clock starts.
                let text = flow::text(folder)?;
                let orders = || flow::Orders::new(&text[..], folder);
                self.rounds(&|| flow::accounts(folder), &orders)
            }
            Flow::Seed(seed) => {
                let orders = || Ok(Generated::new(*seed, ORDERS));
                self.rounds(&|| Generated::accounts(UNITS), &orders)
            }
        }
    }

    fn rounds<S: Source>(
        &self,
        accounts: &dyn Fn() -> Result<Accounts, Error>,
        orders: &dyn Fn() -> Result<S, Error>,
    ) -> Result<Report, Error> {
        let modes = self.mode.map_or(vec![Mode::ZeroCopy, Mode::Copying], |mode| vec![mode]);
        let mut report = Report::new(self, modes);
        let bar = ProgressBar::new(self.rounds * report.modes.len() as u64);
        for _ in 0..self.rounds {
            for figures in &mut report.modes {
                self.watched(figures, accounts()?, &mut orders()?)?;
                self.timed(figures, accounts()?, orders()?)?;
                bar.inc(1);
            }
        }
        bar.finish_and_clear();
        Ok(report)
    }

    /// With a clock at each order.
    fn watched(
        &self,
        figures: &mut Figures,
        accounts: Accounts,
        orders: &mut impl Source,
    ) -> Result<(), Error> {
        let Figures { mode, orders: seen, matched, durable, .. } = figures;
        let log = self.keeper(*mode)?.map(|keeper| Acknowledged::new(keeper, durable));
        let parts = ((), log, Latency(matched));
        let mut exchange = Exchange::new(accounts, &[flow::MARKET], replay::ORDERS, parts);
        exchange.run(orders, *mode, self.threads)?;
        *seen = exchange.orders();
        self.close(exchange.with_log(()).1.map(|log| log.keeper))
    }

    /// For the time, and for what is copied and allocated in the second half.
    fn timed(
        &self,
        figures: &mut Figures,
        accounts: Accounts,
        orders: impl Source,
    ) -> Result<(), Error> {
        let parts = ((), self.keeper(figures.mode)?, ());
        let mut exchange = Exchange::new(accounts, &[flow::MARKET], replay::ORDERS, parts);
        let mut orders = Halves::new(orders, figures.orders / 2, self.allocations);
        let (begun, cpu) = (Instant::now(), cpu_time());
        exchange.run(&mut orders, figures.mode, self.threads)?;
        figures.wall.push(begun.elapsed());
        figures.cpu.push(cpu_time() - cpu);
        [figures.allocations, figures.copies, figures.bytes] = orders.each();
        self.close(exchange.with_log(()).1)
    }

    fn keeper(&self, mode: Mode) -> Result<Option<Keeper<Folder>>, Error> {
        let Some(fsync) = self.log else { return Ok(None) };
        let folder = Folder::open(&self.folder);
        let folder =
            folder.map_err(|error| Error::io(&self.folder.display().to_string(), error))?;
        let options = Options { fsync, encoding: Encoding::of(mode), ..Options::default() };
        Ok(Some(Keeper::new(Recovery::new(folder)?.log(options)?)))
    }

    /// Forgets the log, unless something is wrong with it.
    fn close(&self, keeper: Option<Keeper<Folder>>) -> Result<(), Error> {
        let Some(keeper) = keeper else { return Ok(()) };
        keeper.close()?;
        let removed = fs::remove_dir_all(&self.folder);
        removed.map_err(|error| Error::io(&self.folder.display().to_string(), error))
    }
}
