//! What is behind a record that is not good: the rules of [`crate::log`].

use super::{
    BLOCK, Encoding, Medium, block,
    record::{Head, sound, stride},
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

/// Reads what is there and writes it again, so that the next sync is about it.
pub(crate) fn write_again(file: &mut impl Medium, from: u64, to: u64) -> io::Result<()> {
    let (mut block, mut offset) = (block(), from);
    while offset < to {
        block.clear();
        let most = usize::try_from(to - offset).map_or(BLOCK, |left| left.min(BLOCK));
        let count = read_full(file, &mut block.spare_mut()[..most], offset)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        block.commit(count);
        write_full(file, &block, offset)?;
        offset += count as u64;
    }
    Ok(())
}
