//! Loom models of blocks that are given back and written again, with their negative twins.

use crate::{Appender, append_models::own, models::Watched};
use loom::{model, thread};
use std::sync::Arc;

/// A writer that goes on from the front of a block, while what was read of it is dropped elsewhere.
///
/// What is dropped is dropped here: loom tries what runs first in the first place, and does not find
/// out by itself that a load of the count might come after the drop, which begins with one.
// twin: return_relaxed
// twin: returned_relaxed
// twin: unique_relaxed
// twin: drop_relaxed
// twin: returned_while_shown
#[test]
fn model_17_a_block_is_renewed_when_all_that_read_it_are_done() {
    model(|| {
        let watched = Arc::new(Watched::default());
        let (mut appender, mut published) = Appender::new(own(&watched));
        watched.write(); // stands for the bytes
        appender.commit(1);
        appender.publish();
        let view = published.take(1);
        let reader = {
            let watched = Arc::clone(&watched);
            thread::spawn(move || {
                published.give_back(None);
                let next = published.take(1);
                if !next.is_empty() {
                    assert_eq!((watched.read(), &next[..]), (2, &[2][..]));
                }
            })
        };
        let writer = {
            let watched = Arc::clone(&watched);
            thread::spawn(move || {
                if appender.renew() {
                    watched.write();
                    appender.spare_mut()[0] = 2;
                    appender.commit(1);
                    appender.publish();
                }
            })
        };
        watched.read();
        drop(view);
        reader.join().unwrap();
        writer.join().unwrap();
    });
}

// twin: rounds_alike
// twin: sealed_only
#[test]
fn model_17_round_after_round_loses_nothing() {
    model(|| {
        let watched = Arc::new(Watched::default());
        let (mut appender, mut published) = Appender::new(own(&watched));
        let writer = thread::spawn(move || {
            for byte in [1, 2] {
                appender.renew();
                appender.spare_mut()[0] = byte;
                appender.commit(1);
                appender.publish();
            }
        });
        let (mut bytes, mut view) = (Vec::new(), published.take(0));
        while !published.is_over() {
            published.extend(&mut view, 1);
            bytes.extend_from_slice(&view);
            published.give_back(Some(&mut view));
            thread::yield_now();
        }
        assert_eq!(bytes, [1, 2]);
        writer.join().unwrap();
    });
}

/// A clone that is made elsewhere counts while it is there, and its reads are done before the renewal.
// twin: unique_relaxed
// twin: drop_relaxed
#[test]
fn model_17_a_clone_made_elsewhere_holds_the_block() {
    model(|| {
        let watched = Arc::new(Watched::default());
        let (mut appender, mut published) = Appender::new(own(&watched));
        watched.write();
        appender.commit(1);
        appender.publish();
        let view = published.take(1);
        let reader = thread::spawn(move || published.give_back(None));
        let writer = {
            let watched = Arc::clone(&watched);
            thread::spawn(move || {
                if appender.renew() {
                    watched.write();
                }
            })
        };
        let again = view.clone();
        drop(view);
        watched.read();
        drop(again);
        reader.join().unwrap();
        writer.join().unwrap();
    });
}

/// The second round: what was given back in the first, of the same length, says nothing of it.
///
/// (The first is over before the threads start: loom does not find a second renewal by itself.)
// twin: rounds_alike
// twin: return_relaxed
// twin: returned_relaxed
// twin: unique_relaxed
// twin: drop_relaxed
#[test]
fn model_17_a_second_round_is_given_back_anew() {
    model(|| {
        let watched = Arc::new(Watched::default());
        let (mut appender, mut published) = Appender::new(own(&watched));
        appender.commit(1);
        appender.publish();
        drop(published.take(1));
        published.give_back(None);
        assert!(appender.renew());
        watched.write();
        appender.commit(1);
        appender.publish();
        let view = published.take(1);
        let reader = {
            let watched = Arc::clone(&watched);
            thread::spawn(move || {
                published.give_back(None);
                let next = published.take(1);
                if !next.is_empty() {
                    assert_eq!((watched.read(), &next[..]), (2, &[2][..]));
                }
            })
        };
        let writer = {
            let watched = Arc::clone(&watched);
            thread::spawn(move || {
                if appender.renew() {
                    watched.write();
                    appender.spare_mut()[0] = 2;
                    appender.commit(1);
                    appender.publish();
                }
            })
        };
        watched.read();
        drop(view);
        reader.join().unwrap();
        writer.join().unwrap();
    });
}

/// The last slice stays with the block, emptied; a clone of it is dropped elsewhere.
// twin: unique_relaxed
// twin: drop_relaxed
// twin: return_relaxed
// twin: returned_relaxed
#[test]
fn model_17_the_last_slice_goes_on_and_its_clone_does_not() {
    model(|| {
        let watched = Arc::new(Watched::default());
        let (mut appender, mut published) = Appender::new(own(&watched));
        watched.write();
        appender.commit(1);
        appender.publish();
        let mut view = published.take(1);
        let clone = view.clone();
        let reader = {
            let watched = Arc::clone(&watched);
            thread::spawn(move || {
                watched.read();
                published.give_back(Some(&mut view));
                assert!(view.is_empty());
                if published.extend(&mut view, 1) > 0 {
                    assert_eq!((watched.read(), &view[..]), (2, &[2][..]));
                }
            })
        };
        let writer = {
            let watched = Arc::clone(&watched);
            thread::spawn(move || {
                if appender.renew() {
                    watched.write();
                    appender.spare_mut()[0] = 2;
                    appender.commit(1);
                    appender.publish();
                }
            })
        };
        watched.read();
        drop(clone);
        reader.join().unwrap();
        writer.join().unwrap();
    });
}
