//! The command line.

use crate::{
    Address, Client, Listener, Mode, Options, Payload, Profile, Services,
    bench::{self, Request},
    serve,
};
use clap::{Parser, Subcommand};
use example_common::{Ending, command};
use std::{
    env,
    error::Error,
    io::{self, Write},
    process::{Command as Program, ExitCode},
    sync::Arc,
    time::Duration,
};
use tokio::runtime::Builder;

/// msgpack calls over ZeroMQ's protocol, in the clear and without authentication
#[derive(Debug, Parser)]
#[command(name = "uvrpc", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serves echo, len, fail and slow until it is interrupted
    Serve {
        /// Where clients connect: tcp://HOST:PORT or ipc://PATH
        #[arg(long, value_name = "ADDR", default_value = "tcp://127.0.0.1:5555")]
        listen: Address,
        /// With or without the copies of the document
        #[arg(long, value_enum, default_value_t)]
        mode: Mode,
        /// How much is done at once, and how much may wait
        #[arg(long, value_enum, default_value_t)]
        profile: Profile,
    },
    /// Calls once, and writes the reply's data as it is
    ///
    /// Ends with 0 if the status is; otherwise the status is said on standard error.
    Call {
        /// Where the server listens
        #[arg(value_name = "ADDR")]
        address: Address,
        /// Who is called
        service: String,
        /// What for
        method: String,
        /// The data, as it is
        data: String,
        /// How long the reply is waited for, in milliseconds
        #[arg(long, value_name = "MS", default_value_t = 5000)]
        timeout: u64,
    },
    /// Says how fast calls are and what one costs, beside an echo through libzmq where one is there
    Bench(Request),
    /// Is the server of a bench
    #[command(hide = true)]
    BenchServer {
        #[arg(long, value_enum)]
        mode: Mode,
        #[arg(long, value_enum)]
        profile: Profile,
    },
}

/// Runs the command line of this process. `allocations` gives those that the calling thread made so far.
#[must_use]
pub fn main(allocations: fn() -> u64) -> ExitCode {
    command::end("uvrpc", run(Cli::parse().command, allocations))
}

type Failure = Box<dyn Error>;

/// Does it, and gives what is to be said at the end.
fn run(command: Command, allocations: fn() -> u64) -> Result<String, Failure> {
    let runtime = || Builder::new_current_thread().enable_all().build();
    match command {
        Command::Serve { listen, mode, profile } => runtime()?.block_on(async {
            let mut ending = Ending::catch()?;
            let listener = Listener::bind(&listen).await.map_err(|e| format!("{listen}: {e}"))?;
            // Who reads may stop reading.
            let _ = writeln!(io::stdout(), "listening on {}", listener.address()?);
            let options = Options { mode, profile, ..Options::default() };
            serve(listener, Arc::new(Services::demo()), options, ending.come()).await;
            Ok(String::new())
        }),
        Command::Call { address, service, method, data, timeout } => runtime()?.block_on(async {
            let timeout = Duration::from_millis(timeout);
            let client = Client::connect(address, Options { timeout, ..Options::default() });
            let data = Payload::from(data.into_bytes());
            let reply = client.call(&service, &method, data).await?;
            let mut out = io::stdout().lock();
            for piece in reply.data.iter().flat_map(Payload::pieces) {
                out.write_all(piece)?;
            }
            out.flush()?;
            if reply.is_ok() {
                return Ok(String::new());
            }
            let why = reply.error.as_deref().unwrap_or("no reason given");
            Err(format!("status {}: {why}", reply.status).into())
        }),
        Command::Bench(request) => {
            let (mode, profile) = (request.mode, request.profile);
            let mut server = Program::new(env::current_exe()?);
            server.args(["bench-server", "--mode", &command::name(mode)]);
            server.args(["--profile", &command::name(profile)]);
            let figures = bench::run(&request, server, allocations)?;
            Ok(format!("{figures}\n"))
        }
        Command::BenchServer { mode, profile } => {
            bench::serve_here(Options { mode, profile, ..Options::default() }, allocations)?;
            Ok(String::new())
        }
    }
}
