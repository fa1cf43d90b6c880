//! The pipe's errors as those of `std::io`.

use super::{inner, now, waits};
use crate::common::{Wakes, cause};
use aqueduct_pipe::{
    Blocking, CopyError, FrameError, FrameFault, FramedReader, FramedWriter, Framing, Options,
    PipeError, PipeErrorKind, Reader, pipe,
};
use aqueduct_sequence::{Prefix, Sequence};
use std::error::Error;
use std::io::{self, ErrorKind, Read as _};
use std::pin::pin;
use std::task::Context;
use tokio::io::AsyncReadExt;

#[test]
fn a_writer_that_failed_with_interrupted_does_not_make_std_read_for_ever() {
    /// Gives up where `read_to_end` would not.
    struct Patient(Blocking<Reader>, usize);
    impl io::Read for Patient {
        fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
            self.1 += 1;
            if self.1 > 100 { Err(ErrorKind::TimedOut.into()) } else { self.0.read(to) }
        }
    }
    let (writer, reader) = pipe(Options::default());
    writer.fail(io::Error::from(ErrorKind::Interrupted));
    let ended = Patient(Blocking(reader), 0).read_to_end(&mut Vec::new());
    let ended = ended.expect_err("the writer failed");
    assert_ne!(ended.kind(), ErrorKind::TimedOut, "it was asked a hundred times and more");
}

#[test]
fn a_writer_that_failed_with_interrupted_does_not_make_fill_from_spin() {
    let (writer, mut source) = pipe(Options::default());
    writer.fail(io::Error::from(ErrorKind::Interrupted));
    let (mut writer, _reader) = pipe(Options::default());
    let (wakes, waker) = Wakes::new();
    let mut filling = pin!(writer.fill_from(&mut source));
    for _ in 0..100 {
        if filling.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
            return;
        }
    }
    panic!("it woke itself {} times and never ended", wakes.count());
}

#[test]
fn a_cause_keeps_its_kind_unless_that_means_try_again() {
    for (given, kind) in [
        (ErrorKind::ConnectionReset, ErrorKind::ConnectionReset),
        (ErrorKind::TimedOut, ErrorKind::TimedOut),
        (ErrorKind::Interrupted, ErrorKind::Other),
        (ErrorKind::WouldBlock, ErrorKind::Other),
    ] {
        let (writer, mut reader) = pipe(Options::default());
        writer.fail(io::Error::new(given, "the cause"));
        let refused = now(reader.read_u8()).unwrap_err();
        assert_eq!(refused.kind(), kind);
        assert!(matches!(inner(&refused), PipeErrorKind::Failed(_)));
        let source = refused.get_ref().unwrap().source().unwrap();
        assert_eq!(source.downcast_ref::<io::Error>().unwrap().kind(), given);
    }
}

fn wrapped<E: Error + 'static>(error: &io::Error) -> &E {
    error.get_ref().unwrap().downcast_ref().unwrap()
}

#[test]
fn what_ends_a_copy_is_an_error_of_std_io_with_its_source() {
    fn copy(mut reader: Reader, options: Options, end: bool) -> io::Error {
        let (mut to, mut over) = pipe(options);
        if end {
            drop(over);
            return now(async { Ok::<_, io::Error>(reader.copy_to(&mut to).await?) }).unwrap_err();
        }
        waits(reader.copy_to(&mut to));
        over.try_read().unwrap().unwrap().into_view().need_more(0);
        now(reader.copy_to(&mut to)).unwrap_err().into()
    }
    let bytes = || Reader::from(Sequence::from(vec![1; 100]));
    let gone = copy(bytes(), Options::default(), true);
    assert_eq!(gone.kind(), ErrorKind::BrokenPipe);
    assert!(matches!(wrapped(&gone), CopyError::Write(_)));
    let full = copy(bytes(), Options::builder().max_buffered(50).build().unwrap(), false);
    assert_eq!(full.kind(), ErrorKind::QuotaExceeded);
    let (writer, mut reader) = pipe(Options::default());
    drop(writer);
    let (mut to, _over) = pipe(Options::default());
    let cut = io::Error::from(now(reader.copy_to(&mut to)).unwrap_err());
    assert_eq!(cut.kind(), ErrorKind::UnexpectedEof);
    let source = wrapped::<CopyError>(&cut).source().unwrap();
    assert!(matches!(source.downcast_ref().map(PipeError::kind), Some(PipeErrorKind::Closed)));
}

#[test]
fn what_is_wrong_with_a_frame_is_an_error_of_std_io() {
    fn read(bytes: &[u8]) -> io::Error {
        let reader = Reader::from(Sequence::from(bytes.to_vec()));
        let framing = Framing::prefixed_inclusive(Prefix::U8, 9).unwrap();
        let mut reader = FramedReader::new(reader, framing).unwrap();
        reader.next_blocking().unwrap_err().into()
    }
    assert_eq!(read(&[5, 1]).kind(), ErrorKind::UnexpectedEof);
    assert_eq!(read(&[200]).kind(), ErrorKind::InvalidData);
    assert_eq!(read(&[0]).kind(), ErrorKind::InvalidData);
    assert!(matches!(wrapped::<FrameError>(&read(&[0])).fault(), FrameFault::TooShort { .. }));

    let (writer, reader) = pipe(Options::default());
    let mut writer = FramedWriter::new(writer, Framing::delimited(b";", 9).unwrap()).unwrap();
    let write =
        |writer: &mut FramedWriter, frame| io::Error::from(writer.write(frame).unwrap_err());
    assert_eq!(write(&mut writer, b"a;b").kind(), ErrorKind::InvalidInput);
    assert_eq!(write(&mut writer, &[0; 10]).kind(), ErrorKind::InvalidData);
    reader.fail("no more");
    let refused = write(&mut writer, b"fine");
    assert_eq!(refused.kind(), ErrorKind::Other);
    let FrameFault::Pipe(error) = wrapped::<FrameError>(&refused).fault() else {
        panic!("{refused}")
    };
    assert_eq!(cause(error), "no more");
}
