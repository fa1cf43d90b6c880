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

pub(crate) fn own(watched: &Arc<Watched>) -> SliceMut {
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
