//! Who hears of a half's end, and what is left of that by then.

use crate::common::{Wakes, counted, data, eof, fill, flush};
use aqueduct_pipe::{Options, Reader, Writer, pipe};
use aqueduct_pool::Pool;
use aqueduct_testkit::panics;
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};
use std::thread;

/// A waker that drops the half which waits, and then looks how many blocks are out.
struct Looks<T> {
    pool: Pool,
    half: Mutex<Option<T>>,
    seen: Mutex<Option<u64>>,
}

impl<T: Send + 'static> Looks<T> {
    fn new(pool: &Pool) -> (Arc<Self>, Waker) {
        let (half, seen) = (Mutex::new(None), Mutex::new(None));
        let looks = Arc::new(Self { pool: pool.clone(), half, seen });
        (Arc::clone(&looks), Waker::from(looks))
    }
}

impl<T: Send + 'static> Wake for Looks<T> {
    fn wake(self: Arc<Self>) {
        drop(self.half.lock().unwrap().take());
        *self.seen.lock().unwrap() = Some(self.pool.outstanding());
    }
}

/// Ends a half that holds blocks of every kind while the other waits to hear of it, which then goes,
/// too, and looks: the half that told it has given back all it had.
#[test]
fn case_088_who_is_told_of_the_end_finds_nothing_held() {
    let writer_ends: [fn(Writer); 3] = [Writer::finish, |writer| writer.fail("failed"), drop];
    for end in writer_ends {
        let (pool, mut writer, mut reader) = counted();
        let (looks, waker) = Looks::new(&pool);
        assert!(reader.poll_closed(&mut Context::from_waker(&waker)).is_pending());
        *looks.half.lock().unwrap() = Some(reader);
        fill(&mut writer, 1);
        flush(&mut writer, &[2; 10]);
        fill(&mut writer, 3);
        writer.write(&[4; 10]).unwrap();
        assert_eq!(pool.outstanding(), 3);
        end(writer);
        assert_eq!(*looks.seen.lock().unwrap(), Some(0));
    }
    let reader_ends: [fn(Reader); 2] = [|reader| reader.fail("failed"), drop];
    for end in reader_ends {
        let (pool, mut writer, mut reader) = counted();
        let (looks, waker) = Looks::new(&pool);
        assert!(writer.poll_closed(&mut Context::from_waker(&waker)).is_pending());
        for _ in 0..2 {
            fill(&mut writer, 1);
            flush(&mut writer, &[2; 10]);
        }
        data(&mut reader).consume(1);
        fill(&mut writer, 3);
        flush(&mut writer, &[4; 10]); // not even looked at
        *looks.half.lock().unwrap() = Some(writer);
        assert_eq!(pool.outstanding(), 4);
        end(reader);
        assert_eq!(*looks.seen.lock().unwrap(), Some(0));
    }
}

/// What is sealed before the end is seen is let go of with its last byte.
#[test]
fn who_reads_the_last_byte_in_its_waker_keeps_no_block() {
    struct Reads(Pool, Mutex<Option<Reader>>, Mutex<Option<u64>>);
    impl Wake for Reads {
        fn wake(self: Arc<Self>) {
            let mut reader = self.1.lock().unwrap();
            eof(reader.as_mut().unwrap()).consume(10);
            *self.2.lock().unwrap() = Some(self.0.outstanding());
        }
    }
    let (pool, mut writer, mut reader) = counted();
    let reads = Arc::new(Reads(pool, Mutex::new(None), Mutex::new(None)));
    let waker = Waker::from(Arc::clone(&reads));
    assert!(reader.poll_closed(&mut Context::from_waker(&waker)).is_pending());
    *reads.1.lock().unwrap() = Some(reader);
    writer.write(&[1; 10]).unwrap();
    writer.finish();
    assert_eq!(*reads.2.lock().unwrap(), Some(0));
    let reader = reads.1.lock().unwrap().take(); // which has the waker that has it
    drop(reader);
}

#[test]
fn a_half_that_goes_is_not_woken_by_the_other_that_goes_with_it() {
    struct Drops<T>(Mutex<Option<T>>);
    impl<T: Send + 'static> Wake for Drops<T> {
        fn wake(self: Arc<Self>) {
            drop(self.0.lock().unwrap().take());
        }
    }
    let (mut writer, mut reader) = pipe(Options::default());
    let (wakes, waker) = Wakes::new();
    assert!(writer.poll_closed(&mut Context::from_waker(&waker)).is_pending());
    let drops = Arc::new(Drops(Mutex::new(None)));
    assert!(reader.poll_closed(&mut Context::from_waker(&Arc::clone(&drops).into())).is_pending());
    *drops.0.lock().unwrap() = Some(reader);
    drop(writer);
    assert!(drops.0.lock().unwrap().is_none(), "it was told");
    assert_eq!(wakes.count(), 0, "and told nobody: the writer is gone");

    let (mut writer, mut reader) = pipe(Options::default());
    assert!(reader.poll_closed(&mut Context::from_waker(&waker)).is_pending());
    let drops = Arc::new(Drops(Mutex::new(None)));
    assert!(writer.poll_closed(&mut Context::from_waker(&Arc::clone(&drops).into())).is_pending());
    *drops.0.lock().unwrap() = Some(writer);
    drop(reader);
    assert!(drops.0.lock().unwrap().is_none(), "it was told");
    assert_eq!(wakes.count(), 0, "and told nobody: the reader is gone");
}

/// The waker of a half that goes is the user's code, too: the other half is told before it can panic.
#[test]
fn t15_a_waker_that_panics_when_dropped_does_not_hide_the_end() {
    struct Bomb;
    impl Wake for Bomb {
        fn wake(self: Arc<Self>) {}
    }
    impl Drop for Bomb {
        fn drop(&mut self) {
            if !thread::panicking() {
                std::panic::resume_unwind(Box::new(()));
            }
        }
    }
    let bomb = || Waker::from(Arc::new(Bomb));
    let (wakes, waker) = Wakes::new();
    let mut context = Context::from_waker(&waker);

    let (mut writer, mut reader) = pipe(Options::default());
    assert!(writer.poll_closed(&mut Context::from_waker(&bomb())).is_pending());
    assert!(reader.poll_read(&mut context).is_pending());
    assert!(panics(|| drop(writer)));
    assert_eq!(wakes.count(), 1);
    assert!(reader.try_read().is_err());

    let (mut writer, mut reader) = pipe(Options::default());
    assert!(reader.poll_closed(&mut Context::from_waker(&bomb())).is_pending());
    assert!(writer.poll_closed(&mut context).is_pending());
    assert!(panics(|| drop(reader)));
    assert_eq!(wakes.count(), 2);
    assert!(writer.try_flush().is_err());
}
