//! [`Folder`]: the storage of the operating system.

use super::storage::{Medium, Storage};
use rustix::fs::{FlockOperation, flock};
use std::{
    fs::{self, File},
    io,
    os::unix::fs::FileExt,
    path::PathBuf,
};

/// A folder that is this process's alone for as long as the value lives.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// Open, and locked.
    folder: File,
}

impl Folder {
    /// The folder at `path`, which is made if there is none.
    ///
    /// # Errors
    ///
    /// The system's; of the kind `WouldBlock` while another process has it, or another value here.
    pub fn open(path: impl Into<PathBuf>) -> io::Result<Self> {
        let path = std::path::absolute(path.into())?;
        let missing = path.ancestors().take_while(|folder| !folder.is_dir()).count();
        fs::create_dir_all(&path)?;
        // The names of those that were made.
        for parent in path.ancestors().skip(1).take(missing) {
            File::open(parent)?.sync_all()?;
        }
        let folder = File::open(&path)?;
        flock(&folder, FlockOperation::NonBlockingLockExclusive)?;
        Ok(Self { path, folder })
    }
}

impl Drop for Folder {
    /// Unlocks: a process that is being started may have the descriptor a little longer.
    fn drop(&mut self) {
        // Closing it would be the other way.
        let _ = flock(&self.folder, FlockOperation::Unlock);
    }
}

impl Storage for Folder {
    type File = File;

    fn names(&self) -> io::Result<Vec<String>> {
        let entries = fs::read_dir(&self.path)?;
        // What is no text is no file of ours.
        let names = entries.filter_map(|entry| match entry {
            Ok(entry) => entry.file_name().into_string().ok().map(Ok),
            Err(error) => Some(Err(error)),
        });
        names.collect()
    }

    fn open(&self, name: &str) -> io::Result<File> {
        File::options().read(true).write(true).open(self.path.join(name))
    }

    fn create(&self, name: &str) -> io::Result<File> {
        let mut how = File::options();
        how.read(true).write(true).create(true).truncate(true).open(self.path.join(name))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path.join(from), self.path.join(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path.join(name))
    }

    fn sync(&self) -> io::Result<()> {
        self.folder.sync_all()
    }
}

impl Medium for File {
    fn size(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read_at(&self, room: &mut [u8], offset: u64) -> io::Result<usize> {
        FileExt::read_at(self, room, offset)
    }

    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        FileExt::write_at(self, bytes, offset)
    }

    fn set_size(&mut self, size: u64) -> io::Result<()> {
        self.set_len(size)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}
