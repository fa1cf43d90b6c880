//! A line server on the pipe, and its load.
//!
//! ```sh
//! cargo run --release -p aqueduct-pipe --example line_server             # both, in two processes
//! cargo run --release -p aqueduct-pipe --example line_server -- serve 127.0.0.1:7000 127.0.0.1:7001
//! cargo run --release -p aqueduct-pipe --example line_server -- load 127.0.0.1:7000 127.0.0.1:7001
//! ```
//!
//! The second address tells how the server is doing: connections, blocks of the pool in use, bytes
//! that the pool holds, bytes resident.
#![allow(missing_docs, unreachable_pub, reason = "an example")]

mod load;
mod server;

use load::{Target, affordable};
use std::{
    env, io,
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
};
use tokio::net::TcpListener;

const BUSY: usize = 1_000;
const LINES: usize = 100;
const IDLE: usize = 10_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match words[..] {
        ["serve", address, control] => runtime.block_on(serve(address, control))?,
        ["load", address, control] => {
            let target = Target { address: address.parse()?, control: control.parse()? };
            runtime.block_on(run(target))?;
        }
        [] => {
            let (mut child, target) = other_process()?;
            let done = runtime.block_on(run(target));
            child.kill()?;
            child.wait()?;
            done?;
        }
        _ => return Err("usage: line_server [serve ADDRESS CONTROL | load ADDRESS CONTROL]".into()),
    }
    Ok(())
}

async fn serve(address: &str, control: &str) -> io::Result<()> {
    affordable(IDLE + BUSY);
    let (listener, control) =
        (TcpListener::bind(address).await?, TcpListener::bind(control).await?);
    println!("listening {} {}", listener.local_addr()?, control.local_addr()?);
    server::serve(listener, control).await
}

fn other_process() -> Result<(Child, Target), Box<dyn std::error::Error>> {
    let mut command = Command::new(env::current_exe()?);
    command.args(["serve", "127.0.0.1:0", "127.0.0.1:0"]).stdout(Stdio::piped());
    let mut child = command.spawn()?;
    let output = child.stdout.take().ok_or("the server has no output")?;
    let addresses = BufReader::new(output).lines().map_while(Result::ok).find_map(|line| {
        let mut words = line.strip_prefix("listening ")?.split(' ').map(str::parse::<SocketAddr>);
        Some(Target { address: words.next()?.ok()?, control: words.next()?.ok()? })
    });
    Ok((child, addresses.ok_or("the server does not listen")?))
}

async fn run(target: Target) -> io::Result<()> {
    println!("at first:               {:?}", target.status().await?);

    let sockets = target.connect(affordable(BUSY)).await?;
    let asked = target.ask(sockets, LINES).await?;
    let (count, took) = (asked.sockets.len(), asked.took);
    let rate = (count * LINES) as f64 / took.as_secs_f64();
    println!(
        "{count} clients with {LINES} lines each, {} bytes: {took:?}, {rate:.0} lines/s",
        asked.bytes
    );
    println!("with all of them idle:  {:?}", target.settles(|now| now.outstanding == 0).await?);

    let (stalled, sent) = target.stall().await?;
    println!("one that never reads, after {sent} bytes: {:?}", target.status().await?);
    let asked = target.ask(asked.sockets, LINES).await?;
    println!("the others meanwhile, {:?}: {:?}", asked.took, target.status().await?);
    drop((stalled, asked));
    target.settles(|now| now.connections == 0).await?;

    let sockets = target.connect(affordable(IDLE)).await?;
    let asked = target.ask(sockets, 1).await?;
    let idle = target.settles(|now| now.outstanding == 0).await?;
    println!("{} idle connections that asked once: {idle:?}", asked.sockets.len());
    Ok(())
}
