//! Every byte arrives, whoever talks.

use aqueduct_testkit::{Random, pattern};
use patterns::relay::{Mode, Options, Xor};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use super::{MODES, Relayed, exactly, listener, pair, reset, rest, run, send, talk};

/// Clients who behave badly.
const BAD: u64 = 40;

/// Gives everybody back what they send, until they end.
async fn echo(target: TcpListener) {
    let mut connections = JoinSet::new();
    loop {
        let (mut socket, _) = target.accept().await.unwrap();
        connections.spawn(async move {
            let (mut from, mut to) = socket.split();
            // Who resets a connection does not want it back.
            if tokio::io::copy(&mut from, &mut to).await.is_ok() {
                to.shutdown().await.unwrap();
            }
        });
    }
}

/// Sends random bytes in random pieces, and gets them back; says how many they were.
async fn converse(mut socket: TcpStream, seed: u64) -> u64 {
    let mut random = Random::new(seed);
    let most = if random.one_in(20) { 300_000 } else { 12_000 };
    let count = random.below(most);
    let all: Vec<u8> = (0..count).map(|_| u8::try_from(random.below(256)).unwrap()).collect();
    let (mut from, mut to) = socket.split();
    let sending = async {
        let mut rest = &all[..];
        while !rest.is_empty() {
            let most = if random.one_in(3) { 20 } else { 30_000 };
            let (piece, behind) = rest.split_at((1 + random.below(most)).min(rest.len()));
            to.write_all(piece).await.unwrap();
            rest = behind;
            if random.one_in(4) {
                tokio::task::yield_now().await;
            }
        }
        to.shutdown().await.unwrap();
    };
    let mut got = Vec::new();
    let (_, read) = tokio::join!(sending, from.read_to_end(&mut got));
    read.unwrap();
    assert!(got == all, "{} bytes became {}", all.len(), got.len());
    all.len() as u64
}

/// Sends, and is gone without having read anything: at once, or when the others are done.
async fn misbehave(mut socket: TcpStream, at_once: bool) -> Option<TcpStream> {
    send(&mut socket, &pattern(200_000, 1)).await;
    if at_once {
        reset(socket);
        return None;
    }
    Some(socket)
}

/// A thousand, all connected before the first of them speaks, and some who behave badly.
fn a_thousand(mode: Mode) {
    run(async {
        let target = listener().await;
        let relay = Relayed::to(&target, mode);
        let echo = tokio::spawn(echo(target));
        let mut sockets = Vec::new();
        for _ in 0..1000 + BAD {
            sockets.push(relay.connect().await);
        }
        let mut bad = JoinSet::new();
        for (number, socket) in sockets.drain(1000..).enumerate() {
            bad.spawn(misbehave(socket, number % 2 == 0));
        }
        let mut random = Random::unlike_others();
        let mut clients = JoinSet::new();
        for socket in sockets {
            clients.spawn(converse(socket, random.seed()));
        }
        let bytes: u64 = clients.join_all().await.into_iter().sum();
        bad.join_all().await.into_iter().flatten().for_each(reset);
        let done = relay.stop();
        echo.abort();
        let totals = done.totals;
        assert_eq!((totals.connections, totals.aborted), (1000 + BAD, BAD));
        assert!(totals.to_target >= bytes && totals.to_clients >= bytes);
        match mode {
            // Chunks short enough to be kept in a handle are moved once more.
            Mode::Copying => assert!(done.copied >= 2 * totals.bytes(), "{}", done.copied),
            _ => assert_eq!(done.copied, 0),
        }
    });
}

#[test]
fn a_thousand_connections_copying() {
    a_thousand(Mode::Copying);
}

#[test]
fn a_thousand_connections_pipe() {
    a_thousand(Mode::Pipe);
}

#[test]
fn a_thousand_connections_splice() {
    a_thousand(Mode::Splice);
}

