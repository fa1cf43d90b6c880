//! The command line of the port: see the README.

#![forbid(unsafe_code)]

use clap::{Parser, Subcommand};
use std::{
    error::Error,
    io::{self, Write},
    net::SocketAddr,
    process::ExitCode,
    sync::Arc,
    thread,
    time::Duration,
};
use tokio::{net::TcpListener, runtime::Builder, signal, sync::watch};
use web::{Hook, Mode, Options, Request, Service, demo::demo, serve};

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
    match run(listen, mode, threads, log) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("web: {error}");
            ExitCode::FAILURE
        }
    }
}

type Outcome = Result<(), Box<dyn Error + Send + Sync>>;

fn run(listen: SocketAddr, mode: Mode, threads: usize, log: bool) -> Outcome {
    let app = demo(mode)?;
    let app = if log { app.hook(Log) } else { app };
    let service = Arc::new(app.finish());
    // One listener, of which each thread has a handle: the system wakes one of those that wait.
    let listener = std::net::TcpListener::bind(listen)?;
    listener.set_nonblocking(true)?;
    println!("listening on http://{}", listener.local_addr()?);
    let (stop, stopped) = watch::channel(());
    let mut workers = Vec::new();
    for _ in 0..threads.max(1) {
        let (service, listener, mut stopped) =
            (Arc::clone(&service), listener.try_clone()?, stopped.clone());
        let options = Options { mode, ..Options::default() };
        workers.push(thread::spawn(move || worker(listener, service, options, &mut stopped)));
    }
    drop(listener);
    Builder::new_current_thread().enable_all().build()?.block_on(interrupted())?;
    drop(stop); // which is what they wait for
    for worker in workers {
        worker.join().map_err(|_| "a thread panicked")??;
    }
    Ok(())
}

/// Waits for the signals that end a program.
async fn interrupted() -> io::Result<()> {
    let mut terminated = signal::unix::signal(signal::unix::SignalKind::terminate())?;
    tokio::select! {
        done = signal::ctrl_c() => done,
        _ = terminated.recv() => Ok(()),
    }
}

fn worker(
    listener: std::net::TcpListener,
    service: Arc<impl Service>,
    options: Options,
    stopped: &mut watch::Receiver<()>,
) -> Outcome {
    Builder::new_current_thread().enable_all().build()?.block_on(async {
        let listener = TcpListener::from_std(listener)?;
        Ok(serve(listener, service, options, stopped.changed()).await?)
    })
}
