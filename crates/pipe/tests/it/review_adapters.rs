//! What a review found in the waits for the other half's end.

use crate::common::{Wakes, flush, once};
use aqueduct_pipe::{Options, Read, pipe};
use aqueduct_pool::Pool;
use std::task::Context;

#[test]
fn a_reader_that_waits_for_the_end_holds_no_block() {
    let pool = Pool::new();
    let (mut writer, mut reader) = pipe(Options::builder().pool(&pool).build().unwrap());
    assert!(!flush(&mut writer, b"a message"));
    let Some(Read::Data(view)) = reader.try_read().unwrap() else { panic!("there is data") };
    view.consume(9);
    assert!(once(reader.closed()).is_pending());
    writer.release();
    assert!(once(reader.closed()).is_pending());
    assert_eq!(pool.outstanding(), 0);
}

/// Both can be polled: `poll_read`, `poll_closed`. A half has room for one waker.
#[test]
fn a_poll_for_the_end_does_not_lose_the_wait_for_bytes() {
    let (mut writer, mut reader) = pipe(Options::default());
    let (wakes, waker) = Wakes::new();
    let mut context = Context::from_waker(&waker);
    assert!(reader.poll_read(&mut context).is_pending());
    assert!(reader.poll_closed(&mut context).is_pending());
    assert!(!flush(&mut writer, b"bytes"));
    assert_eq!(wakes.count(), 1, "nobody was woken");
}

#[test]
fn a_poll_for_the_readers_end_does_not_lose_the_wait_of_a_flush() {
    let (mut writer, mut reader) = crate::common::paced(64, 32);
    let (wakes, waker) = Wakes::new();
    let mut context = Context::from_waker(&waker);
    writer.write(&[1; 64]).unwrap();
    assert!(writer.poll_flush(&mut context).is_pending());
    assert!(writer.poll_closed(&mut context).is_pending());
    let Some(Read::Data(view)) = reader.try_read().unwrap() else { panic!("there is data") };
    view.consume(64);
    assert_eq!(wakes.count(), 1, "nobody was woken");
}
