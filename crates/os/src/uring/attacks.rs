//! Operations that are given up at each of their steps, and a kernel that has no time.
//!
//! AddressSanitizer does not see what the kernel writes. So the blocks that are free after each step are
//! taken out of the pool and filled, and must be as they were when the kernel has gone on.

use super::{Provided, Registered, Ring, open_direct};
use crate::{
    ZeroCopyChoice,
    sys::{Fault, script},
};
use aqueduct_base::sync::Mutex;
use aqueduct_pool::Pool;
use aqueduct_sequence::Sequence;
use aqueduct_slice::{Slice, SliceMut};
use aqueduct_testkit::{pattern, skip};
use std::{
    env,
    fs::{self, File},
    io::{self, PipeReader, PipeWriter, Read, Write},
    net::{TcpListener, TcpStream},
    path::PathBuf,
    pin::Pin,
    process,
    sync::Arc,
    thread,
    time::Duration,
};
use tokio::{runtime::Builder, time::timeout};

pub(super) const BLOCK: usize = 4096;
/// More than sockets hold, so that sending it takes until it is received.
const MUCH: usize = 16 << 20;

type Flight = Pin<Box<dyn Future<Output = ()>>>;

/// What operations work on.
pub(super) struct World {
    pub(super) ring: Ring,
    pub(super) pool: Pool,
    registered: Registered,
    pub(super) provided: Provided,
    pub(super) file: Arc<File>,
    direct: Arc<File>,
    pub(super) pipe: (Arc<PipeReader>, PipeWriter),
    pub(super) socket: (Arc<TcpStream>, TcpStream),
    /// What is sent, and how much of it has come.
    pub(super) sent: Slice,
    come: usize,
}

/// One for each test.
fn path() -> PathBuf {
    env::temp_dir().join(format!("aqueduct-uring-{}-{:?}", process::id(), thread::current().id()))
}

impl World {
    pub(super) fn new(sent: &Slice) -> io::Result<Self> {
        let ring = Ring::new(8)?;
        ring.drivers.set(1); // we are
        let builder = Pool::builder().smallest_block(BLOCK).largest_block(BLOCK).alignment(BLOCK);
        let pool = builder.build().unwrap();
        let path = path();
        fs::write(&path, pattern(10 * BLOCK, 1))?;
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let client = TcpStream::connect(listener.local_addr()?)?;
        client.set_nonblocking(true)?;
        let (reader, writer) = io::pipe()?;
        let file = Arc::new(File::options().read(true).write(true).open(&path)?);
        let direct = Arc::new(open_direct(&path)?.0);
        fs::remove_file(path)?;
        Ok(Self {
            registered: ring.register(&pool, 2, BLOCK)?,
            provided: ring.provide(&pool, 4, BLOCK)?,
            file,
            direct,
            pipe: (Arc::new(reader), writer),
            socket: (Arc::new(listener.accept()?.0), client),
            sent: sent.clone(),
            come: 0,
            ring,
            pool,
        })
    }

    pub(super) fn block(&self) -> SliceMut {
        self.pool.get(BLOCK)
    }

    /// Has what waits for others go on: gives pipe and socket something, and takes what was sent.
    pub(super) fn nudge(&mut self) {
        self.pipe.1.write_all(&[7; 100]).unwrap();
        (&self.socket.1).write_all(&[7; 100]).unwrap();
        let mut received = [0; 64 << 10];
        while let Ok(read @ 1..) = (&self.socket.1).read(&mut received) {
            let mut rest = &received[..read];
            while !rest.is_empty() {
                let expected = &self.sent[self.come % self.sent.len()..];
                let same = rest.len().min(expected.len());
                assert!(rest[..same] == expected[..same], "sent as it was");
                self.come += same;
                rest = &rest[same..];
            }
        }
    }
}

