//! Clients that do not read.

use aqueduct_testkit::pattern;
use patterns::relay::{Mode, Options};

use super::{MODES, Relayed, exactly, listener, pair, resets::fill, rest, run, send};

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
