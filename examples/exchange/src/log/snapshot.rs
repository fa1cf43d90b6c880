//! [`Snapshot`]: the state behind an order, in bytes of the caller's.

use super::{
    LogError, Medium, Storage,
    segment::numbered,
    storage::{read_full, write_full},
};
use aqueduct::{Pool, Slice};
use crc32c::{crc32c, crc32c_append};
use std::io;

const MAGIC: u64 = u64::from_le_bytes(*b"AQSTATES");
const VERSION: u64 = 2;
const HEADER: usize = 40;
const END: &str = ".snap";
/// Of a name while its file is written.
const ASIDE: &str = ".part";
/// The newest, and one that stands in for it should it be damaged.
const KEPT: usize = 2;

/// The state behind an order, in bytes of the caller's.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The last order in it.
    pub seq: u64,
    /// What the caller gave.
    pub bytes: Slice,
}

impl Snapshot {
    /// Of its file.
    pub(crate) fn name(&self) -> String {
        name(self.seq)
    }
}

pub(crate) fn name(seq: u64) -> String {
    format!("{seq:020}{END}")
}

/// Magic, version, sequence number, length; then the checksum of these and of the bytes.
fn header(seq: u64, bytes: &[u8]) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    let words = [MAGIC, VERSION, seq, bytes.len() as u64];
    for (place, word) in header.as_chunks_mut::<8>().0.iter_mut().zip(words) {
        *place = word.to_le_bytes();
    }
    let sum = u64::from(crc32c_append(crc32c(&header[..32]), bytes));
    header.as_chunks_mut::<8>().0[4] = sum.to_le_bytes();
    header
}

/// Writes one aside, makes it durable and gives it its name; then forgets the oldest.
pub(crate) fn write(storage: &impl Storage, seq: u64, bytes: &[u8]) -> Result<(), LogError> {
    let (name, aside) = (name(seq), format!("{}{ASIDE}", name(seq)));
    let write = || {
        let mut file = storage.create(&aside)?;
        write_full(&mut file, &header(seq, bytes), 0)?;
        write_full(&mut file, bytes, HEADER as u64)?;
        // Should this fail, the file is given up: the next attempt begins with an empty one.
        file.sync()?;
        storage.rename(&aside, &name)?;
        storage.sync()
    };
    let written = write().map_err(LogError::io("cannot write the snapshot", &name));
    if written.is_err() {
        // It holds room that the log may need, and may not be there at all.
        let _ = storage.remove(&aside);
        return written;
    }
    for old in seqs(storage)?.into_iter().rev().skip(KEPT) {
        let old = self::name(old);
        storage.remove(&old).map_err(LogError::io("cannot remove", &old))?;
    }
    Ok(())
}

/// The newest that is good.
pub(crate) fn newest(storage: &impl Storage) -> Result<Option<Snapshot>, LogError> {
    for seq in seqs(storage)?.into_iter().rev() {
        let name = name(seq);
        let read = read(storage, &name, seq).map_err(LogError::io("cannot read", &name))?;
        if read.is_some() {
            return Ok(read);
        }
    }
    Ok(None)
}

/// Those that are there, the newest last.
fn seqs(storage: &impl Storage) -> Result<Vec<u64>, LogError> {
    let names = storage.names().map_err(LogError::io("cannot list the folder", ""))?;
    let mut seqs: Vec<_> = names.iter().filter_map(|name| numbered(name, END)).collect();
    seqs.sort_unstable();
    Ok(seqs)
}

/// None if it is damaged.
fn read(storage: &impl Storage, name: &str, seq: u64) -> io::Result<Option<Snapshot>> {
    let file = storage.open(name)?;
    // As long as the file, whatever its header says.
    let len = usize::try_from(file.size()?).map_err(io::Error::other)?;
    let Some(len) = len.checked_sub(HEADER) else { return Ok(None) };
    let mut found = [0; HEADER];
    read_full(&file, &mut found, 0)?;
    let mut bytes = Pool::global().get(len);
    let count = read_full(&file, &mut bytes.spare_mut()[..len], HEADER as u64)?;
    bytes.commit(count);
    let good = found == header(seq, &bytes);
    Ok(good.then(|| Snapshot { seq, bytes: bytes.freeze() }))
}

/// Removes what was never finished.
pub(crate) fn sweep(storage: &impl Storage) -> Result<(), LogError> {
    let names = storage.names().map_err(LogError::io("cannot list the folder", ""))?;
    let unfinished =
        |name: &&String| name.strip_suffix(ASIDE).is_some_and(|name| numbered(name, END).is_some());
    for name in names.iter().filter(unfinished) {
        storage.remove(name).map_err(LogError::io("cannot remove", name))?;
    }
    Ok(())
}
