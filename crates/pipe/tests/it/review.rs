//! What a review found.

use crate::common::{Wakes, flush, paced};
use aqueduct_pipe::{Blocking, Options, Read, pipe};
use aqueduct_slice::Slice;
use std::io::Write;
use std::task::Context;
use std::thread;

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
