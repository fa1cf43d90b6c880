//! A wait for the end, beside others of the same half.

use crate::common::{Wakes, flush, paced};
use aqueduct_pipe::{Options, Read, pipe};
use std::task::Context;

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

/// A read that wanted more than a byte is polled no more, and another read has the bytes.
#[test]
fn who_reads_without_waiting_does_not_lose_the_wait_for_the_end() {
    for interrupted in [true, false] {
        let (mut writer, mut reader) = pipe(Options::default());
        let (wakes, waker) = Wakes::new();
        let mut context = Context::from_waker(&waker);
        assert!(reader.poll_read_at_least(&mut context, 54).is_pending());
        if interrupted {
            reader.interrupter().interrupt();
        } else {
            flush(&mut writer, b"bytes");
        }
        assert!(reader.poll_closed(&mut context).is_pending());
        let before = wakes.count();
        assert!(reader.try_read().unwrap().is_some());
        drop(writer);
        assert_eq!(wakes.count(), before + 1, "nobody was woken, interrupted: {interrupted}");
    }
}

#[test]
fn a_poll_for_the_readers_end_does_not_lose_the_wait_of_a_flush() {
    let (mut writer, mut reader) = paced(64, 32);
    let (wakes, waker) = Wakes::new();
    let mut context = Context::from_waker(&waker);
    writer.write(&[1; 64]).unwrap();
    assert!(writer.poll_flush(&mut context).is_pending());
    assert!(writer.poll_closed(&mut context).is_pending());
    let Some(Read::Data(view)) = reader.try_read().unwrap() else { panic!("there is data") };
    view.consume(64);
    assert_eq!(wakes.count(), 1, "nobody was woken");
}
