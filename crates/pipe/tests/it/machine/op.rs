//! The steps of a schedule.

use super::oracle::Ended;
use aqueduct_testkit::Step;

/// How a half waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Not at all.
    Try,
    /// As a future that is polled once and dropped.
    Drop,
    /// As one of two tasks, which goes on waiting.
    Keep(usize),
}

/// What becomes of a view.
#[derive(Clone, Debug)]
pub enum Decision {
    None,
    Consume(usize),
    NeedMore(usize),
    Take(usize, usize),
}

#[derive(Clone, Debug)]
pub enum Op {
    Write(usize),
    Slot(usize, usize),
    Push(usize),
    /// A sequence, in pieces of so many bytes.
    Pieces(usize, usize),
    Placeholder(usize),
    Rollback,
    Flush(Way),
    Drained(Way),
    Ready(usize, Way),
    /// Through tokio's trait; within a turn that is over already, if so.
    CopyIn(usize, Way, bool),
    WriterClosed(usize),
    Release,
    InterruptFlush,
    EndWriter(Ended),
    Read(Way, Decision),
    ReadAtLeast(usize, Way, Decision),
    /// As [`CopyIn`](Self::CopyIn).
    CopyOut(usize, Way, bool),
    ReaderClosed(usize),
    ReaderRelease,
    InterruptRead,
    EndReader(Ended),
}

impl Way {
    /// The task that goes on waiting, if one is named.
    pub fn task(self) -> Option<usize> {
        if let Self::Keep(task) = self { Some(task) } else { None }
    }

    fn decode(byte: u8) -> Self {
        [Self::Try, Self::Drop, Self::Keep(0), Self::Keep(1)][usize::from(byte) % 4]
    }
}

impl Op {
    /// The operation that a step says. The ends are rare, or nothing would come after them.
    pub fn decode(step: Step) -> Self {
        let (size, other) = (step.size(), usize::from(step.y));
        let small = usize::from(step.x) % 100;
        let (way, task) = (Way::decode(step.who), usize::from(step.who % 2));
        let spent = step.who & 0x70 == 0x70;
        let ended = [Ended::Finished, Ended::Failed, Ended::Dropped][usize::from(step.who) % 3];
        let decision = match step.other % 4 {
            0 => Decision::None,
            1 => Decision::Consume(other),
            2 => Decision::NeedMore(other),
            _ => Decision::Take(other, usize::from(step.other)),
        };
        match step.op {
            0..38 => Self::Write(size),
            38..50 => Self::Slot(small, other),
            50..66 => Self::Push(size),
            66..72 => Self::Pieces(size, other % 64 + 1),
            72..78 => Self::Placeholder(small % 20),
            78..82 => Self::Rollback,
            82..118 => Self::Flush(way),
            118..126 => Self::Drained(way),
            126..134 => Self::Ready(size, way),
            134..142 => Self::CopyIn(size, way, spent),
            142..146 => Self::WriterClosed(task),
            146..150 => Self::Release,
            150..156 => Self::InterruptFlush,
            156..158 => Self::EndWriter(ended),
            158..206 => Self::Read(way, decision),
            206..232 => Self::ReadAtLeast(size, way, decision),
            232..240 => Self::CopyOut(small, way, spent),
            240..244 => Self::ReaderClosed(task),
            244..248 => Self::ReaderRelease,
            248..254 => Self::InterruptRead,
            254.. => Self::EndReader(ended),
        }
    }
}
