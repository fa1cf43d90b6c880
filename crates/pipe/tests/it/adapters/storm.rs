//! Both halves on threads of their own, each through all of its adapters, with waits that are given up
//! for others, wakers that change, and interrupts: no byte is lost, and nobody sleeps for ever.

use aqueduct_pipe::{Options, PipeErrorKind, Read, Reader, Writer, pipe};
use aqueduct_sequence::Sequence;
use aqueduct_slice::Slice;
use aqueduct_testkit::{Random, pattern};
use futures_core::Stream;
use futures_sink::Sink;
use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufRead, AsyncRead, AsyncWrite, ReadBuf};

/// Bytes that every second pipe holds at most.
const LIMIT: usize = 2000;
/// Bytes of the longest write.
const LONGEST: usize = 400;

struct Park(Thread, AtomicBool);

impl Wake for Park {
    fn wake(self: Arc<Self>) {
        self.1.store(true, SeqCst);
        self.0.unpark();
    }
}

/// Polls until it is ready, or gives it up.
fn drive<T>(random: &mut Random, mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>) -> Option<T> {
    let park = Arc::new(Park(thread::current(), AtomicBool::new(false)));
    let waker = Waker::from(Arc::clone(&park));
    let start = Instant::now();
    loop {
        if let Poll::Ready(done) = poll(&mut Context::from_waker(&waker)) {
            return Some(done);
        }
        if random.below(4) == 0 {
            return None;
        }
        while !park.1.swap(false, SeqCst) {
            assert!(start.elapsed() < Duration::from_secs(20), "nobody was woken");
            thread::park_timeout(Duration::from_secs(1));
        }
    }
}

/// Whether nothing is wrong: an interrupt, or a reader that keeps a full pipe for now.
fn goes_on(error: &io::Error) -> bool {
    matches!(super::inner(error), PipeErrorKind::Interrupted | PipeErrorKind::Full { .. })
}

fn count(done: Option<io::Result<usize>>) -> usize {
    match done {
        None => 0,
        Some(Ok(count)) => count,
        Some(Err(error)) => {
            assert!(goes_on(&error), "{error}");
            0
        }
    }
}

/// Whether all was.
fn copied(from: &mut Reader, to: &mut Writer, random: &mut Random) -> bool {
    let mut copying = pin!(from.copy_to(to));
    matches!(drive(random, |context| copying.as_mut().poll(context)), Some(Ok(_)))
}

fn write(mut writer: Writer, all: &[u8], random: &mut Random) {
    let (mut at, mut between): (usize, Option<Reader>) = (0, None);
    while at < all.len() {
        let len = 1 + random.below(LONGEST).min(all.len() - at - 1);
        let part = &all[at..at + len];
        if let Some(from) = &mut between {
            if copied(from, &mut writer, random) {
                between = None;
            }
            continue;
        }
        match random.below(7) {
            0 => {
                let done = drive(random, |cx| Pin::new(&mut writer).poll_write(cx, part));
                at += count(done);
            }
            1 => {
                let (one, two) = part.split_at(len / 2);
                let parts = [IoSlice::new(one), IoSlice::new(two)];
                let done =
                    drive(random, |cx| Pin::new(&mut writer).poll_write_vectored(cx, &parts));
                at += count(done);
            }
            2 => {
                let mut sink = Pin::new(&mut writer);
                let ready = drive(random, |cx| Sink::<Slice>::poll_ready(sink.as_mut(), cx));
                if let Some(Ok(())) = ready {
                    sink.start_send(Slice::from(part.to_vec())).unwrap();
                    at += len;
                }
            }
            3 => {
                let mut source = part;
                let done = drive(random, |cx| writer.poll_fill_from(cx, Pin::new(&mut source)));
                assert_eq!(len - source.len(), count(done));
                at += len - source.len();
            }
            4 => {
                match writer.write(part) {
                    Ok(()) => at += len,
                    Err(refused) => assert!(matches!(refused.kind(), PipeErrorKind::Full { .. })),
                }
                let _ = drive(random, |cx| writer.poll_flush(cx));
            }
            5 => {
                let _ = drive(random, |cx| writer.poll_drained(cx));
                writer.release();
            }
            _ => {
                between = Some(Reader::from(Sequence::from(part.to_vec())));
                at += len;
            }
        }
    }
    while let Some(from) = &mut between {
        if copied(from, &mut writer, random) {
            between = None;
        }
    }
    writer.finish();
}

