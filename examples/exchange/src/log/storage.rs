//! The seam to the file system: what a log asks of it, so that tests can make it misbehave.

use std::io;

/// A folder of files with names.
pub trait Storage {
    /// An open file.
    type File: Medium;

    /// All names in it, in any order.
    ///
    /// # Errors
    ///
    /// The system's.
    fn names(&self) -> io::Result<Vec<String>>;

    /// The file of this name.
    ///
    /// # Errors
    ///
    /// The system's.
    fn open(&self, name: &str) -> io::Result<Self::File>;

    /// An empty file of this name; one that was there is emptied.
    ///
    /// # Errors
    ///
    /// The system's.
    fn create(&self, name: &str) -> io::Result<Self::File>;

    /// Gives a file another name, in place of what had it.
    ///
    /// # Errors
    ///
    /// The system's.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Takes a file out of the folder.
    ///
    /// # Errors
    ///
    /// The system's.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Makes the names outlive the machine.
    ///
    /// # Errors
    ///
    /// The system's.
    fn sync(&self) -> io::Result<()>;
}

/// A file: reads and writes at offsets, which may do less than they are asked for.
pub trait Medium {
    /// Its bytes.
    ///
    /// # Errors
    ///
    /// The system's.
    fn size(&self) -> io::Result<u64>;

    /// Reads at `offset`; no bytes at the end.
    ///
    /// # Errors
    ///
    /// The system's.
    fn read_at(&self, room: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Writes at `offset`.
    ///
    /// # Errors
    ///
    /// The system's.
    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<usize>;

    /// Cuts its end off, or fills it up with zeros.
    ///
    /// # Errors
    ///
    /// The system's.
    fn set_size(&mut self, size: u64) -> io::Result<()>;

    /// Makes what was written outlive the machine.
    ///
    /// # Errors
    ///
    /// The system's.
    fn sync(&mut self) -> io::Result<()>;
}

/// Reads until the room is full or the file ends; gives how much it was.
pub(crate) fn read_full(
    file: &impl Medium,
    mut room: &mut [u8],
    mut offset: u64,
) -> io::Result<usize> {
    let wanted = room.len();
    while !room.is_empty() {
        match file.read_at(room, offset) {
            Ok(0) => break,
            Ok(count) => {
                room = &mut room[count..];
                offset += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(wanted - room.len())
}

/// Writes all of it.
pub(crate) fn write_full(
    file: &mut impl Medium,
    mut bytes: &[u8],
    mut offset: u64,
) -> io::Result<()> {
    while !bytes.is_empty() {
        match file.write_at(bytes, offset) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => {
                bytes = &bytes[count..];
                offset += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
