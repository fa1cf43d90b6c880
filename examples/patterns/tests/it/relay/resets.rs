//! Those who end badly, and those beside them.

use std::{io::ErrorKind, time::Duration};

use aqueduct_testkit::pattern;
use tokio::{io::AsyncWriteExt, net::TcpStream, time::timeout};

use super::{MODES, PATIENCE, Relayed, exactly, is_reset, listener, pair, reset, run, send, talk};

/// In the middle of what it sends, and of what it is sent.
#[test]
fn a_reset_is_passed_on_and_harms_nobody_else() {
    for mode in MODES {
        run(async {
            let target = listener().await;
            let relay = Relayed::to(&target, mode);
            let mut others = Vec::new();
            for _ in 0..20 {
                others.push(pair(&relay, &target).await);
            }
            let bytes = pattern(300_000, 1);
            for round in 0..20 {
                let (mut client, mut other) = pair(&relay, &target).await;
                talk(&mut client, &mut other).await;
                let (mut bad, mut left) =
                    if round % 2 == 0 { (client, other) } else { (other, client) };
                send(&mut bad, &bytes[..5000 * round]).await;
                // Those beside it are in the middle of something, too.
                let (good, end) = &mut others[round];
                let (half, rest) = bytes.split_at(150_000);
                send(good, half).await;
                reset(bad);
                assert!(is_reset(&mut left).await, "{mode:?}: taken for an end");
                let (_, got) = tokio::join!(send(good, rest), exactly(end, bytes.len()));
                assert!(got == bytes, "{mode:?}");
            }
            for (client, other) in &mut others {
                talk(client, other).await;
            }
            drop(others);
            let totals = relay.stop().totals;
            assert_eq!((totals.connections, totals.aborted), (40, 20), "{mode:?}");
        });
    }
}

/// The one that is not read from, because the other does not read, is gone: both are let go of.
#[test]
fn a_reset_is_seen_of_who_is_not_read_from() {
    for mode in MODES {
        run(async {
            let target = listener().await;
            let relay = Relayed::to(&target, mode);
            let (mut client, mut other) = pair(&relay, &target).await;
            fill(&mut other).await;
            reset(other);
            relay.holds_none().await;
            assert!(is_reset(&mut client).await);
            assert_eq!(relay.stop().totals.aborted, 1);
        });
    }
}

/// Sends until nothing more is taken; says how much was.
pub(super) async fn fill(socket: &mut TcpStream) -> usize {
    let (bytes, mut sent) = (pattern(64 << 10, 0), 0);
    let stalls = Duration::from_millis(300);
    while let Ok(count) = timeout(stalls, socket.write(&bytes[sent % bytes.len()..])).await {
        sent += count.unwrap();
    }
    sent
}

/// Its clients are not kept waiting, nor told that it has nothing to say.
#[test]
fn a_target_that_is_not_there() {
    for mode in MODES {
        run(async {
            let target = listener().await;
            let relay = Relayed::to(&target, mode);
            drop(target);
            for _ in 0..3 {
                // Some hear of it before they know that they are connected.
                match TcpStream::connect(relay.address).await {
                    Ok(mut client) => assert!(is_reset(&mut client).await),
                    Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
                }
            }
            let totals = relay.stop().totals;
            assert_eq!((totals.connections, totals.unreachable), (0, 3));
        });
    }
}

/// Nobody new after the stop; who is connected goes on until it ends.
#[test]
fn the_stop_lets_connections_end() {
    for mode in MODES {
        run(async {
            let target = listener().await;
            let mut relay = Relayed::to(&target, mode);
            let (mut client, mut other) = pair(&relay, &target).await;
            talk(&mut client, &mut other).await;
            relay.serving.tell_to_stop();
            let refused = async {
                while TcpStream::connect(relay.address).await.is_ok() {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            };
            timeout(PATIENCE, refused).await.expect("it goes on listening");
            talk(&mut client, &mut other).await;
            assert!(!relay.serving.is_over());
            drop((client, other));
            let totals = relay.stop().totals;
            assert_eq!(totals.aborted, 0);
            assert!(totals.connections >= 1);
        });
    }
}

/// Not for ever: they are cut off, and not ended, when the grace is over.
#[test]
fn the_stop_does_not_wait_for_ever() {
    for mode in MODES {
        run(async {
            let target = listener().await;
            let grace = Duration::from_millis(100);
            let address = target.local_addr().unwrap();
            let options = super::Options { grace, ..super::Options::new(address, mode) };
            let mut relay = Relayed::new(options);
            let (mut client, mut other) = pair(&relay, &target).await;
            talk(&mut client, &mut other).await;
            relay.serving.tell_to_stop();
            assert!(is_reset(&mut client).await && is_reset(&mut other).await);
            assert_eq!(relay.stop().totals.aborted, 1);
        });
    }
}

#[test]
fn who_says_nothing_is_cut_off_where_that_is_wanted() {
    for mode in MODES {
        run(async {
            let target = listener().await;
            let idle = Some(Duration::from_millis(200));
            let address = target.local_addr().unwrap();
            let relay = Relayed::new(super::Options { idle, ..super::Options::new(address, mode) });
            let (mut client, mut other) = pair(&relay, &target).await;
            for _ in 0..8 {
                talk(&mut client, &mut other).await;
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            assert!(is_reset(&mut client).await);
            let told = other.write_all(b"x").await.map_err(|error| error.kind());
            assert!(is_reset(&mut other).await || told == Err(ErrorKind::ConnectionReset));
            assert_eq!(relay.stop().totals.aborted, 1);
        });
    }
}
