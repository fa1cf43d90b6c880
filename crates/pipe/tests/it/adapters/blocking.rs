//! Streams of `std::io`, good and bad, between which a pipe stands.

use super::doubles::{Act, Sink};
use super::{is_interrupt, pooled};
use aqueduct_base::meter;
use aqueduct_pipe::{Options, Reader, Writer, pipe};
use aqueduct_testkit::{Lie, LyingReader, panics, pattern};
use std::{
    io::{self, ErrorKind, IoSlice},
    task::Poll,
    thread,
};

/// The scripted sink of the other adapters, which blocks for nobody.
struct Script(Sink);

impl Script {
    fn new(script: impl IntoIterator<Item = Act>) -> Self {
        Self(Sink::new(true, script))
    }
}

impl io::Write for Script {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(from)])
    }

    fn write_vectored(&mut self, from: &[IoSlice<'_>]) -> io::Result<usize> {
        match self.0.take(from) {
            Poll::Ready(done) => done,
            Poll::Pending => Err(ErrorKind::WouldBlock.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flushes += 1;
        self.0.flushed = self.0.got.len();
        match self.0.flushing.pop_front() {
            Some(Act::Fail(kind)) => Err(kind.into()),
            _ => Ok(()),
        }
    }
}

/// A pipe with so many bytes in segments of their own, and the bytes.
fn filled(lens: &[usize]) -> (Writer, Reader, Vec<u8>) {
    let (mut writer, reader) = pipe(Options::default());
    let mut all = Vec::new();
    for (seed, len) in lens.iter().enumerate() {
        all.extend(pattern(*len, seed));
        writer.push(pattern(*len, seed)).unwrap();
    }
    let _ = writer.try_flush().unwrap();
    (writer, reader, all)
}

#[test]
fn bytes_go_through_two_threads_uncopied_and_held_back() {
    let (options, pool) = pooled();
    let (mut writer, mut reader) = pipe(options.pause(10_000).build().unwrap());
    let bytes = pattern(1_000_000, 1);
    let source = bytes.clone();
    let receiving = thread::spawn(move || {
        let (before, mut from) = (meter::thread(), &source[..]);
        while writer.fill_from_blocking(&mut from).unwrap() > 0 {}
        let stats = writer.stats();
        writer.finish();
        (stats, meter::thread() - before)
    });
    let (before, mut to) = (meter::thread(), Vec::new());
    while reader.drain_to_blocking(&mut to).unwrap() > 0 {}
    assert!(to == bytes);
    assert_eq!((meter::thread() - before).bytes, 0);
    let (stats, copied) = receiving.join().unwrap();
    assert_eq!(copied.bytes, 0);
    assert!(stats.peak < 100_000, "{stats:?}");
    assert_eq!(pool.outstanding(), 0);
}

#[test]
fn a_source_that_lies_or_fails_harms_nobody() {
    for lie in Lie::ALL {
        let (options, pool) = pooled();
        // What stood in the block before is nobody's to see.
        let mut used = pool.get(4096);
        used.resize(used.capacity(), 0xaa);
        drop(used);
        let (mut writer, mut reader) = pipe(options.build().unwrap());
        let mut source = LyingReader::new(lie);
        let filled = match lie {
            Lie::Panics => {
                assert!(panics(|| writer.fill_from_blocking(&mut source)));
                assert_eq!(writer.unflushed(), 0);
                writer.fill_from_blocking(&mut &b"on it goes"[..])
            }
            _ => writer.fill_from_blocking(&mut source),
        };
        let honest = LyingReader::HONEST;
        match (lie, filled) {
            (Lie::MoreThanBuffer | Lie::Endless, Err(refused)) => {
                assert_eq!(refused.kind(), ErrorKind::InvalidData);
            }
            (Lie::NothingForever, Ok(count)) => {
                assert_eq!((count, pool.outstanding()), (0, 0), "no block is held at the end");
            }
            (Lie::MoreThanFilled | Lie::FillsNothing, Ok(count)) => {
                let view = reader.try_read().unwrap().unwrap().into_view();
                assert_eq!(view.len(), count);
                assert!(view.seq().segments().flatten().all(|byte| [0, honest].contains(byte)));
            }
            (Lie::Panics, Ok(count)) => assert_eq!(count, 10),
            (_, Ok(count)) => {
                let view = reader.try_read().unwrap().unwrap().into_view();
                assert_eq!(view.seq(), vec![honest; count]);
                assert!(count > 0);
            }
            (lie, Err(refused)) => panic!("{lie:?}: {refused}"),
        }
        if let Lie::ErrorAfter(after) = lie {
            let refused = writer.fill_from_blocking(&mut source).unwrap_err();
            assert_eq!((refused.kind(), reader.stats().buffered), (ErrorKind::Other, after as u64));
        }
    }
}

/// A source that has nothing, and says what room it was given.
struct Silent(usize);

impl io::Read for Silent {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        self.0 = room.len();
        Err(ErrorKind::WouldBlock.into())
    }
}

/// The room is cleared each time: it may not cost as much as a segment is large.
#[test]
fn a_source_is_asked_for_little_at_once_however_large_the_segments_are() {
    let options = Options::builder().segments(4 << 20, 4 << 20).build().unwrap();
    let (mut writer, mut reader) = pipe(options);
    let mut silent = Silent(0);
    let refused = writer.fill_from_blocking(&mut silent).unwrap_err();
    assert_eq!((refused.kind(), silent.0), (ErrorKind::WouldBlock, 64 << 10));
    let bytes = pattern(200_000, 1);
    let mut from = &bytes[..];
    while writer.fill_from_blocking(&mut from).unwrap() > 0 {}
    let view = reader.try_read().unwrap().unwrap().into_view();
    assert!(view.seq() == bytes && view.seq().is_contiguous());
}

#[test]
fn a_sink_gets_all_segments_at_once_and_what_it_left_is_still_there() {
    let (writer, mut reader, all) = filled(&[3000, 100, 40]);
    let script = [
        Act::Some(3050),
        Act::Fail(ErrorKind::Interrupted),
        Act::Some(1),
        Act::Fail(ErrorKind::ConnectionReset),
        Act::Nothing,
        Act::Lie(1),
    ];
    let mut sink = Script::new(script);
    assert_eq!(reader.drain_to_blocking(&mut sink).unwrap(), 3050);
    assert_eq!(reader.drain_to_blocking(&mut sink).unwrap(), 1);
    let kinds = [ErrorKind::ConnectionReset, ErrorKind::WriteZero, ErrorKind::InvalidData];
    for kind in kinds {
        assert_eq!(reader.drain_to_blocking(&mut sink).unwrap_err().kind(), kind);
    }
    assert_eq!(sink.0.flushes, 0, "there was always something to write");
    assert_eq!(reader.drain_to_blocking(&mut sink).unwrap(), 89);
    assert_eq!(sink.0.writes, [3140, 90, 90, 89, 89, 89, 89]);
    assert!(sink.0.got == all);

    writer.finish();
    assert_eq!(reader.drain_to_blocking(&mut sink).unwrap(), 0);
    assert_eq!((sink.0.flushes, sink.0.flushed), (1, 3140));
}

#[test]
fn a_sink_is_flushed_before_the_wait() {
    let (mut writer, mut reader, _) = filled(&[100]);
    let (told, flushed) = std::sync::mpsc::channel();
    struct Tells(Script, std::sync::mpsc::Sender<usize>);
    impl io::Write for Tells {
        fn write(&mut self, from: &[u8]) -> io::Result<usize> {
            self.0.write(from)
        }
        fn flush(&mut self) -> io::Result<()> {
            self.1.send(self.0.0.got.len()).unwrap();
            self.0.flush()
        }
    }
    let sending = thread::spawn(move || {
        let mut sink = Tells(Script::new([]), told);
        while reader.drain_to_blocking(&mut sink).unwrap() > 0 {}
        sink.0.0.got.len()
    });
    // Only a flush in front of the wait lets this go on.
    assert_eq!(flushed.recv().unwrap(), 100);
    writer.write(&[1; 50]).unwrap();
    let _ = writer.flush_blocking().unwrap();
    writer.finish();
    assert_eq!(sending.join().unwrap(), 150);
}

#[test]
fn ends_and_interrupts_are_errors() {
    // The writer is gone: after all bytes, and behind a flush.
    let (writer, mut reader, all) = filled(&[100]);
    drop(writer);
    let mut sink = Script::new([]);
    assert_eq!(reader.drain_to_blocking(&mut sink).unwrap(), 100);
    sink.0.flushing.push_back(Act::Fail(ErrorKind::BrokenPipe));
    assert_eq!(reader.drain_to_blocking(&mut sink).unwrap_err().kind(), ErrorKind::BrokenPipe);
    let cut = reader.drain_to_blocking(&mut sink).unwrap_err();
    assert_eq!((cut.kind(), &sink.0.got), (ErrorKind::UnexpectedEof, &all));

    // An interrupt, and on.
    let (mut writer, mut reader, _) = filled(&[]);
    reader.interrupter().interrupt();
    let refused = reader.drain_to_blocking(&mut sink).unwrap_err();
    assert!(is_interrupt(&refused));
    writer.interrupter().interrupt();
    let refused = writer.fill_from_blocking(&mut &b"later"[..]).unwrap_err();
    assert!(is_interrupt(&refused));
    assert_eq!(writer.fill_from_blocking(&mut &b"later"[..]).unwrap(), 5);
    assert_eq!(reader.drain_to_blocking(&mut sink).unwrap(), 5);

    // The reader is gone.
    drop(reader);
    let refused = writer.fill_from_blocking(&mut &b"never"[..]).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::BrokenPipe);
}
