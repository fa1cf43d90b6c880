//! The file server as a program.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use aqueduct::{Pool, meter};
use clap::Args;
use example_common::{Program, command};
use serde_json::json;
use web::Options;

use super::{Files, Way, with_ring};
use crate::Error;

/// The command line of `patterns serve`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The folder whose files are served, and those below it
    #[arg(long, value_name = "DIR")]
    root: PathBuf,
    /// Where clients connect; port 0 is any, and said
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8000")]
    listen: SocketAddr,
    /// How a file gets to the client
    #[arg(long, value_enum, default_value = "sendfile")]
    mode: Way,
    /// Threads, each with an accept loop of its own
    #[arg(long, value_name = "N", default_value_t = 1,
          value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: u16,
}

/// Serves until a signal ends it, and gives what is to be said then.
pub(crate) fn run(arguments: &Arguments) -> Result<String, Error> {
    let Arguments { root, listen, mode, threads } = arguments;
    let files = Files::new(root, *mode);
    let files = Arc::new(files.map_err(|error| Error::io(&root.display().to_string(), error))?);
    let options = Options::default();
    let served = Program::listen("http://", *listen).and_then(|program| {
        program.run((*threads).into(), async |listener, mut stopped| {
            let server =
                web::serve(listener, Arc::clone(&files), options.clone(), stopped.changed());
            with_ring(&options.pool, server).await?
        })
    });
    served.map_err(|error| Error::io(&listen.to_string(), error))?;
    let copied = meter::process();
    let said = json!({
        "mode": command::name(*mode),
        "cpu_ms": command::cpu_time().as_millis() as u64,
        "bytes_copied": copied.bytes,
        "copies": copied.copies,
        "blocks_outstanding": Pool::global().outstanding(),
    });
    Ok(format!("{said}\n"))
}
