//! `futures-io`, `Stream`, `Sink`, and both sides of a duplex.

use super::{now, once, take_all, waits};
use aqueduct_base::meter;
use aqueduct_pipe::{Options, PipeErrorKind, Read, Reader, duplex, pipe};
use aqueduct_slice::Slice;
use aqueduct_testkit::pattern;
use futures_core::Stream;
use futures_io::{AsyncBufRead, AsyncRead, AsyncWrite};
use futures_sink::Sink;
use std::{
    future::poll_fn,
    io::{ErrorKind, IoSlice},
    pin::Pin,
    task::Poll,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

async fn next(reader: &mut Reader) -> Option<Result<Slice, aqueduct_pipe::PipeError>> {
    poll_fn(|context| Pin::new(&mut *reader).poll_next(context)).await
}

#[test]
fn the_traits_of_futures_io() {
    let (mut writer, mut reader) = pipe(Options::builder().pause(64).build().unwrap());
    let (mut writing, mut reading) = (Pin::new(&mut writer), Pin::new(&mut reader));
    let wrote = now(poll_fn(|cx| AsyncWrite::poll_write(writing.as_mut(), cx, b"one ")));
    assert_eq!(wrote.unwrap(), 4);
    let parts = [IoSlice::new(b"and "), IoSlice::new(b"two")];
    let wrote = now(poll_fn(|cx| AsyncWrite::poll_write_vectored(writing.as_mut(), cx, &parts)));
    assert_eq!(wrote.unwrap(), 7);
    now(poll_fn(|cx| AsyncWrite::poll_flush(writing.as_mut(), cx))).unwrap();

    let mut room = [0; 6];
    let count = now(poll_fn(|cx| AsyncRead::poll_read(reading.as_mut(), cx, &mut room)));
    assert_eq!((count.unwrap(), &room), (6, b"one an"));
    let shown =
        now(poll_fn(|cx| AsyncBufRead::poll_fill_buf(reading.as_mut(), cx).map_ok(<[u8]>::len)));
    assert!(shown.unwrap() > 0);
    AsyncBufRead::consume(reading.as_mut(), 2);
    let count = now(poll_fn(|cx| AsyncRead::poll_read(reading.as_mut(), cx, &mut room)));
    assert_eq!((count.unwrap(), &room[..3]), (3, &b"two"[..]));
    waits(poll_fn(|cx| AsyncRead::poll_read(reading.as_mut(), cx, &mut [])));

    now(poll_fn(|cx| AsyncWrite::poll_close(writing.as_mut(), cx))).unwrap();
    let count = now(poll_fn(|cx| AsyncRead::poll_read(reading.as_mut(), cx, &mut room)));
    assert_eq!(count.unwrap(), 0);
    let wrote = now(poll_fn(|cx| AsyncWrite::poll_write(writing.as_mut(), cx, b"late")));
    assert_eq!(wrote.unwrap_err().kind(), ErrorKind::BrokenPipe);
}

#[test]
fn slices_go_through_as_they_are() {
    let (mut writer, mut reader) = pipe(Options::builder().pause(5000).build().unwrap());
    let sent = Slice::from(pattern(4096, 1));
    let before = meter::thread();
    let mut sink = Pin::new(&mut writer);
    now(poll_fn(|cx| sink.as_mut().poll_ready(cx))).unwrap();
    sink.as_mut().start_send(sent.clone()).unwrap();
    waits(next(&mut reader)); // not flushed
    now(poll_fn(|cx| Sink::poll_flush(sink.as_mut(), cx))).unwrap();
    let got = now(next(&mut reader)).unwrap().unwrap();
    assert_eq!((got.as_ptr(), got.len()), (sent.as_ptr(), 4096));
    assert_eq!((meter::thread() - before).bytes, 0);
    sink.as_mut().start_send(sent.clone()).unwrap();
    sink.as_mut().start_send(sent.slice_shared(..1000)).unwrap();
    waits(poll_fn(|cx| sink.as_mut().poll_ready(cx))); // paused, and flushed
    assert_eq!(now(next(&mut reader)).unwrap().unwrap().len(), 4096);
    now(poll_fn(|cx| Sink::poll_close(sink.as_mut(), cx))).unwrap();
    assert_eq!(now(next(&mut reader)).unwrap().unwrap().len(), 1000);
    assert!(now(next(&mut reader)).is_none());
    assert!(now(next(&mut reader)).is_none());
    let refused = sink.as_mut().start_send(sent).unwrap_err();
    assert!(matches!(refused.kind(), PipeErrorKind::Finished));
}

#[test]
fn a_stream_ends_once_with_the_writers_error_and_goes_on_after_an_interrupt() {
    let (mut writer, mut reader) = pipe(Options::default());
    writer.write(b"the last bytes").unwrap();
    assert!(writer.try_flush().unwrap().is_some());
    reader.interrupter().interrupt();
    let refused = now(next(&mut reader)).unwrap().unwrap_err();
    assert!(matches!(refused.kind(), PipeErrorKind::Interrupted));
    drop(writer);
    assert_eq!(now(next(&mut reader)).unwrap().unwrap(), b"the last bytes");
    let refused = now(next(&mut reader)).unwrap().unwrap_err();
    assert!(matches!(refused.kind(), PipeErrorKind::Closed));
    assert!(now(next(&mut reader)).is_none(), "else who skips errors would loop for ever");
}

#[test]
fn a_duplex_closes_by_halves() {
    let (mut client, mut server) = duplex(Options::default());
    now(client.write_all(b"question")).unwrap();
    now(client.shutdown()).unwrap();
    assert_eq!(now(client.write_all(b"more")).unwrap_err().kind(), ErrorKind::BrokenPipe);
    let mut all = Vec::new();
    now(server.read_to_end(&mut all)).unwrap();
    assert_eq!(all, b"question");
    now(server.write_all(b"answer")).unwrap();
    assert_eq!(take_all(&mut client.reader), b"answer");
    server.finish();
    assert!(matches!(client.reader.try_read(), Ok(Some(Read::Eof(_)))));
    drop(server);
    assert!(matches!(client.reader.try_read(), Ok(Some(Read::Eof(_)))), "it finished before");
}

#[test]
fn a_side_that_is_dropped_is_an_error_at_the_other() {
    let (mut client, server) = duplex(Options::default());
    drop(server);
    let Poll::Ready(Err(refused)) = once(client.read_u8()) else { panic!("a clean end") };
    assert_eq!(refused.kind(), ErrorKind::UnexpectedEof);
    assert_eq!(now(client.write_all(b"x")).unwrap_err().kind(), ErrorKind::BrokenPipe);
}
