//! Sections J and K: the halves as std's readers and writers, and a reader over what is there already.

use crate::common::{bytes, eof, flush, now, paced};
use aqueduct_pipe::{Blocking, Options, Read as Found, Reader, pipe};
use aqueduct_sequence::Sequence;
use aqueduct_slice::Slice;
use aqueduct_testkit::pattern;
use std::io::{BufRead, ErrorKind, Read, Write};
use std::thread;

#[test]
fn case_108_partial_reads_leave_the_rest_to_the_reader() {
    let (mut writer, reader) = pipe(Options::default());
    flush(&mut writer, b"Hello World");
    writer.finish();
    let mut stream = Blocking(reader);
    let mut five = [0; 5];
    stream.read_exact(&mut five).unwrap();
    assert_eq!(&five, b"Hello");
    assert_eq!(bytes(&eof(&mut stream.0)), b" World");
    assert_eq!(stream.read(&mut [0; 100]).unwrap(), 6);
    for _ in 0..3 {
        assert_eq!(stream.read(&mut [0; 100]).unwrap(), 0);
    }
}

#[test]
fn case_109_an_interrupt_is_an_error_and_reads_work_afterwards() {
    let (mut writer, reader) = pipe(Options::default());
    let mut stream = Blocking(reader);
    stream.0.interrupter().interrupt();
    assert_eq!(stream.read(&mut [0; 5]).unwrap_err().kind(), ErrorKind::Other);
    flush(&mut writer, b"abc");
    assert_eq!(stream.read(&mut [0; 5]).unwrap(), 3);
    drop(writer);
    assert_eq!(stream.read(&mut [0; 5]).unwrap_err().kind(), ErrorKind::UnexpectedEof);
}

#[test]
fn case_110_a_read_of_nothing_waits_for_bytes_and_takes_none() {
    let (mut writer, reader) = pipe(Options::default());
    let mut stream = Blocking(reader);
    let writes = thread::spawn(move || {
        flush(&mut writer, b"abc");
        writer
    });
    assert_eq!(stream.read(&mut []).unwrap(), 0);
    now(stream.0.read()).unwrap().into_view().need_more(0);
    assert_eq!(stream.read(&mut []).unwrap(), 0, "examined, and there all the same");
    assert_eq!(stream.fill_buf().unwrap(), b"abc");
    drop(writes.join());
}

#[test]
fn case_112_every_write_flushes_and_nobody_there_is_a_broken_pipe() {
    let (writer, mut reader) = paced(100, 50);
    let mut stream = Blocking(writer);
    stream.write_all(b"abc").unwrap();
    assert_eq!(bytes(&crate::common::data(&mut reader)), b"abc");
    stream.0.interrupter().interrupt();
    stream.write_all(&[1; 97]).unwrap();
    assert_eq!(reader.stats().buffered, 100, "once, and not again");
    let reads = thread::spawn(move || {
        let view = reader.read_at_least_blocking(100).unwrap().into_view();
        view.consume(60);
        reader
    });
    stream.write_all(&[2; 5]).unwrap();
    drop(reads.join().unwrap());
    assert_eq!(stream.write(b"x").unwrap_err().kind(), ErrorKind::BrokenPipe);
}

#[test]
fn case_113_a_thousand_bytes_one_by_one_across_threads() {
    let (writer, reader) = paced(10, 5);
    let sums = thread::spawn(move || {
        let mut stream = Blocking(reader);
        let (mut sum, mut one) = (0_u64, [0]);
        while stream.read(&mut one).unwrap() == 1 {
            sum += u64::from(one[0]);
        }
        sum
    });
    let mut stream = Blocking(writer);
    let all = pattern(1_000, 1);
    for byte in &all {
        stream.write_all(&[*byte]).unwrap();
    }
    stream.0.finish();
    assert_eq!(sums.join().unwrap(), all.iter().map(|byte| u64::from(*byte)).sum::<u64>());
}

fn over(parts: &[&'static [u8]]) -> Reader {
    parts.iter().map(|part| Slice::from_static(part)).collect::<Sequence>().into()
}

#[test]
fn case_114_a_reader_over_a_sequence_has_all_of_it_at_once() {
    let mut reader = over(&[b"abc", b"", b"a longer part of the sequence"]);
    assert_eq!(bytes(&eof(&mut reader)), b"abca longer part of the sequence");
    eof(&mut reader).need_more(10);
    let Ok(Some(Found::Eof(view))) = reader.try_read() else { panic!("not the end") };
    assert_eq!(view.len(), 22);
    view.consume(22);
    for _ in 0..3 {
        assert!(eof(&mut reader).is_empty());
    }
    assert!(eof(&mut over(&[])).is_empty());
}

#[test]
fn case_115_its_bytes_can_be_read_again_and_again() {
    let mut reader = over(&[b"abc"]);
    for _ in 0..5 {
        eof(&mut reader).need_more(0);
    }
    assert_eq!(eof(&mut reader).len(), 3);
}

#[test]
fn case_116_it_can_be_interrupted() {
    let mut reader = over(&[b"abc"]);
    let interrupter = reader.interrupter();
    for _ in 0..3 {
        interrupter.interrupt();
        assert!(matches!(now(reader.read()), Ok(Found::Cancelled(view)) if view.len() == 3));
        assert_eq!(eof(&mut reader).len(), 3);
    }
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
