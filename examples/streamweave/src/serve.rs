//! `--metrics`: a run's counters over HTTP.

use crate::Metrics;
use example_common::NO_MORE;
use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

/// Bytes of a request at most.
const HEAD: usize = 4 << 10;
/// How long a client may take, since others wait.
const PATIENCE: Duration = Duration::from_secs(1);

/// Answers every request at an address with the metrics, until the process ends; says the address.
pub(crate) fn metrics(address: SocketAddr, metrics: Arc<Metrics>) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(address)?;
    let address = listener.local_addr()?;
    thread::Builder::new().name("weave-metrics".to_owned()).spawn(move || {
        for client in listener.incoming() {
            match client {
                // One that goes away in between has what it wanted.
                Ok(client) => _ = answer(client, &metrics),
                Err(_) => thread::sleep(NO_MORE),
            }
        }
    })?;
    Ok(address)
}

fn answer(mut client: TcpStream, metrics: &Metrics) -> io::Result<()> {
    let until = Instant::now() + PATIENCE;
    client.set_write_timeout(Some(PATIENCE))?;
    // The request is not looked at; it fits, or is cut off.
    let mut head = [0; HEAD];
    let mut filled = 0;
    while filled < head.len() && !head[..filled].ends_with(b"\r\n\r\n") {
        let left = until.saturating_duration_since(Instant::now());
        // A time that is over is an error, and ends it.
        client.set_read_timeout(Some(left))?;
        match client.read(&mut head[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let body = metrics.prometheus();
    write!(
        client,
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    )
}
