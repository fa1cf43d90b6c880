//! The front as a program.

use super::{Desk, IDLE, Options, serve};
use crate::{
    Accounts, Error, Exchange, cli, flow,
    generate::Generated,
    log::{self, Folder, Fsync, Keeper, Recovery},
    replay,
};
use clap::{Args, value_parser};
use example_common::Ending;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::{
    future::Future,
    io::{self, Write},
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    sync::atomic::Ordering,
    time::Duration,
};
use tokio::runtime::{Builder, Runtime};

/// Descriptors of the program that are no connections, and some to spare.
const SPARE: usize = 64;

/// What the users have where no folder says it, in whole units.
const UNITS: u64 = 10_000;

/// Takes orders over TCP until it is interrupted, as frames of 64 bytes or as lines of JSON
#[derive(Debug, Args)]
pub struct Arguments {
    /// Where clients connect; port 0 is any, and said
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8000")]
    listen: SocketAddr,
    /// The folder of `balances_init.csv`; without, users 1 to 100 have 10,000 units of each asset
    #[arg(long, value_name = "DIR")]
    balances: Option<PathBuf>,
    /// The folder of the log: it goes on where that ends, and answers what is durable there
    #[arg(long, value_name = "DIR")]
    log: Option<PathBuf>,
    /// When the log is synced
    #[arg(long, default_value = "group", value_parser = cli::parse_fsync(), requires = "log")]
    fsync: Fsync,
    /// Orders of a user that rest at most: another is refused. A log of another number is refused as a whole
    #[arg(long, value_name = "N", default_value_t = Accounts::MOST_RESTING)]
    most_resting: u32,
    /// Seconds after which a client that says nothing, and waits for no answer, is closed
    #[arg(long, value_name = "SECONDS", default_value_t = IDLE, value_parser = value_parser!(u64).range(1..))]
    idle: u64,
}

impl Arguments {
    /// Serves until a signal ends it, and gives what is to be said then.
    ///
    /// # Errors
    ///
    /// Those of the balances and of the log; the system's.
    pub fn run(&self) -> Result<String, Error> {
        let accounts = match &self.balances {
            Some(folder) => flow::accounts(folder)?,
            None => Generated::accounts(UNITS)?,
        };
        let accounts = accounts.with_most_resting(self.most_resting);
        let options = Options {
            connections: connections(),
            idle: Duration::from_secs(self.idle),
            ..Options::default()
        };
        let desk = Desk::new(&accounts, options);
        let mut exchange = Exchange::new(accounts, &[flow::MARKET], replay::ORDERS, (desk, (), ()));
        let Some(path) = &self.log else { return self.serve(&mut exchange, || u64::MAX) };
        let keeper = recover(&mut exchange, path, self.fsync)?;
        let durable = keeper.durable();
        let (mut exchange, ()) = exchange.with_log(keeper);
        let served = self.serve(&mut exchange, || durable.load(Ordering::Acquire));
        // The next start has nothing to read again.
        let kept = exchange.snapshot();
        let (_, keeper) = exchange.with_log(());
        keeper.close().and(kept)?;
        served
    }

    fn serve<G: crate::Log>(
        &self,
        exchange: &mut Exchange<Desk, G>,
        durable: impl Fn() -> u64,
    ) -> Result<String, Error> {
        let opened = self.open();
        let (runtime, listener, stop) =
            opened.map_err(|error| Error::io(&self.listen.to_string(), error))?;
        let served = serve((&runtime, listener), exchange, durable, stop)?;
        let resting = exchange.matcher().book(0).map_or(0, |book| book.len());
        let summary = replay::Summary { tally: exchange.settlement().tally(), resting };
        Ok(format!("{summary} {served}"))
    }

    /// Listens, and says where. The signals that end a program are caught from here on.
    fn open(&self) -> io::Result<(Runtime, TcpListener, impl Future<Output = ()> + use<>)> {
        let listener = example_common::listen(self.listen)?;
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let within = runtime.enter();
        let mut ending = Ending::catch()?;
        drop(within);
        let stop = async move { ending.come().await };
        // Who reads may stop reading.
        let _ = writeln!(io::stdout(), "listening on {}", listener.local_addr()?);
        Ok((runtime, listener, stop))
    }
}

/// Makes the exchange what it was when the log ended.
fn recover(
    exchange: &mut Exchange<Desk>,
    path: &Path,
    fsync: Fsync,
) -> Result<Keeper<Folder>, Error> {
    let folder = Folder::open(path);
    let folder = folder.map_err(|error| Error::io(&path.display().to_string(), error))?;
    let mut recovery = Recovery::new(folder)?.of(exchange.origin());
    exchange.recover(&mut recovery)?;
    Ok(Keeper::new(recovery.log(log::Options { fsync, ..log::Options::default() })?))
}

/// As many connections as there may be descriptors for, beside some for the log and the system: the limit is
/// raised as far as it may be.
fn connections() -> usize {
    let most = Options::default().connections;
    let limit = getrlimit(Resource::Nofile);
    // Or it is as it was.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
    let descriptors = getrlimit(Resource::Nofile).current;
    let there = descriptors.and_then(|count| usize::try_from(count).ok()).unwrap_or(usize::MAX);
    there.saturating_sub(SPARE).clamp(1, most)
}
