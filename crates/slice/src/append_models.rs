//! Loom models of [`Appender`] and [`Published`](crate::Published), with their negative twins.

use crate::{
    AllocError, Appender, SliceMut,
    models::{Watched, read_and_drop},
    owner::{Extent, Header, Vtable},
};
use loom::{model, thread};
use std::{
    ptr::NonNull,
    sync::{Arc, atomic::Ordering::Relaxed},
};

/// A block whose release writes to what its users read.
#[repr(C)]
struct Own {
    header: Header,
    bytes: [u8; 256],
    watched: Arc<Watched>,
}

static OWN: Vtable = Vtable { release, extent, allocate };

fn own(watched: &Arc<Watched>) -> SliceMut {
    let header = Header::new(&OWN, std::ptr::null_mut(), 0);
    let own = Box::new(Own { header, bytes: [0; 256], watched: Arc::clone(watched) });
    let this = NonNull::from(Box::leak(own));
    let start = this.cast::<u8>().as_ptr().wrapping_add(std::mem::offset_of!(Own, bytes));
    // SAFETY: the block is ours, its bytes are initialised, and the count of one is the buffer's.
    unsafe { SliceMut::from_block(this.cast(), NonNull::new(start).unwrap(), 256) }
}

unsafe fn release(this: NonNull<Header>) {
    // SAFETY: made by `own`, and the caller owns it alone.
    let own = unsafe { Box::from_raw(this.cast::<Own>().as_ptr()) };
    own.watched.write();
    own.watched.drops.fetch_add(1, Relaxed);
}

unsafe fn extent(_: NonNull<Header>) -> Extent {
    Extent { start: std::ptr::null_mut(), len: 0, pinned: 256 }
}

unsafe fn allocate(_: NonNull<Header>, len: usize) -> Result<SliceMut, AllocError> {
    Err(AllocError::too_large(len))
}

// twin: publish_relaxed
// twin: published_relaxed
#[test]
fn model_17_a_reader_sees_only_what_was_written() {
    model(|| {
        let watched = Arc::new(Watched::default());
        let (mut appender, mut published) = Appender::new(own(&watched));
        let writer = {
            let watched = Arc::clone(&watched);
            thread::spawn(move || {
                watched.write(); // stands for the bytes
                appender.spare_mut()[..3].fill(7);
                appender.commit(3);
                appender.publish();
            })
        };
        let mut view = published.take(usize::MAX);
        published.extend(&mut view, usize::MAX);
        if !view.is_empty() {
            assert_eq!((watched.read(), &view[..]), (1, &[7; 3][..]));
        }
        writer.join().unwrap();
    });
}

// twin: sealed_only
#[test]
fn model_17_sealed_and_not_yet_seen_loses_nothing() {
    model(|| {
        let watched = Arc::new(Watched::default());
        let (mut appender, mut published) = Appender::new(own(&watched));
        let writer = thread::spawn(move || {
            for byte in [1, 2] {
                appender.spare_mut()[0] = byte;
                appender.commit(1);
                appender.publish();
            }
        });
        let mut view = published.take(usize::MAX);
        loop {
            published.extend(&mut view, usize::MAX);
            if published.is_over() {
                break;
            }
            thread::yield_now();
        }
        assert_eq!(view, [1, 2]);
        writer.join().unwrap();
    });
}

// twin: drop_relaxed
// twin: last_drop_unfenced
#[test]
fn model_17_the_block_waits_for_both_and_for_the_view() {
    model(|| {
        let watched = Arc::new(Watched::default());
        let (mut appender, mut published) = Appender::new(own(&watched));
        let writer = {
            let watched = Arc::clone(&watched);
            thread::spawn(move || {
                appender.commit(1);
                appender.publish();
                watched.read();
                drop(appender);
            })
        };
        let view = published.take(usize::MAX);
        let viewer = read_and_drop(&watched, view);
        watched.read();
        drop(published);
        writer.join().unwrap();
        viewer.join().unwrap();
        assert_eq!(watched.drops.load(Relaxed), 1);
    });
}

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
