//! Waits for frames that are given up.

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
};

use aqueduct_pipe::{
    FrameFault, FramedReader, FramedWriter, Framing, Options, Reader, Writer, pipe,
};
use aqueduct_sequence::Prefix;
use aqueduct_testkit::pattern;

use crate::common::once;

fn small() -> (Writer, Reader) {
    pipe(Options::builder().pause(64).resume(32).segments(64, 128).build().expect("sense"))
}

fn rules() -> [Framing; 4] {
    [
        Framing::prefixed(Prefix::U16Be, 1000).expect("a rule"),
        Framing::prefixed(Prefix::Leb128, 1000).expect("a rule"),
        Framing::delimited(b"--", 1000).expect("a rule"),
        Framing::fixed(150).expect("a rule"),
    ]
}

/// The stream of a few frames of this rule, and the frames.
fn stream(framing: &Framing) -> (Vec<u8>, Vec<Vec<u8>>) {
    let frames: Vec<Vec<u8>> = (0..3).map(|i| pattern(150, i)).collect();
    let (writer, reader) = pipe(Options::default());
    let mut writer = FramedWriter::new(writer, framing.clone()).expect("no limit");
    frames.iter().for_each(|frame| writer.write(frame).expect("it fits"));
    writer.finish();
    (super::machine::left(reader), frames)
}

#[test]
fn a_wait_that_is_dropped_after_every_byte_loses_nothing() {
    for framing in rules() {
        for lend in [false, true] {
            let (bytes, want) = stream(&framing);
            let (mut writer, reader) = small();
            let mut reader = FramedReader::new(reader, framing.clone()).expect("no limit");
            let mut got: Vec<Vec<u8>> = Vec::new();
            let mut rest = &bytes[..];
            while got.len() < want.len() {
                if let [byte, later @ ..] = rest {
                    writer.write(&[*byte]).expect("room");
                    // Nor does a flush that is dropped while it waits.
                    if let Poll::Ready(flushed) = once(writer.flush()) {
                        let _ = flushed.expect("the reader is there");
                    }
                    rest = later;
                }
                let polled = if lend {
                    once(reader.lend())
                        .map_ok(|frame| frame.map(|bytes| bytes.to_contiguous().into_owned()))
                } else {
                    once(reader.next())
                        .map_ok(|frame| frame.map(|frame| frame.into_slice().to_vec()))
                };
                if let Poll::Ready(frame) = polled {
                    got.push(frame.expect("sound").expect("no end yet"));
                } else {
                    assert!(!rest.is_empty(), "all is there");
                }
            }
            assert_eq!(got, want, "{framing:?}");
            writer.finish();
            assert!(reader.next_blocking().expect("sound").is_none());
        }
    }
}

#[test]
fn a_wait_that_is_dropped_lets_the_writer_pause_again() {
    let (mut writer, reader) = small();
    let framing = Framing::prefixed(Prefix::U16Be, 1000).expect("a rule");
    let mut reader = FramedReader::new(reader, framing).expect("no limit");
    writer.write(&1000_u16.to_be_bytes()).expect("room");
    assert!(once(writer.flush()).is_ready());
    assert!(once(reader.next()).is_pending(), "the rest is not there");
    writer.write(&[7; 100]).expect("room");
    assert!(once(writer.flush()).is_pending(), "nobody waits for it now");
    assert!(once(reader.next()).is_pending());
    let wait = reader.next();
    let mut wait = pin!(wait);
    assert!(wait.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    assert!(once(writer.flush()).is_ready(), "the reader waits for more than makes it pause");
    writer.write(&[7; 900]).expect("room");
    assert!(once(writer.flush()).is_pending(), "now it has enough");
    let Poll::Ready(frame) = wait.poll(&mut Context::from_waker(Waker::noop())) else {
        panic!("the frame is whole")
    };
    assert_eq!(frame.expect("sound").expect("a frame").len(), 1000);
    assert!(once(writer.flush()).is_ready());
}

#[test]
fn an_interrupt_ends_one_wait_and_loses_nothing() {
    let (mut writer, reader) = small();
    let framing = Framing::prefixed(Prefix::U8, 200).expect("a rule");
    let mut reader = FramedReader::new(reader, framing).expect("no limit");
    let interrupter = reader.reader().interrupter();
    for byte in b"\x02ab" {
        interrupter.interrupt();
        let error = reader.next_blocking().unwrap_err();
        assert!(matches!(error.fault(), FrameFault::Cancelled));
        assert!(once(reader.next()).is_pending());
        writer.write(&[*byte]).expect("room");
        writer.try_flush().expect("the reader is there");
    }
    assert_eq!(reader.next_blocking().expect("sound").expect("a frame").as_ref(), b"ab");
}
