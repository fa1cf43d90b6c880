//! Clients that do not read, and a pool that refuses.

use aqueduct::Pool;
use aqueduct_testkit::{all_but, pattern};
use patterns::relay::{Mode, Options};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{MODES, Relayed, exactly, listener, pair, resets::fill, rest, run, send, talk};

const CAP: usize = 128 << 10;

/// What the kernel takes is its own affair. Here no more is held than was said, and when they read after
/// all, no byte is lost.
#[test]
fn clients_that_never_read_bound_memory() {
    for mode in MODES {
        run(async {
            let target = listener().await;
            let options = Options::new(target.local_addr().unwrap(), mode);
            let relay = Relayed::new(Options { cap: CAP, ..options });
            let mut pairs = Vec::new();
            for _ in 0..3 {
                let (client, mut other) = pair(&relay, &target).await;
                let sent = fill(&mut other).await;
                assert!(sent > CAP);
                pairs.push((client, other, sent));
                // Blocks that are full, one that is being filled and one that is being emptied; each with
                // its header.
                let most = pairs.len() * (CAP + (130 << 10));
                let held = held(&relay);
                assert!(held <= most, "{held} of {most} bytes after {sent}");
                assert!(mode != Mode::Pipe || held >= pairs.len() * CAP);
            }
            for (mut client, mut other, sent) in pairs {
                // Nor is the other direction in the way.
                send(&mut client, b"I hear you not").await;
                assert_eq!(exactly(&mut other, 14).await, b"I hear you not");
                drop(other);
                let want = pattern(64 << 10, 0);
                let got = rest(&mut client).await;
                assert_eq!(got.len(), sent);
                assert!(got.chunks(want.len()).all(|chunk| want.starts_with(chunk)));
            }
            let totals = relay.stop().totals;
            assert_eq!((totals.connections, totals.aborted), (3, 0));
        });
    }
}

/// Bytes of the blocks that are in use.
fn held(relay: &Relayed) -> usize {
    let stats = relay.pool.stats();
    let bytes = stats.classes().iter().map(|class| class.outstanding * class.block_bytes as u64);
    usize::try_from(bytes.sum::<u64>()).unwrap()
}

/// Whoever needs the block that is refused is reset, and nobody takes what came before for all; others are
/// served.
#[test]
fn t02_a_relay_whose_pool_refuses_the_kth_block() {
    let bytes = pattern(100_000, 1);
    run(async {
        let target = listener().await;
        let pool = Pool::builder().largest_block(1 << 16).hard_limit(400_000).build().unwrap();
        let options = Options::new(target.local_addr().unwrap(), Mode::Pipe);
        let relay = Relayed::with(Options { pool: pool.clone(), ..options });
        let mut cut_off = 0;
        for left in 0.. {
            let (mut client, mut other) = pair(&relay, &target).await;
            let held = all_but(left, || pool.try_get(1 << 10).ok());
            let saying = async {
                // Who is reset says no more, and is told so once.
                let said = client.write_all(&bytes).await;
                said.and(client.shutdown().await)
            };
            let mut heard = Vec::new();
            let (ended, said) = tokio::join!(other.read_to_end(&mut heard), saying);
            assert!(bytes.starts_with(&heard), "{left}");
            assert_eq!(ended.is_ok(), heard.len() == bytes.len(), "{left}: {}", heard.len());
            drop(held);
            cut_off += u64::from(ended.is_err());
            drop(other);
            let reset = said.is_err() || client.read(&mut [0]).await.is_err();
            assert_eq!(reset, ended.is_err(), "{left}");
            let (mut next, mut other) = pair(&relay, &target).await;
            talk(&mut next, &mut other).await;
            if ended.is_ok() {
                break;
            }
        }
        assert!(cut_off > 3, "{cut_off}");
        assert_eq!(relay.stop().totals.aborted, cut_off);
    });
}
