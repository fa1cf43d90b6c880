//! Section H: who is woken, how often, and from where.

use crate::common::{Wakes, data, flush, now, paced};
use aqueduct_pipe::{Flush, Interrupter, Options, Read, Reader, pipe};
use aqueduct_testkit::{is_send, panics, pattern};
use std::pin::pin;
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

#[test]
fn case_094_wakers_are_called_where_the_other_half_works() {
    struct Where(mpsc::Sender<thread::ThreadId>);
    impl Wake for Where {
        fn wake(self: Arc<Self>) {
            self.0.send(thread::current().id()).unwrap();
        }
    }
    let (told, heard) = mpsc::channel();
    let waker = Waker::from(Arc::new(Where(told)));
    let (mut writer, mut reader) = pipe(Options::default());
    assert!(reader.poll_read(&mut Context::from_waker(&waker)).is_pending());
    let other = thread::spawn(move || {
        flush(&mut writer, &[1]);
        writer.finish();
        thread::current().id()
    });
    let id = other.join().unwrap();
    assert_eq!(heard.try_iter().collect::<Vec<_>>(), [id], "one call, by whoever flushed");
}

/// Runs a future to its end on one of three executors that know nothing of each other.
fn run<T>(executor: usize, future: impl Future<Output = T>) -> T {
    struct Unparks(thread::Thread);
    impl Wake for Unparks {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    if executor == 0 {
        return tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future);
    }
    let parks = executor == 1;
    let unparks = Waker::from(Arc::new(Unparks(thread::current())));
    let waker = if parks { &unparks } else { Waker::noop() };
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(waker)) {
            Poll::Ready(done) => return done,
            Poll::Pending if parks => thread::park(),
            Poll::Pending => thread::yield_now(),
        }
    }
}

/// Each wait goes to another executor than the one before, and both halves to different ones.
#[test]
fn case_095_any_executor_will_do() {
    let rounds = aqueduct_testkit::scale(300);
    let (mut writer, mut reader) = paced(64, 32);
    let writes = thread::spawn(move || {
        for round in 0..rounds {
            writer.write(&pattern(100, round)).unwrap();
            assert_eq!(run(round % 3, writer.flush()).unwrap(), Flush::Done);
            if round % 10 == 0 {
                assert_eq!(run(round / 10 % 3, writer.drained()).unwrap(), Flush::Done);
            }
        }
        writer.finish();
    });
    for round in 0..rounds {
        let view = run((round + 1 + round / 3) % 3, reader.read_at_least(100)).unwrap().into_view();
        assert!(view.seq().starts_with(&pattern(100, round)[..]));
        view.consume(100);
    }
    run(1, reader.closed());
    assert!(matches!(run(0, reader.read()), Ok(Read::Eof(view)) if view.is_empty()));
    writes.join().unwrap();
}

#[test]
fn every_wait_may_change_threads() {
    fn send<T: Send>(_: T) {}
    let (mut writer, mut reader) = pipe(Options::default());
    send(writer.flush());
    send(writer.drained());
    send(writer.ready(5));
    send(writer.closed());
    send(reader.read());
    send(reader.read_at_least(5));
    send(reader.closed());
}

#[test]
fn a_wait_that_is_over_is_none_that_wakes() {
    let (mut writer, mut reader) = pipe(Options::default());
    let (wakes, waker) = Wakes::new();
    let mut context = Context::from_waker(&waker);
    assert!(writer.poll_drained(&mut context).is_ready());
    flush(&mut writer, &[1; 10]);
    data(&mut reader).consume(10);
    assert_eq!(wakes.count(), 0, "nobody waits");
    flush(&mut writer, &[1; 10]);
    assert!(writer.poll_drained(&mut context).is_pending());
    data(&mut reader).consume(10);
    assert_eq!(wakes.count(), 1);
    assert!(writer.poll_drained(&mut context).is_ready());
    flush(&mut writer, &[1; 10]);
    data(&mut reader).consume(10);
    assert_eq!(wakes.count(), 1, "nobody waits any more");
}

#[test]
fn case_096_closed_is_a_future_that_answers_late_comers_at_once() {
    let (mut writer, mut reader) = pipe(Options::default());
    let (wakes, waker) = Wakes::new();
    let mut context = Context::from_waker(&waker);
    assert!(reader.poll_closed(&mut context).is_pending());
    flush(&mut writer, &[1; 10]);
    assert_eq!(wakes.count(), 0, "that is not the end");
    assert!(!flush(&mut writer, &vec![1; (256 << 10) - 11]));
    assert!(flush(&mut writer, &[1]), "and no wish for more");
    writer.finish();
    assert_eq!(wakes.count(), 1);
    for _ in 0..2 {
        now(reader.closed());
    }
    let (mut writer, reader) = pipe(Options::default());
    assert!(writer.poll_closed(&mut context).is_pending());
    drop(reader);
    assert_eq!(wakes.count(), 2);
    now(writer.closed());
}

/// A waker that uses the pipe it was called from: with a lock held it would never return.
#[test]
fn case_097_wakers_are_not_called_under_a_lock() {
    struct Uses(Mutex<Option<Reader>>);
    impl Wake for Uses {
        fn wake(self: Arc<Self>) {
            let mut reader = self.0.lock().unwrap();
            let Some(reader) = &mut *reader else { return };
            reader.interrupter().interrupt();
            let other = Waker::noop();
            while let Poll::Ready(Ok(read)) = reader.poll_read(&mut Context::from_waker(other)) {
                let view = read.into_view();
                let len = view.len();
                view.consume(len);
            }
        }
    }
    let (mut writer, mut reader) = pipe(Options::default());
    let uses = Arc::new(Uses(Mutex::new(None)));
    let waker = Waker::from(Arc::clone(&uses));
    assert!(reader.poll_read(&mut Context::from_waker(&waker)).is_pending());
    *uses.0.lock().unwrap() = Some(reader);
    writer.push(pattern(100, 1)).unwrap();
    flush(&mut writer, &[1; 10]);
    assert_eq!(writer.stats().buffered, 0);
    uses.0.lock().unwrap().take();
}

