//! Owners whose destructors panic: each way in which that once broke a pipe.

use crate::common::{Wakes, flush, is_closed, now, once, paced};
use aqueduct_pipe::{FramedReader, FramedWriter, Framing, Options, Reader, pipe};
use aqueduct_sequence::{Prefix, Sequence};
use aqueduct_slice::Slice;
use aqueduct_testkit::panics;
use std::task::{Context, Poll};
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

fn bomb(bytes: &[u8]) -> Slice {
    Slice::from_owner(Bomb(bytes.to_vec()))
}

fn all(reader: &mut Reader) -> Vec<u8> {
    let Some(read) = reader.try_read().expect("no error") else { return Vec::new() };
    let view = read.into_view();
    let (bytes, len) = (view.seq().to_contiguous().into_owned(), view.len());
    view.consume(len);
    bytes
}

/// The next frame, if it is there.
fn next(reader: &mut FramedReader) -> Option<Vec<u8>> {
    match once(reader.next()) {
        Poll::Ready(Ok(Some(frame))) => Some(frame.as_ref().to_contiguous().into_owned()),
        Poll::Ready(other) => panic!("no frame: {other:?}"),
        Poll::Pending => None,
    }
}

#[test]
fn a_reader_whose_bytes_panic_when_dropped_is_gone_all_the_same() {
    let (mut writer, mut reader) = paced(64, 32);
    writer.push(bomb(&[1; 100])).unwrap();
    assert!(writer.try_flush().unwrap().is_none());
    assert!(reader.try_read().unwrap().is_some());
    assert!(panics(|| drop(reader)));
    assert!(is_closed(&writer.try_flush().expect_err("nobody reads any more")));
}

#[test]
fn unread_bytes_that_panic_when_dropped_do_not_hide_that_the_reader_is_gone() {
    let (mut writer, reader) = paced(64, 32);
    writer.push(bomb(&[1; 100])).unwrap();
    assert!(writer.try_flush().unwrap().is_none());
    assert!(panics(|| drop(reader)));
    assert!(is_closed(&writer.try_flush().expect_err("nobody reads any more")));
}

#[test]
fn a_writer_whose_bytes_panic_when_dropped_is_gone_all_the_same() {
    let (mut writer, mut reader) = paced(64, 32);
    writer.push(bomb(&[1; 100])).unwrap();
    assert!(panics(|| drop(writer)));
    assert!(is_closed(&reader.try_read().expect_err("nobody writes any more")));
}

#[test]
fn consuming_bytes_that_panic_when_dropped_keeps_the_books() {
    let (mut writer, mut reader) = paced(1000, 500);
    writer.push(bomb(&[1; 100])).unwrap();
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
fn what_is_rolled_back_and_panics_when_dropped_leaves_nothing_behind() {
    let (mut writer, mut reader) = pipe(Options::default());
    writer.push(bomb(&[1; 100])).unwrap();
    assert!(panics(|| writer.rollback()));
    assert_eq!(writer.unflushed(), 0);
    assert!(!flush(&mut writer, b"after"));
    assert_eq!(all(&mut reader), b"after");
}

#[test]
fn a_reader_waits_for_bytes_and_does_not_spin_after_a_rollback_that_panicked() {
    let (mut writer, mut reader) = pipe(Options::default());
    writer.push(bomb(&[1; 100])).unwrap();
    let _ = panics(|| writer.rollback());
    let _ = writer.try_flush();
    let (wakes, waker) = Wakes::new();
    let mut context = Context::from_waker(&waker);
    let _ = reader.poll_read(&mut context).map(drop);
    assert_eq!(wakes.count(), 0, "it wakes itself for bytes that are not there");
}

#[test]
fn a_lent_frame_that_panics_when_consumed_does_not_hide_the_next_one() {
    let (mut writer, reader) = pipe(Options::default());
    let mut reader = FramedReader::new(reader, Framing::delimited(b"\n", 1000).unwrap()).unwrap();
    writer.push(bomb(&[b'x'; 100])).unwrap();
    let _ = writer.try_flush().unwrap();
    assert!(once(reader.lend()).is_pending());
    assert!(!flush(&mut writer, b"\n"));
    assert_eq!(now(reader.lend()).unwrap().expect("a frame").len(), 100);
    assert!(panics(|| drop(once(reader.lend()))));
    assert!(!flush(&mut writer, b"a\nb\n"));
    assert_eq!(next(&mut reader).as_deref(), Some(&b"a"[..]));
    assert_eq!(next(&mut reader).as_deref(), Some(&b"b"[..]));
}

#[test]
fn a_prefix_that_panics_when_consumed_does_not_make_a_prefix_of_its_frame() {
    let (mut writer, reader) = pipe(Options::default());
    let framing = Framing::prefixed(Prefix::U8, 255).unwrap();
    let mut reader = FramedReader::new(reader, framing).unwrap();
    // A frame of 30 bytes and the next one's prefix in one segment, and its 40 bytes in another.
    let mut first = vec![30];
    first.extend([0; 30]);
    first.push(40);
    writer.push(bomb(&first)).unwrap();
    writer.push(vec![3; 40]).unwrap();
    writer.write(&[2, 8, 9]).unwrap();
    let _ = writer.try_flush().unwrap();
    assert_eq!(now(reader.lend()).unwrap().expect("a frame").len(), 30);
    // Whatever becomes of the frame whose prefix panics: what follows is never cut elsewhere.
    assert!(panics(|| drop(once(reader.next()))));
    let follows = next(&mut reader);
    let whole = [Some(vec![3; 40]), Some(vec![8, 9])];
    assert!(whole.contains(&follows), "this was no frame: {follows:?}");
}

#[test]
fn bytes_that_come_after_two_owners_panicked_are_not_lost() {
    let (mut writer, mut reader) = pipe(Options::default());
    for slice in [bomb(&[1; 100]), bomb(&[2; 100]), vec![3; 100].into(), vec![4; 100].into()] {
        writer.push(slice).unwrap();
    }
    let _ = writer.try_flush().unwrap();
    let view = reader.try_read().unwrap().unwrap().into_view();
    assert!(panics(|| {
        view.consume(200);
    }));
    writer.push(vec![5; 100]).unwrap();
    let _ = writer.try_flush().unwrap();
    let _ = panics(|| drop(reader.try_read()));
    assert_eq!(reader.stats().buffered, 300);
    assert_eq!(all(&mut reader).len(), 300);
}

#[test]
fn a_frame_whose_short_piece_panics_when_dropped_is_written_whole_or_not_at_all() {
    let (writer, reader) = pipe(Options::default());
    let framing = Framing::prefixed(Prefix::U8, 255).unwrap();
    let mut reader = FramedReader::new(reader, framing.clone()).unwrap();
    let mut writer = FramedWriter::new(writer, framing).unwrap();
    let mut frame = Sequence::from(bomb(&[1; 10]));
    frame.push(Slice::from(vec![1; 100]));
    assert!(panics(|| drop(writer.push(frame))));
    writer.write(b"after").unwrap();
    let _ = writer.try_flush().unwrap();
    let first = next(&mut reader).expect("a frame");
    let got = if first == [1; 110] { next(&mut reader).expect("a frame") } else { first };
    assert_eq!(got, b"after");
}
