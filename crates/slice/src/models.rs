//! Loom models of the count. Each names its negative twins: the same model must fail with one of
//! them switched on.

use crate::Slice;
use loom::{cell::UnsafeCell, model, thread};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

/// What an owner guards: readers read it through their slices' existence, the destructor writes it.
/// Loom reports a read that is not ordered before the write.
#[derive(Default)]
pub(crate) struct Watched {
    memory: UnsafeCell<u32>,
    pub(crate) drops: AtomicUsize,
}

// SAFETY: in a model loom checks every access to `memory`, which is the point of it.
unsafe impl Send for Watched {}
// SAFETY: as above.
unsafe impl Sync for Watched {}

impl Watched {
    pub(crate) fn read(&self) -> u32 {
        // SAFETY: loom fails the model if this races.
        self.memory.with(|memory| unsafe { *memory })
    }

    pub(crate) fn write(&self) {
        // SAFETY: loom fails the model if this races.
        self.memory.with_mut(|memory| unsafe { *memory += 1 });
    }
}

struct Owner(Arc<Watched>);

impl AsRef<[u8]> for Owner {
    fn as_ref(&self) -> &[u8] {
        &[7; 32]
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.0.write();
        self.0.drops.fetch_add(1, Relaxed);
    }
}

fn watched() -> (Arc<Watched>, Slice) {
    let watched = Arc::new(Watched::default());
    let slice = Slice::from_owner(Owner(Arc::clone(&watched)));
    (watched, slice)
}

pub(crate) fn read_and_drop(watched: &Arc<Watched>, slice: Slice) -> thread::JoinHandle<()> {
    let watched = Arc::clone(watched);
    thread::spawn(move || {
        watched.read();
        drop(slice);
    })
}

// twin: drop_relaxed
// twin: last_drop_unfenced
// twin: unique_relaxed
#[test]
fn model_01_freed_once_after_the_last_read() {
    model(|| {
        let (watched, slice) = watched();
        let readers = [slice.clone(), slice.clone()].map(|s| read_and_drop(&watched, s));
        watched.read();
        drop(slice);
        readers.into_iter().for_each(|reader| reader.join().unwrap());
        assert_eq!(watched.drops.load(Relaxed), 1);
    });
}

// twin: drop_relaxed
// twin: last_drop_unfenced
#[test]
fn model_02_the_destructor_sees_every_write() {
    model(|| {
        let (watched, slice) = watched();
        let writers = [slice.clone()].map(|slice| {
            let watched = Arc::clone(&watched);
            thread::spawn(move || {
                watched.write();
                drop(slice);
            })
        });
        drop(slice);
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        assert_eq!((watched.read(), watched.drops.load(Relaxed)), (2, 1));
    });
}

// twin: acquire_torn
// twin: drop_relaxed
#[test]
fn model_03_promoted_from_unique_to_shared_by_two() {
    model(|| {
        let (watched, slice) = watched();
        let shared = loom::sync::Arc::new(slice);
        let cloners = [(); 2].map(|()| {
            let (watched, shared) = (Arc::clone(&watched), shared.clone());
            thread::spawn(move || {
                let mine = Slice::clone(&shared);
                drop(shared);
                watched.read();
                drop(mine);
            })
        });
        drop(shared);
        cloners.into_iter().for_each(|cloner| cloner.join().unwrap());
        assert_eq!(watched.drops.load(Relaxed), 1);
    });
}

// twin: unique_relaxed
#[test]
fn model_04_no_exclusive_form_while_shared() {
    model(|| {
        let (watched, mut slice) = watched();
        let clone = slice.clone();
        let reader = {
            let watched = Arc::clone(&watched);
            thread::spawn(move || {
                let second = clone.clone();
                drop(clone);
                watched.read();
                drop(second);
            })
        };
        // A foreign owner never becomes writable, but uniqueness is what allows it.
        if slice.is_unique() {
            watched.write();
        }
        slice.advance(1);
        reader.join().unwrap();
        assert!(slice.is_unique());
        assert_eq!(watched.drops.load(Relaxed), 0);
    });
}

/// The same for a block that does become writable: its bytes are plain memory that loom cannot
/// watch, but a `SliceMut` that comes too early finds the wrong bytes.
// twin: acquire_torn
#[test]
fn model_04_a_vec_is_written_again_by_the_last_handle_only() {
    model(|| {
        let slice = Slice::from(vec![1; 32]);
        let (left, right) = (slice.clone(), slice.clone());
        let reader = thread::spawn(move || {
            let again = left.clone();
            drop(left);
            assert_eq!(again, [1; 32]);
            drop(again);
        });
        let other = right.clone();
        drop(right);
        drop(other);
        match slice.try_into_mut() {
            Ok(mut buffer) => buffer.fill(2),
            Err(slice) => assert_eq!(slice, [1; 32]),
        }
        reader.join().unwrap();
    });
}
