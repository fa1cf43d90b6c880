//! A folder of our own for the files that are read and sent.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write};
use std::ops::RangeInclusive;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, process};

/// A byte that no file of a [`Folder`] has.
pub const ABSENT: u8 = 0;

/// What a file's bytes repeat: all that can be seen. No two pages are the same for a long time.
const REPEATED: RangeInclusive<u8> = b' '..=b'~';

/// Bytes that are written at once: a multiple of what is repeated.
const CHUNK: usize = 95 << 10;

/// Whether these are a file's bytes from `at` on.
#[must_use]
pub fn is_file(bytes: &[u8], at: usize) -> bool {
    let should = REPEATED.cycle().skip(at % REPEATED.count());
    bytes.iter().copied().zip(should).all(|(byte, should)| byte == should)
}

/// A folder that only this user may enter; removed again when it is dropped.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// A new one, where the system has its temporary files.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn new() -> io::Result<Self> {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let name = format!("aqueduct-copy-cost-{}-{number}", process::id());
        let path = env::temp_dir().join(name);
        DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file of so many bytes to the disk; it is in the system's cache then. Gives its path.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn file(&self, name: &str, len: usize) -> io::Result<PathBuf> {
        let path = self.0.join(name);
        let mut file = File::create(&path)?;
        let chunk: Vec<u8> = REPEATED.cycle().take(CHUNK).collect();
        let mut left = len;
        while left > 0 {
            let some = left.min(chunk.len());
            file.write_all(&chunk[..some])?;
            left -= some;
        }
        // What is written back later would be in the way of who measures, and of reads past the cache.
        file.sync_all()?;
        Ok(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // It is among the temporary files: nobody can do more about it.
        let _ = fs::remove_dir_all(&self.0);
    }
}
