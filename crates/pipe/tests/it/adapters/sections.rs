//! Section J: the halves as streams of tokio.

use super::{inner, is_interrupt, now, once, take_all, waits, woken_by};
use aqueduct_pipe::{Options, PipeErrorKind, Read, Reader, pipe};
use aqueduct_testkit::pattern;
use std::{
    io::{self, ErrorKind, IoSlice},
    task::Poll,
};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Reads once through the trait.
fn read(reader: &mut Reader, room: usize) -> Poll<io::Result<Vec<u8>>> {
    let mut to = vec![0; room];
    let done = once(AsyncReadExt::read(reader, &mut to));
    done.map_ok(|count| to[..count].to_vec())
}

#[track_caller]
fn read_now(reader: &mut Reader, room: usize) -> Vec<u8> {
    let Poll::Ready(Ok(bytes)) = read(reader, room) else { panic!("no bytes") };
    bytes
}

#[test]
fn case_108_partial_reads_leave_the_rest() {
    let (mut writer, mut reader) = pipe(Options::default());
    writer.push(pattern(30, 1)).unwrap();
    writer.write(b"and more").unwrap();
    assert!(writer.try_flush().unwrap().is_some());
    assert_eq!(read_now(&mut reader, 10), pattern(30, 1)[..10]);
    assert_eq!(take_all(&mut reader).len(), 28);
    writer.write(b"a\nb").unwrap();
    writer.finish();
    let mut line = String::new();
    assert_eq!(now(reader.read_line(&mut line)).unwrap(), 2);
    assert_eq!(read_now(&mut reader, 10), b"b");
    for _ in 0..3 {
        assert_eq!(read_now(&mut reader, 10), b"", "the end stays");
    }
}

#[test]
fn case_108_a_reader_that_goes_tells_the_writer() {
    let (mut writer, reader) = pipe(Options::default());
    drop(Box::new(reader) as Box<dyn tokio::io::AsyncRead>);
    assert_eq!(now(writer.write_all(b"x")).unwrap_err().kind(), ErrorKind::BrokenPipe);
}

#[test]
fn case_109_an_interrupt_is_an_error_and_reads_go_on() {
    let (mut writer, mut reader) = pipe(Options::default());
    let stop = reader.interrupter();
    let mut room = [0; 8];
    let done = woken_by(AsyncReadExt::read(&mut reader, &mut room), || stop.interrupt());
    let Poll::Ready(Err(refused)) = done else { panic!("{done:?}") };
    assert!(is_interrupt(&refused));
    assert_ne!(refused.kind(), ErrorKind::Interrupted, "which many retry in silence");
    writer.write(b"on").unwrap();
    assert!(writer.try_flush().unwrap().is_some());
    stop.interrupt();
    assert!(matches!(read(&mut reader, 8), Poll::Ready(Err(e)) if is_interrupt(&e)));
    assert_eq!(read_now(&mut reader, 8), b"on");
}

#[test]
fn case_110_a_read_without_room_waits_and_takes_nothing() {
    let (mut writer, mut reader) = pipe(Options::default());
    assert!(read(&mut reader, 0).is_pending());
    writer.write(b"data").unwrap();
    assert!(writer.try_flush().unwrap().is_some());
    assert_eq!(read_now(&mut reader, 0), b"");
    // All of it examined: a read of the pipe waits, a stream has bytes all the same.
    reader.try_read().unwrap().unwrap().into_view().need_more(0);
    assert!(reader.try_read().unwrap().is_none());
    assert_eq!(read_now(&mut reader, 0), b"");
    assert_eq!(read_now(&mut reader, 9), b"data");
    assert!(read(&mut reader, 0).is_pending());
    writer.finish();
    assert_eq!(read_now(&mut reader, 0), b"");
}

