//! Aqueduct together with other crates: each recipe shows by address, and by the meter, what is copied.
#![allow(clippy::disallowed_methods, reason = "tests copy to compare; nothing is measured here")]
#![allow(missing_docs, unreachable_pub, reason = "a test binary")]

mod archive;
mod codec;
mod columns;
mod completion;
mod features;
mod http;
mod page;
mod protobuf;
mod received;
mod typed;

use aqueduct::{
    Slice,
    meter::{self, Counts},
};
use aqueduct_testkit::{CountingAlloc, Tally, pattern};

#[global_allocator]
static ALLOC: CountingAlloc = CountingAlloc;

/// What the calling thread copied while `f` ran.
fn spent<R>(f: impl FnOnce() -> R) -> (R, Counts) {
    let before = meter::thread();
    let result = f();
    (result, meter::thread() - before)
}

/// What the calling thread allocated while `f` ran.
fn allocated<R>(f: impl FnOnce() -> R) -> (R, Tally) {
    let before = CountingAlloc::thread();
    let result = f();
    (result, CountingAlloc::thread() - before)
}

/// A slice on a heap block whose bytes tell which it is.
fn numbered(len: usize) -> Slice {
    pattern(len, len).into()
}

/// Whether `part` lies where `whole` does.
fn lies_in(part: &[u8], whole: &[u8]) -> bool {
    let (part, whole) = (part.as_ptr_range(), whole.as_ptr_range());
    whole.start <= part.start && part.end <= whole.end
}
