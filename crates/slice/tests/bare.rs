//! What is left without std; a build without that feature runs none of the other tests of this folder
//! that ask for it.
#![cfg(not(any(aqueduct_loom, aqueduct_shuttle)))]
#![allow(missing_docs, unreachable_pub, reason = "a test binary")]

use std::sync::Arc;
use std::thread;

use aqueduct_slice::{Appender, Slice, SliceMut, Str};
use aqueduct_testkit::pattern;

#[test]
fn owners_go_on_another_thread() {
    let owner: Arc<[u8]> = Arc::from(pattern(100, 1));
    let many: Vec<Slice> = (0..200).map(|_| Slice::from_owner(Arc::clone(&owner))).collect();
    let parts: Vec<Slice> = many.iter().map(|slice| slice.slice(9..90)).collect();
    drop(many);
    assert_eq!(Arc::strong_count(&owner), 201);
    thread::spawn(move || drop(parts)).join().expect("dropping does not panic");
    assert_eq!(Arc::strong_count(&owner), 1);
}

#[test]
fn filled_frozen_published_and_counted_on_one_thread() {
    let mut buffer = SliceMut::with_capacity(64);
    buffer.extend_from_slice(b"content-type: text/plain; charset=utf-8");
    let start = buffer.as_ptr();
    let line = Str::from_utf8(buffer.freeze()).expect("it is text");
    assert_eq!((line.slice(14..).as_ptr(), &line[14..24]), (start.wrapping_add(14), "text/plain"));
    let local = line.into_slice().into_local().expect("no other handle");
    let (first, second) = (local.slice(..30), local.clone());
    assert_eq!((first.as_ptr(), second.to_shared().as_ptr()), (start, start));

    let (mut appender, mut published) = Appender::new(SliceMut::with_capacity(100));
    let start = appender.spare_mut().as_ptr();
    appender.spare_mut()[..40].fill(b'x');
    appender.commit(40);
    appender.publish();
    let taken = published.take(100);
    assert_eq!((taken.as_ptr(), taken), (start, Slice::from(vec![b'x'; 40])));
}
