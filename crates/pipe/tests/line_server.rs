//! The line server of `examples/`, in a process of its own, under its load.
#![cfg(not(any(aqueduct_loom, aqueduct_shuttle)))]
#![allow(missing_docs, unreachable_pub, reason = "a test binary")]

#[path = "../examples/line_server/load.rs"]
mod load;
#[path = "../examples/line_server/server.rs"]
mod server;

use aqueduct_testkit::scale;
use load::{Target, affordable};
use std::{
    env,
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
};
use tokio::{net::TcpListener, runtime::Builder};

/// Set in the process that is the server.
const SERVER: &str = "AQUEDUCT_LINE_SERVER";
/// What a client that never reads may cost in the pool: of each of two pipes the pause, the segment
/// that went beyond it and an open one, with an eighth for what a block is larger.
const STALLED: u64 = 2 * 3 * server::PAUSE as u64 / 8 * 9;

/// Not a test of its own: the other process runs it, and nothing else.
#[test]
fn the_server() {
    if env::var_os(SERVER).is_none() {
        return;
    }
    affordable(11_000);
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let control = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, asked) = (listener.local_addr().unwrap(), control.local_addr().unwrap());
        println!("\nlistening {address} {asked}");
        server::serve(listener, control).await.unwrap();
    });
}

/// Ends the server with the test.
struct Other(Child);

impl Drop for Other {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

fn start() -> (Other, Target) {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "the_server", "--nocapture"]).env(SERVER, "1");
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
    let other = Other(child);
    let line = output.find_map(|line| line.unwrap().strip_prefix("listening ").map(str::to_owned));
    let line = line.expect("the server listens");
    let addresses: Vec<SocketAddr> = line.split(' ').map(|word| word.parse().unwrap()).collect();
    (other, Target { address: addresses[0], control: addresses[1] })
}

#[test]
fn answers_many_stays_small_and_holds_nothing_while_idle() {
    let (server, target) = start();
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let busy = affordable(1_000);
        let asked = target.ask(target.connect(busy).await.unwrap(), scale(10)).await.unwrap();
        assert!(asked.bytes > 10 * busy);
        let rest = target.settles(|now| now.outstanding == 0).await.unwrap();
        assert_eq!((rest.connections, rest.outstanding), (busy, 0), "all idle");

        // Clients that never read: each as small as its pauses, however much it would send.
        let mut stalled = Vec::new();
        for _ in 0..3 {
            stalled.push(target.stall().await.unwrap());
        }
        let many = stalled.len() as u64;
        assert!(stalled.iter().all(|(_, sent)| *sent > 4 * server::PAUSE), "it took what fits");
        let held = target.status().await.unwrap();
        assert!(held.outstanding > 0, "something waits to be sent");
        assert!(held.held <= rest.held + many * STALLED, "{rest:?} {held:?}");
        let grown = held.resident.saturating_sub(rest.resident);
        assert!(grown < 4 << 20, "{rest:?} {held:?}");
        // And the others are answered meanwhile.
        drop(target.ask(asked.sockets, scale(10)).await.unwrap());
        let after = target.settles(|now| now.connections == 3).await.unwrap();
        assert!(after.outstanding <= held.outstanding, "{held:?} {after:?}");
        drop(stalled);
        let after = target.settles(|now| now.connections == 0).await.unwrap();
        assert_eq!((after.connections, after.outstanding), (0, 0));

        let idle = affordable(10_000);
        let asked = target.ask(target.connect(idle).await.unwrap(), 1).await.unwrap();
        let now = target.settles(|now| now.outstanding == 0).await.unwrap();
        assert_eq!((now.connections, now.outstanding), (idle, 0));
        assert_eq!(asked.sockets.len(), idle);
    });
    drop(server);
}
