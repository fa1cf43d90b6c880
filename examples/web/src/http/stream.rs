//! [`Stream`]: an answer that is sent as it is made.

use aqueduct::{Slice, Writer};
use std::{
    io::{self, Write},
    panic::{AssertUnwindSafe, catch_unwind},
};

/// What is left of an answer.
pub(crate) struct Stream {
    pub(crate) slices: Box<dyn Iterator<Item = Slice> + Send>,
    /// Else the end of the connection is the answer's.
    pub(crate) chunked: bool,
    pub(crate) copying: bool,
}

impl Stream {
    /// Writes slices until so many bytes wait. Whether that was all. An iterator that panics is an error.
    pub(crate) fn write(&mut self, out: &mut Writer, most: u64) -> io::Result<bool> {
        while out.unflushed() < most {
            // It is not used again.
            let next = catch_unwind(AssertUnwindSafe(|| self.slices.next()));
            let Some(slice) = next.map_err(|_| io::ErrorKind::Other)? else {
                if self.chunked {
                    out.write(b"0\r\n\r\n")?;
                }
                return Ok(true);
            };
            if !slice.is_empty() {
                self.write_one(out, slice)?;
            }
        }
        Ok(false)
    }

    fn write_one(&self, out: &mut Writer, slice: Slice) -> io::Result<()> {
        if self.chunked {
            let mut slot = out.reserve(2 * size_of::<usize>() + 2)?;
            let room = slot.len();
            let mut rest = slot.room();
            // There is room for the longest of all.
            let _ = write!(rest, "{:x}\r\n", slice.len());
            let used = room - rest.len();
            slot.commit(used);
        }
        if self.copying {
            out.write(&slice)?;
        } else {
            out.push(slice).map_err(|refused| refused.error)?;
        }
        if self.chunked {
            out.write(b"\r\n")?;
        }
        Ok(())
    }
}
