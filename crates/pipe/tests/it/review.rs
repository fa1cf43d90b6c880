//! What a review found.

use crate::common::{Wakes, flush, is_closed, paced};
use aqueduct_pipe::{Blocking, Options, Read, pipe};
use aqueduct_slice::Slice;
use aqueduct_testkit::panics;
use std::io::Write;
use std::task::Context;
use std::thread;

/// An owner whose drop panics, once it is its turn.
struct Bomb(Vec<u8>);

impl AsRef<[u8]> for Bomb {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Bomb {
    fn drop(&mut self) {
        if !thread::panicking() {
            std::panic::resume_unwind(Box::new(()));
        }
    }
}

fn bomb() -> Slice {
    Slice::from_owner(Bomb(vec![1; 100]))
}

#[test]
fn a_reader_whose_bytes_panic_when_dropped_is_gone_all_the_same() {
    let (mut writer, mut reader) = paced(64, 32);
    writer.push(bomb()).unwrap();
    assert!(writer.try_flush().unwrap().is_none());
    assert!(reader.try_read().unwrap().is_some());
    assert!(panics(|| drop(reader)));
    assert!(is_closed(&writer.try_flush().expect_err("nobody reads any more")));
}

#[test]
fn unread_bytes_that_panic_when_dropped_do_not_hide_that_the_reader_is_gone() {
    let (mut writer, reader) = paced(64, 32);
    writer.push(bomb()).unwrap();
    assert!(writer.try_flush().unwrap().is_none());
    assert!(panics(|| drop(reader)));
    assert!(is_closed(&writer.try_flush().expect_err("nobody reads any more")));
}

#[test]
fn a_writer_whose_bytes_panic_when_dropped_is_gone_all_the_same() {
    let (mut writer, mut reader) = paced(64, 32);
    writer.push(bomb()).unwrap();
    assert!(panics(|| drop(writer)));
    assert!(is_closed(&reader.try_read().expect_err("nobody writes any more")));
}

#[test]
fn consuming_bytes_that_panic_when_dropped_keeps_the_books() {
    let (mut writer, mut reader) = paced(1000, 500);
    writer.push(bomb()).unwrap();
    writer.push(vec![2; 100]).unwrap();
    writer.try_flush().unwrap();
    let view = reader.try_read().unwrap().unwrap().into_view();
    assert!(panics(|| {
        view.consume(100);
    }));
    let left = reader.try_read().unwrap().unwrap().into_view();
    let left = left.len();
    assert_eq!(reader.stats().buffered, left as u64);
}

#[test]
fn a_wish_that_was_polled_and_given_up_for_another_read_does_not_stop_pacing() {
    let (mut writer, mut reader) = paced(64, 32);
    let (_, waker) = Wakes::new();
    let mut context = Context::from_waker(&waker);
    assert!(reader.poll_read_at_least(&mut context, 10_000).is_pending());
    assert!(!flush(&mut writer, &[1; 10])); // the reader wants more
    let Some(Read::Data(view)) = reader.try_read().unwrap() else { panic!("there is data") };
    view.consume(10); // and reads in another way
    assert!(flush(&mut writer, &[1; 64]), "the reader has enough");
}

#[test]
fn a_std_writer_waits_for_room_under_a_limit() {
    let options = Options::builder().pause(4096).max_buffered(8192).build().unwrap();
    let (writer, reader) = pipe(options);
    let reading =
        thread::spawn(move || std::io::copy(&mut Blocking(reader), &mut std::io::sink()).unwrap());
    let mut writer = Blocking(writer);
    for _ in 0..100 {
        writer.write_all(&[7; 8000]).expect("it sleeps while the reader has enough");
    }
    writer.write_all(&[7; 10_000]).expect("it may write less at once");
    writer.0.finish();
    assert_eq!(reading.join().unwrap(), 810_000);
}

#[test]
fn a_slot_is_no_longer_than_the_limit_allows() {
    let options = Options::builder().pause(100).max_buffered(500).build().unwrap();
    let (mut writer, _reader) = pipe(options);
    writer.write(&[1; 100]).unwrap();
    let slot = writer.reserve(1).unwrap();
    assert_eq!(slot.len(), 400);
    slot.commit(400);
    assert!(writer.reserve(1).is_err());
    assert_eq!(writer.unflushed(), 500);
}

#[test]
fn after_a_release_segments_start_small_again() {
    let (mut writer, _reader) = crate::common::small_segments(1 << 10, 64 << 10);
    let sizes: Vec<usize> = (0..5).map(|_| crate::common::fill(&mut writer, 1)).collect();
    assert!(sizes[4] > 4 * sizes[0]);
    let _ = writer.try_flush().unwrap();
    writer.release();
    assert_eq!(crate::common::fill(&mut writer, 1), sizes[0]);
}

#[test]
fn drained_hears_of_bytes_that_are_consumed_while_more_are_wanted() {
    let (mut writer, mut reader) = paced(0, 0);
    flush(&mut writer, &[1; 10]);
    reader.try_read().unwrap().unwrap().into_view().need_more(0);
    let (wakes, waker) = Wakes::new();
    assert!(writer.poll_drained(&mut Context::from_waker(&waker)).is_pending());
    let view = reader.read_at_least_blocking(10).unwrap().into_view();
    view.need_more(10);
    assert_eq!(wakes.count(), 1);
}

#[test]
fn a_slice_behind_an_open_segment_is_not_kept_when_consumed() {
    let slice = Slice::from(vec![7; 100]);
    let (mut writer, mut reader) = pipe(Options::default());
    writer.write(&[1; 10]).unwrap();
    writer.push(slice.clone()).unwrap();
    let _ = writer.try_flush().unwrap();
    reader.try_read().unwrap().unwrap().into_view().consume(110);
    assert!(slice.is_unique());
}
