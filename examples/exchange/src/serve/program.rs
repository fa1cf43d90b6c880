//! The front as a program.

use super::{Desk, Options, serve};
use crate::{Error, Exchange, flow, generate::Generated, replay};
use clap::Args;
use std::{net::SocketAddr, path::PathBuf};
use web::Program;

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
}

impl Arguments {
    /// Serves until a signal ends it, and gives what is to be said then.
    ///
    /// # Errors
    ///
    /// Those of the balances; the system's.
    pub fn run(&self) -> Result<String, Error> {
        let accounts = match &self.balances {
            Some(folder) => flow::accounts(folder)?,
            None => Generated::accounts(UNITS)?,
        };
        let desk = Desk::new(&accounts, Options::default());
        let mut exchange = Exchange::new(accounts, &[flow::MARKET], replay::ORDERS, (desk, (), ()));
        let program = Program::listen("", self.listen);
        let program = program.map_err(|error| Error::io(&self.listen.to_string(), error))?;
        let (runtime, listener, mut ending) = program.into_parts();
        let stop = async move { ending.signal().await };
        let served = serve((&runtime, listener), &mut exchange, || u64::MAX, stop)?;
        let resting = exchange.matcher().book(0).map_or(0, |book| book.len());
        let summary = replay::Summary { tally: exchange.settlement().tally(), resting };
        Ok(format!("{summary} {served}"))
    }
}
