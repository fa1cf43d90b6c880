//! What is behind a record that is not good: the rules of [`crate::log`].

use super::{
    BLOCK, Encoding, LogError, Medium, Storage, block,
    record::{Head, sound, stride},
    segment,
    storage::{read_full, write_full},
};
use std::io;

/// Whether a good record at `from` or behind it, at whatever offset, says that order `seq` was durable.
/// Linear in the bytes behind.
pub(crate) fn covers(
    file: &impl Medium,
    from: u64,
    seq: u64,
    encodings: &[Encoding],
) -> io::Result<bool> {
    let (mut block, mut offset) = (block(), from);
    loop {
        block.clear();
        let count = read_full(file, &mut block.spare_mut()[..BLOCK], offset)?;
        block.commit(count);
        for &encoding in encodings {
            let covers = |record: &[u8]| {
                let head = Head::of(record);
                // Nearly all places fail here, before the checksum.
                (head.length == encoding.payload() || head.length == 0)
                    && (seq..head.seq).contains(&head.mark)
                    && sound(record)
            };
            if block.windows(stride(encoding)).any(covers) {
                return Ok(true);
            }
        }
        if count < BLOCK {
            return Ok(false);
        }
        // A record that began in this block and ends in the next is looked at there.
        let longest = encodings.iter().map(|encoding| stride(*encoding)).max().unwrap_or(1);
        offset += (BLOCK - longest + 1) as u64;
    }
}

/// Makes the orders behind `marked` durable, and that the log ends behind them: they may be in the system's
/// cache only, and called clean there. So their segments are written again, the last one from `from` on, and
/// then synced.
pub(crate) fn settle<S: Storage>(
    storage: &S,
    segments: &[u64],
    marked: u64,
    from: u64,
) -> Result<(), LogError> {
    for (index, first) in segments.iter().enumerate() {
        let next = segments.get(index + 1);
        if next.is_some_and(|next| next - 1 <= marked) {
            continue;
        }
        let settle = || {
            let mut file = storage.open(&segment::name(*first))?;
            write_again(&mut file, if next.is_some() { 0 } else { from })?;
            file.sync()
        };
        settle().map_err(LogError::io("cannot settle", &segment::name(*first)))?;
    }
    storage.sync().map_err(LogError::io("cannot sync the folder", ""))
}

fn write_again(file: &mut impl Medium, from: u64) -> io::Result<()> {
    let (mut block, mut offset) = (block(), from);
    loop {
        block.clear();
        let count = read_full(file, &mut block.spare_mut()[..BLOCK], offset)?;
        block.commit(count);
        write_full(file, &block, offset)?;
        offset += count as u64;
        if count < BLOCK {
            return Ok(());
        }
    }
}
