//! A front with a log that is killed under load, and started again.

use super::{ask, load::flow, program::Process, say, told};
use crate::record::{all, run};
use aqueduct_testkit::{Random, scale};
use exchange::{Mode, flow::MARKET, generate::Generated};
use rustix::process::Signal;
use std::{
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    thread,
};

/// Sends what is left of a flow, and reads answers until there are so many; then ends the other side, if it is
/// to be killed. Gives the last order that was acknowledged.
fn trade(socket: &TcpStream, left: &[u8], most: usize, kill: impl FnOnce()) -> u64 {
    thread::scope(|scope| {
        // Whoever is killed in the middle of it takes no more.
        scope.spawn(|| (&*socket).write_all(left));
        let (mut frame, mut last, mut answers) = ([0; 64], 0, 0);
        while answers < most && (&*socket).read_exact(&mut frame).is_ok() {
            if frame[2] == 0x81 {
                let seq = u64::from_le_bytes(frame[24..32].try_into().unwrap());
                assert!(seq > last, "in order, and all of them are taken");
                (last, answers) = (seq, answers + 1);
            }
        }
        kill();
        last
    })
}

/// The orders that it has taken: what a depth says.
pub fn taken(socket: &mut TcpStream) -> u64 {
    say(socket, &[ask(5, 1)]);
    loop {
        let ([what, _, _, is_last], words) = told(socket);
        if what == 0x84 && is_last == 1 {
            return words[6];
        }
    }
}

#[test]
fn crash_of_a_front_loses_nothing_that_it_acknowledged() {
    let mut random = Random::new(3);
    let orders = 2_000;
    let frames = flow(orders);
    for round in 0..scale(1).max(3) {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("serve-killed-{}-{round}", std::process::id()));
        let log = folder.to_str().unwrap();
        let options = ["--log", log, "--fsync", ["group", "each", "group"][round % 3]];
        let (mut from, mut kills) = (0, 0);
        loop {
            let process = Process::start(&options);
            let mut socket = TcpStream::connect(process.address).unwrap();
            let found = taken(&mut socket);
            assert!(found >= from, "{found} of {from} that were acknowledged");
            let left = &frames[64 * usize::try_from(found).unwrap()..];
            if kills == 3 {
                trade(&socket, left, left.len() / 64, || ());
                drop(socket);
                let said = process.end(Signal::TERM);
                assert!(said.starts_with(&summary(orders)), "{said} for {}", summary(orders));
                break;
            }
            let most = random.below(left.len() / 64 / 2 + 1);
            let last = trade(&socket, left, most, || drop(process));
            (from, kills) = (last.max(found), kills + 1);
        }
        // A start from the snapshot that the end left.
        let process = Process::start(&options);
        assert_eq!(taken(&mut TcpStream::connect(process.address).unwrap()), orders);
        assert!(process.end(Signal::TERM).starts_with(&summary(orders)));
        std::fs::remove_dir_all(folder).unwrap();
    }
}

/// What it says in the end, had nobody killed it.
fn summary(orders: u64) -> String {
    let (accounts, all) = (Generated::accounts(10_000).unwrap(), all(Generated::new(7, orders)));
    let lines = run(accounts, &[MARKET], &all, (Mode::ZeroCopy, false));
    let count = |what: &str| lines.iter().filter(|line| line.starts_with(what)).count();
    let [trades, accepted, rejected, resting] =
        ["trade", "accepted", "refused Place", "rests"].map(count);
    format!("trades={trades} accepted={accepted} rejected={rejected} resting={resting} ")
}