/// The most that was in the pipe.
fn read(mut reader: Reader, all: &[u8], random: &mut Random) -> u64 {
    let mut at = 0;
    while at < all.len() {
        let room = 1 + random.below(300);
        match random.below(6) {
            0 => {
                let mut bytes = vec![0; room];
                let mut to = ReadBuf::new(&mut bytes);
                let done =
                    drive(random, |cx| AsyncRead::poll_read(Pin::new(&mut reader), cx, &mut to));
                let filled = to.filled().len();
                assert_eq!(count(done.map(|done| done.map(|()| filled))), filled);
                assert_eq!(to.filled(), &all[at..at + filled]);
                at += filled;
            }
            1 => {
                let shown = drive(random, |cx| {
                    Pin::new(&mut reader).poll_fill_buf(cx).map_ok(<[u8]>::to_vec)
                });
                if let Some(Ok(shown)) = shown {
                    let take = room.min(shown.len());
                    assert_eq!(shown[..take], all[at..at + take]);
                    AsyncBufRead::consume(Pin::new(&mut reader), take);
                    at += take;
                }
            }
            2 => {
                let item = drive(random, |cx| Pin::new(&mut reader).poll_next(cx));
                if let Some(Some(Ok(slice))) = item {
                    assert_eq!(slice[..], all[at..at + slice.len()]);
                    at += slice.len();
                }
            }
            3 => {
                let mut sink = Vec::new();
                let done = drive(random, |cx| reader.poll_drain_to(cx, Pin::new(&mut sink)));
                assert_eq!(count(done), sink.len());
                assert_eq!(sink, all[at..at + sink.len()]);
                at += sink.len();
            }
            4 => {
                let mut reading = pin!(reader.read_at_least(room));
                let read = drive(random, |cx| {
                    reading.as_mut().poll(cx).map_ok(|read| {
                        let mut view = read.into_view();
                        let take = room.min(view.len());
                        view.take(take)
                    })
                });
                if let Some(Ok(taken)) = read {
                    assert!(taken == all[at..at + taken.len()]);
                    at += taken.len();
                }
            }
            _ => {
                let read = drive(random, |cx| {
                    reader.poll_read(cx).map_ok(|read| {
                        let Read::Data(view) = read else { return };
                        assert_eq!(view.seq(), &all[at..at + view.len()]);
                        view.need_more(0);
                    })
                });
                assert!(!matches!(read, Some(Err(_))));
            }
        }
    }
    let last = drive(&mut Random::new(1), |cx| Pin::new(&mut reader).poll_next(cx));
    assert!(matches!(last, None | Some(None | Some(Err(_)))));
    reader.stats().peak
}

#[test]
fn adapters_on_two_threads_lose_nothing_whatever_is_given_up() {
    for seed in 1..=aqueduct_testkit::scale(40) as u64 {
        let mut random = Random::new(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let (pause, first) = (1 + random.below(2000), 64 << random.below(4));
        let mut options = Options::builder().pause(pause).segments(first, first * 4);
        let limited = seed % 2 == 0;
        if limited {
            options = options.max_buffered(LIMIT);
        }
        let (writer, reader) = pipe(options.build().unwrap());
        let all = pattern(60_000, seed as usize);
        let interrupters = [writer.interrupter(), reader.interrupter()];
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut random = Random::new(seed + 3);
                while !over.load(SeqCst) {
                    interrupters[random.below(2)].interrupt();
                    thread::sleep(Duration::from_micros(random.below(300) as u64));
                }
            });
            let writing = scope.spawn(|| write(writer, &all, &mut Random::new(seed + 1)));
            let reading = scope.spawn(|| {
                let peak = read(reader, &all, &mut Random::new(seed + 2));
                // A sink takes one slice beyond it, and one only.
                assert!(!limited || peak < (LIMIT + LONGEST) as u64, "{peak}");
            });
            let ended = (writing.join().is_ok(), reading.join().is_ok());
            over.store(true, SeqCst);
            assert_eq!(ended, (true, true), "seed {seed}");
        });
    }
}
