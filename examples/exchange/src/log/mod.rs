//! The log of orders: what was acknowledged is read again after a crash, in place, and nothing else is.
//!
//! # The files
//!
//! A folder holds segments, `00000000000000000001.log`, each named after the first sequence number in it.
//! All numbers are little-endian. A segment begins with a header of 64 bytes:
//!
//! | bytes | what |
//! |---|---|
//! | 0..8 | `AQORDERS` |
//! | 8..12 | the version of the format, [`VERSION`] |
//! | 12..14, 14..16 | the [`Encoding`]; 1 where [`Fsync::Never`] wrote it, else 0 |
//! | 16..24 | the first sequence number |
//! | 24..32 | what the orders were taken on by: a number of the opening balances, markets and limits, or 0 |
//! | 32..36 | CRC32C of the bytes before |
//!
//! Records follow, all of one size, with a head of 24 bytes each:
//!
//! | bytes | what |
//! |---|---|
//! | 0..4 | CRC32C of the record's other bytes |
//! | 4..8 | length of the payload: an order's, or 0 for a closing mark, whose payload is not used |
//! | 8..16 | sequence number; of a mark, the next one |
//! | 16..24 | the *mark*: up to here the log was durable when this record was made |
//!
//! and the order behind it, archived by rkyv (64 bytes, aligned to 8 in every segment and in every block
//! that it is read into), or as bincode has it. Snapshots, `00000000000000000042.snap`, are bytes of the
//! caller's, the state behind that order.
//!
//! # What may be missing at the end
//!
//! Whatever was not yet durable when the machine stopped may be there or not, in any order, in pieces. So
//! the first record that is not good ends the log if nothing behind it proves that it ever was: the log is
//! *torn*. It is *damaged*, and refused with segment and offset, if
//!
//! 1. a good record anywhere behind it carries a mark that covers it; in a segment that is never synced, any
//!    good record will do, for there a process that dies leaves all that was written, in order;
//! 2. it does not lie in the last segment: a segment is begun when the one before is durable;
//! 3. its checksum is good, but it is not what belongs there;
//! 4. the header of a segment is no header, though a good record is behind it, or has another version.
//!
//! A log that was [closed](Log::close) ends with a mark that covers it all, so that a bit that falls
//! anywhere before the mark is damage. In one that was not, the records of the last group have nothing
//! behind them that covers them: damage there cannot be told from a write that a crash cut. A cut at the
//! end cannot be told from a crash, ever.
//!
//! # Faults
//!
//! A write that fails (no room, an I/O error) leaves the log as it was: what was appended stays in memory,
//! the next [`commit`](Log::commit) cuts the torn end off and writes it again. A *sync* that fails closes
//! the log for good: the system may have dropped what it could not write and call it clean, so that a
//! second sync that succeeds would mean nothing. What such a log holds beyond its last mark is read from
//! the system's cache when it is opened again, and therefore written and synced anew, before a new order.

mod encoding;
mod error;
mod folder;
mod keeper;
mod options;
mod record;
mod recovery;
mod segment;
mod snapshot;
mod storage;
mod tail;
mod writer;

pub use encoding::{Logged, archive, archived, from_bincode, restored, to_bincode};
pub use error::{Damage, LogError};
pub use folder::Folder;
pub use keeper::Keeper;
pub use options::{Encoding, Fsync, Options};
pub use recovery::Recovery;
pub use segment::VERSION;
pub use snapshot::Snapshot;
pub use storage::{Medium, Storage};
pub use writer::Log;

pub(crate) use storage::read_full;

use aqueduct::{Pool, SliceMut};

/// Bytes that are gathered for one write, and read at once: the system's own cost of a call is small
/// against what it takes to move so many.
const BLOCK: usize = 256 << 10;

/// A block that begins at a page, empty.
fn block() -> SliceMut {
    static PAGES: std::sync::LazyLock<Pool> = std::sync::LazyLock::new(|| {
        let pages = Pool::builder().alignment(4096).largest_block(BLOCK).build();
        // The sizes are powers of two and a page is the largest alignment that there is.
        pages.unwrap_or_default()
    });
    PAGES.get(BLOCK)
}