/// One side ends, and the other goes on: whichever is first.
#[test]
fn an_end_is_passed_on_in_its_direction_alone() {
    for mode in MODES {
        run(async {
            let target = listener().await;
            let relay = Relayed::to(&target, mode);
            for client_first in [true, false] {
                let (client, other) = pair(&relay, &target).await;
                let (mut first, mut second) =
                    if client_first { (client, other) } else { (other, client) };
                let (question, answer) = (pattern(100_000, 1), pattern(700_000, 2));
                let (_, asked) = tokio::join!(
                    async {
                        send(&mut first, &question).await;
                        first.shutdown().await.unwrap();
                    },
                    rest(&mut second)
                );
                assert!(asked == question, "{mode:?}");
                let (answered, _) = tokio::join!(rest(&mut first), async {
                    send(&mut second, &answer).await;
                    second.shutdown().await.unwrap();
                });
                assert!(answered == answer, "{mode:?}");
            }
            let totals = relay.stop().totals;
            assert_eq!((totals.connections, totals.aborted), (2, 0));
            assert_eq!((totals.to_target, totals.to_clients), (800_000, 800_000));
        });
    }
}

/// A connection of which nobody says anything.
#[test]
fn nothing_is_forwarded_as_nothing() {
    for mode in MODES {
        run(async {
            let target = listener().await;
            let relay = Relayed::to(&target, mode);
            let (mut client, mut other) = pair(&relay, &target).await;
            client.shutdown().await.unwrap();
            assert_eq!(rest(&mut other).await, b"");
            other.shutdown().await.unwrap();
            assert_eq!(rest(&mut client).await, b"");
            let totals = relay.stop().totals;
            assert_eq!((totals.connections, totals.aborted, totals.bytes()), (1, 0, 0));
        });
    }
}

#[test]
fn lines_are_counted_where_bytes_are_seen() {
    for mode in MODES {
        run(async {
            let target = listener().await;
            let relay = Relayed::to(&target, mode);
            let (mut client, mut other) = pair(&relay, &target).await;
            let text = b"a line\nand another\n\nand no end".repeat(1000);
            send(&mut client, &text).await;
            assert!(exactly(&mut other, text.len()).await == text);
            send(&mut other, b"\n").await;
            assert_eq!(exactly(&mut client, 1).await, b"\n");
            drop((client, other));
            assert_eq!(relay.stop().totals.lines, if mode.sees_bytes() { 3001 } else { 0 });
        });
    }
}

/// Each direction is what the other key says, and nothing moves for it where it is done in place.
#[test]
fn every_byte_is_transformed() {
    for (mode, copies) in [(Mode::Copying, 2), (Mode::Pipe, 0)] {
        run(async {
            let target = listener().await;
            let transform = Some(Xor(0x5a));
            let options = Options { transform, ..Options::new(target.local_addr().unwrap(), mode) };
            let relay = Relayed::new(options);
            let (mut client, mut other) = pair(&relay, &target).await;
            let said = [pattern(1, 1), pattern(500, 2), pattern(200_000, 3)];
            for bytes in &said {
                let want: Vec<u8> = bytes.iter().map(|byte| byte ^ 0x5a).collect();
                let (_, got) =
                    tokio::join!(send(&mut client, bytes), exactly(&mut other, bytes.len()));
                assert!(got == want, "{mode:?}");
                let (_, got) =
                    tokio::join!(send(&mut other, bytes), exactly(&mut client, bytes.len()));
                assert!(got == want, "{mode:?}");
            }
            drop((client, other));
            let done = relay.stop();
            assert_eq!(done.totals.bytes(), 2 * 200_501);
            // The single byte is short enough to be kept in a handle, and moved once more.
            let short = if copies > 0 { 2 } else { 0 };
            assert_eq!(done.copied, copies * done.totals.bytes() + short, "{mode:?}");
        });
    }
}

/// Whoever waits for the other to speak costs no block.
#[test]
fn no_block_is_held_while_idle() {
    for mode in MODES {
        run(async {
            let target = listener().await;
            let relay = Relayed::to(&target, mode);
            let mut pairs = Vec::new();
            for _ in 0..50 {
                pairs.push(pair(&relay, &target).await);
            }
            for _ in 0..2 {
                for (client, other) in &mut pairs {
                    talk(client, other).await;
                    send(client, &pattern(100_000, 7)).await;
                    exactly(other, 100_000).await;
                }
                relay.holds_none().await;
            }
            drop(pairs);
            relay.stop();
        });
    }
}
