//! An interpreter of schedules: a pipe and its oracle side by side, with short reads and writes,
//! interrupts, waits that are kept, given up or handed to another task, pauses, and the halves ending in
//! any order. After each step both must hold the same, and nobody sleeps whose wait is over.
//!
//! The state machine, the fuzz target and the replay of its corpus run this same code.

mod op;
mod oracle;
mod reading;
mod turns;
mod waits;
mod writing;

pub use op::{Decision, Op, Way};
use oracle::Oracle;
use waits::Waits;

use aqueduct_pipe::{Options, Reader, Writer, pipe};
use aqueduct_pool::Pool;
use aqueduct_sequence::Sequence;
use aqueduct_testkit::{steps, traced};

/// The most steps that a schedule of the fuzzer may have.
const MOST_STEPS: usize = 200;

/// What a pipe is like, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Zero never pauses.
    pub pause: usize,
    pub resume: usize,
    /// Beyond the pause.
    pub most: Option<usize>,
    pub first: usize,
}

impl Settings {
    fn decode([pause, resume, most, first]: [u8; 4]) -> Self {
        let most = usize::from(most);
        Self {
            pause: usize::from(pause),
            resume: usize::from(resume),
            most: most.checked_sub(128).map(|most| most * 4),
            first: [64, 256, 4096][usize::from(first) % 3],
        }
    }
}

type Taken = (Sequence, Vec<u8>);

/// Everything, real and modelled.
struct Machine {
    writer: Option<Writer>,
    reader: Option<Reader>,
    oracle: Oracle,
    writers: Waits,
    readers: Waits,
    /// Taken out, with what they must stay.
    taken: Vec<Taken>,
    seed: usize,
    digest: u64,
}

/// Runs the schedule in `bytes`: four for the settings, then steps. Returns a digest of all that was
/// read.
pub fn run_bytes(bytes: &[u8]) -> u64 {
    let Some((settings, rest)) = bytes.split_first_chunk() else { return 0 };
    let steps = steps(rest, MOST_STEPS);
    run(Settings::decode(*settings), steps.iter().map(|step| Op::decode(*step)))
}

/// Runs a schedule; returns a digest of all that was read.
pub fn run(settings: Settings, ops: impl IntoIterator<Item = Op>) -> u64 {
    traced(|trace| {
        *trace = format!("\n  {settings:?}");
        let pool = Pool::builder().build().expect("a sensible pool");
        let mut machine = Machine::new(&pool, settings);
        for op in ops {
            *trace += &format!("\n  {op:?}");
            machine.apply(&op);
            machine.check();
        }
        let digest = machine.digest;
        drop(machine);
        assert_eq!(pool.outstanding(), 0, "blocks are left");
        digest
    })
}

impl Machine {
    fn new(pool: &Pool, Settings { pause, resume, most, first }: Settings) -> Self {
        let resume = resume.min(pause);
        let builder = Options::builder().pool(pool).pause(pause).resume(resume);
        let builder = builder.segments(first, first.max(256));
        let most = most.map(|most| most + pause.max(1));
        let options = most.map_or(builder.clone(), |most| builder.max_buffered(most));
        let (writer, reader) = pipe(options.build().expect("sensible settings"));
        let oracle = Oracle {
            pause: if pause == 0 { usize::MAX } else { pause },
            resume: resume.max(1),
            most: most.unwrap_or(usize::MAX),
            ..Oracle::default()
        };
        Self {
            writer: Some(writer),
            reader: Some(reader),
            oracle,
            writers: Waits::default(),
            readers: Waits::default(),
            taken: Vec::new(),
            seed: 0,
            digest: 0,
        }
    }

    fn apply(&mut self, op: &Op) {
        self.seed += 1;
        self.oracle.wanted = self.readers.wanted();
        match *op {
            Op::Write(_) | Op::Slot(..) | Op::Push(_) | Op::Pieces(..) | Op::Placeholder(_) => {
                self.fill(op);
            }
            Op::Rollback => {
                self.writer.iter_mut().for_each(Writer::rollback);
                self.oracle.unflushed.clear();
            }
            Op::Flush(way) => self.flush(way),
            Op::Drained(way) => self.drained(way),
            Op::Ready(count, way) => self.ready(count, way),
            Op::CopyIn(count, way, spent) => self.copy_in(count, way, spent),
            Op::WriterClosed(task) => self.writer_closed(task),
            Op::Release => self.writer.iter_mut().for_each(Writer::release),
            Op::InterruptFlush => {
                if let Some(writer) = &self.writer {
                    writer.interrupter().interrupt();
                    self.oracle.flush_interrupt = true;
                }
            }
            Op::EndWriter(ended) => self.end_writer(ended),
            Op::Read(way, ref decision) => self.read(None, way, decision),
            Op::ReadAtLeast(least, way, ref decision) => self.read(Some(least), way, decision),
            Op::CopyOut(room, way, spent) => self.copy_out(room, way, spent),
            Op::ReaderClosed(task) => self.reader_closed(task),
            Op::ReaderRelease => self.reader.iter_mut().for_each(Reader::release),
            Op::InterruptRead => {
                if let Some(reader) = &self.reader {
                    reader.interrupter().interrupt();
                    self.oracle.read_interrupt = true;
                }
            }
            Op::EndReader(ended) => self.end_reader(ended),
        }
    }

    fn check(&mut self) {
        if let Some(writer) = &self.writer {
            assert_eq!(writer.unflushed(), self.oracle.unflushed.len() as u64);
        }
        if let Some(reader) = &self.reader {
            assert_eq!(reader.stats().buffered, self.oracle.held.len() as u64);
        }
        for (sequence, want) in &self.taken {
            assert_eq!(sequence.as_ref().to_contiguous(), &want[..]);
        }
        self.oracle.wanted = self.readers.wanted();
        let reader = self.readers.lost(|wait| self.oracle.read_due(wait));
        let writer = self.writers.lost(|wait| self.oracle.write_due(wait));
        assert_eq!((reader, writer), (None, None), "a wake-up is lost");
    }
}