/// A name, and what starts it.
type Scenario = (&'static str, fn(&World) -> Flight);

const SCENARIOS: [Scenario; 11] = [
    ("read", |world| {
        let op = world.ring.read_at(&world.file, 0, BLOCK, world.block());
        Box::pin(async { drop(op.await) })
    }),
    ("direct", |world| {
        let op = world.ring.read_at(&world.direct, 0, BLOCK, world.block());
        Box::pin(async { drop(op.await) })
    }),
    ("fixed", |world| {
        let op = world.registered.read_at(&world.file, 0, BLOCK);
        Box::pin(async { drop(op.await) })
    }),
    ("fixed, direct", |world| {
        let op = world.registered.read_at(&world.direct, 0, BLOCK);
        Box::pin(async { drop(op.await) })
    }),
    ("pipe", |world| {
        let op = world.ring.read(&world.pipe.0, BLOCK, world.block());
        Box::pin(async { drop(op.await) })
    }),
    ("recv", |world| {
        let op = world.ring.recv(&world.socket.0, world.block());
        Box::pin(async { drop(op.await) })
    }),
    ("receive", |world| {
        let mut receive = world.provided.receive(&world.socket.0);
        Box::pin(async move { while let Ok(Some(_)) = receive.next().await {} })
    }),
    ("send", |world| {
        let op = world.ring.send(&world.socket.0, world.sent.clone());
        Box::pin(async { drop(op.await) })
    }),
    ("gather", |world| {
        let parts: Vec<_> = (0..4).map(|_| world.sent.clone()).collect();
        let op = world.ring.send_all(&world.socket.0, parts.into_iter().collect::<Sequence>());
        Box::pin(async { drop(op.await) })
    }),
    ("zero-copy", |world| {
        let choice = ZeroCopyChoice { local: true, ..Default::default() };
        let sender = world.ring.sender_with_choice(&world.socket.0, choice);
        let op = sender.send(world.sent.clone());
        Box::pin(async { drop(op.await) })
    }),
    ("write", |world| {
        let mut block = world.block();
        block.resize(BLOCK, 9);
        let op = world.ring.write_at(&world.file, 0, block.freeze());
        Box::pin(async { drop(op.await) })
    }),
];

#[derive(Clone, Copy, Debug)]
enum Step {
    Made,
    /// In the queue, of which the kernel did not take it.
    Refused,
    Submitted,
    /// Its completion is in the queue, if others did what it waits for.
    Done,
    /// Its result is in its slot.
    TakenUp,
}

#[derive(Clone, Copy, Debug)]
enum Way {
    Drop,
    Forget,
    TimeOut,
}

/// What was forgotten, where a leak checker finds it.
static FORGOTTEN: Mutex<Vec<usize>> = Mutex::new(Vec::new());

fn forget(flight: Flight) {
    let forgotten: *mut Flight = Box::leak(Box::new(flight));
    FORGOTTEN.lock().push(forgotten.expose_provenance());
}

fn reach(step: Step, world: &mut World) {
    let ring = world.ring.clone();
    match step {
        Step::Made => {}
        Step::Refused => {
            let _busy = script(|_, _| Some(Fault::Errno(libc::EAGAIN)));
            ring.turn(0).unwrap();
            assert!(ring.core.borrow_mut().is_stuck());
        }
        Step::Submitted => ring.turn(0).unwrap(),
        Step::Done => {
            ring.turn(0).unwrap();
            world.nudge();
            ring.core.borrow_mut().submit(1, Some(Duration::from_millis(5))).unwrap();
        }
        Step::TakenUp => {
            reach(Step::Done, world);
            ring.turn(0).unwrap();
        }
    }
}

/// Fills what is free, lets the kernel go on, and looks.
pub(super) fn check(world: &mut World, what: &str) {
    let canary = pattern(BLOCK, 5);
    let mut canaries: Vec<_> = (0..24).map(|_| world.block()).collect();
    for block in &mut canaries {
        block.extend_from_slice(&canary);
    }
    for _ in 0..4 {
        world.nudge();
        world.ring.core.borrow_mut().submit(1, Some(Duration::from_micros(300))).unwrap();
        assert!(canaries.iter().all(|block| **block == *canary), "{what}: not yet taken up");
        world.ring.turn(0).unwrap();
        assert!(canaries.iter().all(|block| **block == *canary), "{what}: taken up");
    }
}

fn attack((name, start): Scenario, step: Step, way: Way, sent: &Slice) -> io::Result<()> {
    let what = format!("{name}, {step:?}, {way:?}");
    let mut world = World::new(sent)?;
    let flight = start(&world);
    reach(step, &mut world);
    match way {
        Way::Drop => drop(flight),
        Way::Forget => forget(flight),
        Way::TimeOut => {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            let timed = async { timeout(Duration::from_micros(200), flight).await };
            drop(runtime.block_on(world.ring.run_until(timed))?);
        }
    }
    check(&mut world, &what);
    let pool = world.pool.clone();
    drop(world);
    if !matches!(way, Way::Forget) {
        assert_eq!(pool.outstanding(), 0, "{what}");
    }
    Ok(())
}

#[test]
fn t26_given_up_at_every_step() {
    let sent = Slice::from(pattern(MUCH, 3));
    for scenario in SCENARIOS {
        for step in [Step::Made, Step::Refused, Step::Submitted, Step::Done, Step::TakenUp] {
            for way in [Way::Drop, Way::Forget, Way::TimeOut] {
                match attack(scenario, step, way, &sent) {
                    Err(refused) if refused.kind() == io::ErrorKind::Unsupported => {
                        return skip(&refused.to_string());
                    }
                    attacked => attacked.unwrap(),
                }
            }
        }
    }
    // The forgotten ones' slices are where they were.
    assert_eq!(sent, pattern(MUCH, 3));
}
