//! Handles that wait, and the many ways in which a claim and a batch end.

use super::Value;
use crate::oracle::{Content, Nothing};
use aqueduct_ring::{Access, Batch, Claim, ClaimError, Claims, Number, TakeError};
use aqueduct_testkit::Step;
use std::{
    mem,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::{Context, Poll, Wake, Waker},
};

/// A handle, and what it waits for, if it does.
pub(super) struct Seat<H, W> {
    pub(super) handle: Option<H>,
    pub(super) waits: Option<W>,
    bell: Arc<Bell>,
}

#[derive(Default)]
pub(super) struct Bell(AtomicBool);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Relaxed);
    }
}

impl<H, W> Seat<H, W> {
    pub(super) fn new(handle: H) -> Self {
        Self { handle: Some(handle), waits: None, bell: Arc::default() }
    }

    /// Polls once and gives up.
    pub(super) fn poll<R>(
        &mut self,
        waits: W,
        poll: impl FnOnce(&mut H, &mut Context<'_>) -> Poll<R>,
    ) -> Option<R> {
        self.bell.0.store(false, Relaxed);
        let waker = Waker::from(self.bell.clone());
        let handle = self.handle.as_mut().unwrap();
        let polled = poll(handle, &mut Context::from_waker(&waker));
        self.waits = polled.is_pending().then_some(waits);
        match polled {
            Poll::Ready(done) => Some(done),
            Poll::Pending => None,
        }
    }

    pub(super) fn was_woken(&self) -> bool {
        self.bell.0.load(Relaxed)
    }

    pub(super) fn drop_handle(&mut self, panicking: bool) {
        let handle = self.handle.take();
        self.waits = None;
        if panicking {
            in_a_panic(handle);
        }
    }
}

/// Drops it while the thread unwinds.
pub(super) fn in_a_panic<T>(held: T) {
    let caught = catch_unwind(AssertUnwindSafe(|| {
        let _held = held;
        resume_unwind(Box::new(()));
    }));
    assert!(caught.is_err());
}

pub(super) fn nothing(error: TakeError) -> Nothing {
    match error {
        TakeError::Empty => Nothing::Yet,
        TakeError::Closed(closed) => Nothing::Ever(closed.panicked()),
        other => panic!("{other}"),
    }
}

pub(super) fn no_room(error: ClaimError) -> Nothing {
    match error {
        ClaimError::Full => Nothing::Yet,
        ClaimError::Closed(closed) => Nothing::Ever(closed.panicked()),
        other => panic!("{other}"),
    }
}

/// What a claim found in its slots, what it left there, and how many it published, if it did not forget.
pub(super) type Claimed = (Result<Vec<Content>, Nothing>, Vec<Content>, Option<usize>);

pub(super) fn claimed<N: Number>(
    claims: Result<Claims<'_, Value, N>, ClaimError>,
    next: u64,
    publish: usize,
    step: Step,
) -> Claimed {
    let mut claims = match claims {
        Ok(claims) => claims,
        Err(error) => return (Err(no_room(error)), Vec::new(), None),
    };
    let found: Vec<_> = claims.iter_mut().map(|value| value.content).collect();
    assert_eq!((claims.len(), claims.is_empty()), (found.len(), found.is_empty()));
    // Some are not written to.
    for (value, number) in claims.iter_mut().take(usize::from(step.other >> 4)).zip(next..) {
        value.content = Content { value: number, marks: 0 };
    }
    let left = claims.iter_mut().map(|value| value.content).collect();
    let published = match step.other % 8 {
        0..5 => {
            claims.publish(publish);
            Some(publish)
        }
        5 => {
            drop(claims);
            Some(0)
        }
        6 => {
            mem::forget(claims);
            None
        }
        _ => {
            in_a_panic(claims);
            Some(0)
        }
    };
    (Ok(found), left, published)
}

/// The same of a single slot.
pub(super) fn one<N: Number>(
    claim: Result<Claim<'_, Value, N>, ClaimError>,
    next: u64,
    publish: usize,
    step: Step,
) -> Claimed {
    let mut claim = match claim {
        Ok(claim) => claim,
        Err(error) => return (Err(no_room(error)), Vec::new(), None),
    };
    let found = claim.content;
    claim.content = Content { value: next, marks: 0 };
    let left = claim.content;
    let published = match (publish, step.other % 8) {
        (_, 6) => {
            mem::forget(claim);
            None
        }
        (_, 7) => {
            in_a_panic(claim);
            Some(0)
        }
        (1, _) => {
            claim.publish();
            Some(1)
        }
        _ => {
            claim.abort();
            Some(0)
        }
    };
    (Ok(vec![found]), vec![left], published)
}

pub(super) fn ended<A: Access>(batch: Batch<'_, Value, A>, step: Step) {
    match step.other % 8 {
        0..6 => drop(batch),
        6 => mem::forget(batch),
        _ => in_a_panic(batch),
    }
}
