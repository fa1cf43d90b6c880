//! The command line of the port: see the README.

#![forbid(unsafe_code)]

use clap::{Parser, Subcommand};
use example_common::{Program, command};
use std::{
    error::Error,
    io::{self, Write},
    net::SocketAddr,
    process::ExitCode,
    sync::Arc,
    time::Duration,
};
use web::{Hook, Mode, Options, Request, demo::demo, serve};

/// A small web framework on Aqueduct
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serves the demonstration application until it is interrupted
    Serve {
        /// Where clients connect
        #[arg(long, default_value = "127.0.0.1:8000")]
        listen: SocketAddr,
        /// With or without the copies of the document
        #[arg(long, value_enum, default_value_t)]
        mode: Mode,
        /// Threads, each with an accept loop of its own
        #[arg(long, default_value_t = 1)]
        threads: usize,
        /// Prints a line for each request
        #[arg(long)]
        log: bool,
    },
}

/// The example of a hook.
struct Log;

impl Hook for Log {
    fn after(&self, request: &Request<'_>, status: u16, took: Duration) {
        let (method, path) = (request.method, request.path);
        // Who reads it may be gone.
        let _ = writeln!(io::stdout(), "{method} {path} {status} {} us", took.as_micros());
    }
}

fn main() -> ExitCode {
    let Command::Serve { listen, mode, threads, log } = Arguments::parse().command;
    command::end("web", run(listen, mode, threads, log).map(|()| ""))
}

type Outcome = Result<(), Box<dyn Error + Send + Sync>>;

fn run(listen: SocketAddr, mode: Mode, threads: usize, log: bool) -> Outcome {
    let app = demo(mode)?;
    let app = if log { app.hook(Log) } else { app };
    let service = Arc::new(app.finish());
    Program::listen("http://", listen)?.run(threads, async |listener, mut stopped| {
        let options = Options { mode, ..Options::default() };
        serve(listener, Arc::clone(&service), options, stopped.changed()).await
    })?;
    Ok(())
}