#[test]
fn case_111_no_bytes_mean_the_end() {
    let (mut writer, mut reader) = pipe(Options::default());
    for round in 0..50 {
        // Flushes of nothing, and bytes that are rolled back, are not shown.
        assert!(writer.try_flush().unwrap().is_some());
        writer.write(b"never").unwrap();
        writer.rollback();
        writer.release();
        assert!(read(&mut reader, 8).is_pending(), "round {round}");
        writer.write(b"x").unwrap();
        assert!(writer.try_flush().unwrap().is_some());
        assert_eq!(read_now(&mut reader, 8), b"x");
    }
    drop(writer);
    let Poll::Ready(Err(refused)) = read(&mut reader, 8) else { panic!("a clean end") };
    assert_eq!(refused.kind(), ErrorKind::UnexpectedEof);
    assert!(matches!(inner(&refused), PipeErrorKind::Closed));
}

#[test]
fn case_112_each_write_is_shown_and_paced() {
    let (mut writer, mut reader) = pipe(Options::builder().pause(100).build().unwrap());
    assert_eq!(now(AsyncWriteExt::write(&mut writer, &pattern(60, 1))).unwrap(), 60);
    assert_eq!(reader.stats().buffered, 60);
    let (front, back) = (pattern(30, 2), pattern(500, 3));
    let parts = [IoSlice::new(&front), IoSlice::new(&[]), IoSlice::new(&back)];
    assert!(writer.is_write_vectored());
    assert_eq!(now(writer.write_vectored(&parts)).unwrap(), 100, "at most the pause at once");
    waits(AsyncWriteExt::write(&mut writer, b"more"));
    waits(AsyncWriteExt::flush(&mut writer));
    assert_eq!(reader.stats().buffered, 160, "what waits was not taken");
    let want = [pattern(60, 1), front, back[..70].to_vec()].concat();
    assert_eq!(take_all(&mut reader), want);
    assert_eq!(now(AsyncWriteExt::write(&mut writer, b"more")).unwrap(), 4);
    now(writer.shutdown()).unwrap();
    now(writer.shutdown()).unwrap();
    assert_eq!(take_all(&mut reader), b"more");
    assert!(matches!(reader.try_read(), Ok(Some(Read::Eof(_)))));
    let refused = now(AsyncWriteExt::write(&mut writer, b"late")).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::BrokenPipe);
    assert!(matches!(inner(&refused), PipeErrorKind::Finished));
    writer.fail("the first end counts");
    assert!(matches!(reader.try_read(), Ok(Some(Read::Eof(_)))));
}

#[test]
fn case_112_interrupts_and_a_reader_that_is_gone_are_errors() {
    let (mut writer, reader) = pipe(Options::builder().pause(10).build().unwrap());
    let stop = writer.interrupter();
    assert_eq!(now(AsyncWriteExt::write(&mut writer, &[1; 10])).unwrap(), 10);
    let done = woken_by(AsyncWriteExt::write(&mut writer, b"x"), || stop.interrupt());
    assert!(matches!(done, Poll::Ready(Err(e)) if is_interrupt(&e)));
    let done = woken_by(writer.write_all(b"x"), || drop(reader));
    let Poll::Ready(Err(refused)) = done else { panic!("{done:?}") };
    assert_eq!(refused.kind(), ErrorKind::BrokenPipe);
    now(writer.shutdown()).unwrap();

    let (mut writer, reader) = pipe(Options::default());
    writer.write(b"never seen").unwrap();
    drop(reader);
    assert_eq!(now(writer.shutdown()).unwrap_err().kind(), ErrorKind::BrokenPipe);
}

#[test]
fn case_113_a_thousand_single_bytes_across_threads() {
    let (mut writer, mut reader) = pipe(Options::builder().pause(16).build().unwrap());
    let runtime = || tokio::runtime::Builder::new_current_thread().build().unwrap();
    let writing = std::thread::spawn(move || {
        runtime().block_on(async {
            let mut sum = 0;
            for byte in pattern(1000, 5) {
                writer.write_all(&[byte]).await.unwrap();
                sum += u64::from(byte);
            }
            writer.shutdown().await.unwrap();
            sum
        })
    });
    let sum = runtime().block_on(async {
        let (mut sum, mut byte) = (0, [0]);
        while AsyncReadExt::read(&mut reader, &mut byte).await.unwrap() > 0 {
            sum += u64::from(byte[0]);
        }
        sum
    });
    assert_eq!(sum, writing.join().unwrap());
}