#[test]
fn case_097_interrupting_and_waiting_on_two_threads_does_not_deadlock() {
    for _ in 0..aqueduct_testkit::scale(200) {
        let (mut writer, mut reader) = paced(1, 1);
        let interrupters = [writer.interrupter(), reader.interrupter()];
        let writes = thread::spawn(move || {
            writer.write(&[1]).unwrap();
            writer.flush_blocking().unwrap()
        });
        let reads = thread::spawn(move || {
            let cancelled = matches!(reader.read_at_least_blocking(5), Ok(Read::Cancelled(_)));
            (cancelled, reader)
        });
        thread::yield_now();
        interrupters.iter().for_each(Interrupter::interrupt);
        let _ = writes.join().unwrap();
        let (cancelled, reader) = reads.join().unwrap();
        assert!(cancelled || reader.stats().buffered == 1);
    }
}

#[test]
fn case_098_a_burst_of_flushes_wakes_once() {
    let (mut writer, mut reader) = pipe(Options::default());
    let (wakes, waker) = Wakes::new();
    let mut context = Context::from_waker(&waker);
    assert!(reader.poll_read(&mut context).is_pending());
    for i in 0..1_000 {
        flush(&mut writer, &[1]);
        if i % 100 == 0 {
            writer.push(pattern(100, i)).unwrap();
        }
    }
    assert_eq!(wakes.count(), 1);
    drop(data(&mut reader));
    flush(&mut writer, &[1]);
    assert_eq!(wakes.count(), 1, "nobody waits");
}

#[test]
fn the_newest_waker_is_called() {
    let (mut writer, mut reader) = pipe(Options::default());
    let (old, first) = Wakes::new();
    let (new, second) = Wakes::new();
    assert!(reader.poll_read(&mut Context::from_waker(&first)).is_pending());
    assert!(reader.poll_read(&mut Context::from_waker(&second)).is_pending());
    flush(&mut writer, &[1]);
    assert_eq!((old.count(), new.count()), (0, 1));
    let weak = Arc::downgrade(&new);
    drop((first, second, old, new, reader));
    assert!(writer.try_flush().is_err());
    assert!(weak.upgrade().is_none(), "who knows that the other half is gone keeps no waker of it");
}

#[test]
fn t15_a_waker_that_panics_loses_nothing() {
    struct Panics;
    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            panic!("in a waker");
        }
    }
    let (mut writer, mut reader) = pipe(Options::default());
    let waker = Waker::from(Arc::new(Panics));
    for round in 1..4 {
        assert!(reader.poll_read(&mut Context::from_waker(&waker)).is_pending());
        writer.write(&[round; 10]).unwrap();
        assert!(panics(|| drop(writer.try_flush())));
        assert_eq!((writer.unflushed(), data(&mut reader).len()), (0, 10));
        data(&mut reader).consume(10);
    }
}

#[test]
fn the_blocking_twins_wait() {
    let (mut writer, mut reader) = paced(100, 50);
    let reads = thread::spawn(move || {
        thread::sleep(Duration::from_millis(5));
        let mut all = Vec::new();
        loop {
            let (view, last) = match reader.read_at_least_blocking(30).unwrap() {
                Read::Eof(view) => (view, true),
                read => (read.into_view(), false),
            };
            all.extend(crate::common::bytes(&view));
            let len = view.len();
            view.consume(len);
            if last {
                return all;
            }
        }
    });
    let mut want = Vec::new();
    for i in 0..500 {
        let part = pattern(i % 70, i);
        writer.write(&part).unwrap();
        assert_eq!(writer.flush_blocking().unwrap(), Flush::Done);
        want.extend(part);
    }
    writer.finish();
    assert_eq!(reads.join().unwrap(), want);
}

#[test]
fn t25_which_types_may_cross_threads() {
    use aqueduct_pipe::{Options, PipeError, Placeholder, View, WriteSlot, Writer};
    assert!(is_send!(Writer) && is_send!(Reader) && is_send!(Interrupter) && is_send!(Options));
    assert!(is_send!(View<'static>) && is_send!(WriteSlot<'static>) && is_send!(Read<'static>));
    assert!(is_send!(PipeError) && is_send!(Placeholder));
}

#[test]
fn t11_everything_prints_in_every_state() {
    let (mut writer, mut reader) = pipe(Options::default());
    writer.write(b"abc").unwrap();
    assert!(format!("{writer:?}").contains("unflushed: 3"));
    assert!(format!("{:?}", writer.reserve(5)).contains("WriteSlot"));
    flush(&mut writer, &[]);
    assert!(format!("{:?}", data(&mut reader)).contains("abc"));
    assert!(format!("{reader:?}").contains("held: 3"));
    assert!(format!("{:?}", reader.interrupter()).contains("Interrupter"));
    drop(writer);
    data(&mut reader).need_more(0);
    let error = now(reader.read()).unwrap_err();
    assert_eq!(
        (format!("{error}"), format!("{error:?}")),
        ("the other half of the pipe is gone".into(), "PipeError(Closed)".into())
    );
}
