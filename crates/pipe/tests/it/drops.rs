//! Futures that are dropped after any of their polls lose nothing.

use crate::common::{bytes, once, paced};
use aqueduct_pipe::{Flush, Read, Reader, Writer};
use aqueduct_testkit::pattern;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// Polls a future so often, and drops it.
fn polls<T>(future: impl Future<Output = T>, count: usize) -> Option<T> {
    let mut future = pin!(future);
    for _ in 0..count {
        if let Poll::Ready(done) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return Some(done);
        }
    }
    None
}

fn take_all(reader: &mut Reader, count: usize, least: usize, got: &mut Vec<u8>) -> bool {
    let read = if least == 1 { polls(reader.read(), count) } else { None };
    let read = match read {
        Some(read) => Some(read),
        None => polls(reader.read_at_least(least), count),
    };
    let Some(read) = read else { return false };
    let (view, last) = match read.unwrap() {
        Read::Eof(view) => (view, true),
        read => (read.into_view(), false),
    };
    got.extend(bytes(&view));
    let len = view.len();
    view.consume(len);
    last
}

#[test]
#[cfg_attr(miri, ignore = "too long")]
fn t19_whatever_is_dropped_after_whichever_poll_every_byte_arrives_once() {
    for count in 0..4 {
        for least in [1, 2, 50, 500] {
            let (writer, mut reader) = paced(40, 20);
            let mut writer = Some(writer);
            let (mut want, mut got) = (Vec::new(), Vec::new());
            for i in 0..200 {
                let part = pattern(i % 37, i);
                if let Some(writer) = &mut writer {
                    feed(writer, &part, count, i);
                    want.extend(part);
                }
                if i % 3 == 0 {
                    take_all(&mut reader, count, least, &mut got);
                }
            }
            let last = writer.take();
            last.into_iter().for_each(Writer::finish);
            while !take_all(&mut reader, 1, 1, &mut got) {}
            assert_eq!(got, want, "{count} polls, {least} bytes");
        }
    }
}

fn feed(writer: &mut Writer, part: &[u8], count: usize, i: usize) {
    writer.write(part).unwrap();
    if i.is_multiple_of(5) {
        writer.interrupter().interrupt();
    }
    let flushed = polls(writer.flush(), count);
    if let Some(flushed) = flushed {
        assert!(matches!(flushed, Ok(Flush::Done | Flush::Cancelled)));
    }
    drop(polls(writer.drained(), count));
    assert!(polls(writer.closed(), count).is_none());
}

#[test]
fn t19_lines_cut_at_every_byte_and_fed_a_byte_at_a_time() {
    let text = b"one\n\nthree, which is longer\nlast without an end";
    for cut in 0..=text.len() {
        let (mut writer, mut reader) = paced(0, 0);
        let mut lines = Vec::new();
        let parts: Vec<&[u8]> = match cut {
            0 => text.chunks(1).collect(),
            cut => vec![&text[..cut], &text[cut..]],
        };
        for part in parts {
            writer.write(part).unwrap();
            assert!(once(writer.flush()).is_ready());
            while let Ok(Some(Read::Data(mut view))) = reader.try_read() {
                match view.seq().find(b'\n') {
                    Some(end) => {
                        lines.push(view.take(end + 1).into_slice());
                        view.consume(0);
                    }
                    None => _ = view.need_more(0),
                }
            }
        }
        writer.finish();
        let Ok(Some(Read::Eof(view))) = reader.try_read() else { panic!("no end") };
        assert_eq!(lines, [&b"one\n"[..], b"\n", b"three, which is longer\n"]);
        assert_eq!(bytes(&view), b"last without an end");
    }
}
