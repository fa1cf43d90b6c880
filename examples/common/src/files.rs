//! Files that a user names.

use std::{
    fs::{self, File},
    io::{self, ErrorKind},
    path::Path,
};

/// Opens a regular file for reading. Asked before it is opened: opening a pipe waits for whoever writes to it.
///
/// # Errors
///
/// The system's, and [`ErrorKind::InvalidInput`] for what is no regular file.
pub fn open_regular(path: &Path) -> io::Result<File> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "not a regular file"));
    }
    File::open(path)
}
