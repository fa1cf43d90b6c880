//! A capture file, read as a stream of pooled blocks that break only between records.
//!
//! A reader that fills a buffer, hands out what is whole and carries the cut-off record over to the
//! next buffer copies that record's bytes: one record per buffer. Here nothing is carried over. A
//! block keeps `RESERVE` bytes back when it is filled; then the record that the fill cut off says
//! how long it is, and exactly its missing bytes are read into the reserve, in place behind those
//! already there. So every record lies whole in one block, each byte is read once, memory is
//! bounded, and any length of file works.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use aqueduct::{Pool, Slice, SliceMut};
use example_common::open_regular;

use crate::format::{FILE_HEADER, FileHeader, LONGEST_FRAME, RECORD_HEADER, Record, short};
use crate::generate;
use crate::{Error, Fault};

/// Room for all of a record but its first byte, rounded up to the record.
const RESERVE: usize = RECORD_HEADER + LONGEST_FRAME;
/// What a block of a long file takes from the pool: its largest class. Four to one over the
/// reserve.
const BLOCK: usize = 1 << 20;
/// The capture that comes with this package.
static BUNDLED: &[u8] = include_bytes!("../data/loopback-http.pcap");

/// A capture file that can be read again and again.
#[derive(Debug)]
pub struct Capture {
    file: File,
    name: String,
    /// The file's length when it was opened or rewound; what is appended later is not read.
    len: u64,
    /// Bytes read since the last rewind.
    read: u64,
    header: Option<FileHeader>,
    /// Found while a block was filled, due once the records before it are handed out.
    pending: Option<Fault>,
    pool: Pool,
}

impl Capture {
    /// Opens the file at `path`.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when it cannot be opened or is no regular file. What it holds is checked when
    /// it is read.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let name = path.display().to_string();
        let file = open_regular(path).map_err(|e| Error::io(&name, e))?;
        Self::new(file, name)
    }

    /// The capture that comes with this package: real HTTP traffic over loopback.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when a temporary file cannot be written.
    pub fn bundled() -> Result<Self, Error> {
        Self::spooled("loopback-http.pcap", BUNDLED)
    }

    /// The capture that `bytes` are, by way of a temporary file.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when a temporary file cannot be written.
    pub fn spooled(name: &str, bytes: &[u8]) -> Result<Self, Error> {
        Self::temporary(name, |file| file.write_all(bytes))
    }

    /// A made-up capture of so many packets: see [`generate::capture`].
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when a temporary file cannot be written.
    pub fn generated(packets: u64) -> Result<Self, Error> {
        Self::temporary("generated", |file| {
            let mut out = io::BufWriter::new(file);
            generate::capture(packets, &mut out)?;
            out.flush()
        })
    }

    /// A capture in a file that is gone with this value: so all input is read alike, from a file.
    fn temporary(
        name: &str,
        fill: impl FnOnce(&mut File) -> io::Result<()>,
    ) -> Result<Self, Error> {
        let make = || {
            let mut file = unnamed_file()?;
            fill(&mut file)?;
            Ok(file)
        };
        let file = make().map_err(|e| Error::io(name, e))?;
        Self::new(file, name.to_owned())
    }

    fn new(file: File, name: String) -> Result<Self, Error> {
        let pool = Pool::global().clone();
        let mut capture =
            Capture { file, name, len: 0, read: 0, header: None, pending: None, pool };
        capture.rewind()?;
        Ok(capture)
    }

    /// The file's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file's length.
    #[must_use]
    pub fn file_len(&self) -> u64 {
        self.len
    }

    /// Starts over.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] from the file.
    pub fn rewind(&mut self) -> Result<(), Error> {
        let len = self.file.seek(SeekFrom::End(0));
        let rewound = len.and_then(|len| self.file.rewind().map(|()| len));
        self.len = rewound.map_err(|e| Error::io(&self.name, e))?;
        (self.read, self.header, self.pending) = (0, None, None);
        Ok(())
    }

    /// Reads the next block of whole records; `None` at the end of the file.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] from the file; [`Error::Capture`] when the next record lies or is cut, after
    /// all before it were handed out.
    pub fn next_block(&mut self) -> Result<Option<Block>, Error> {
        if let Some(fault) = self.pending.take() {
            return Err(self.fault(fault));
        }
        if self.header.is_some() && self.read == self.len {
            return Ok(None);
        }
        let offset = self.read;
        let mut bytes = self.first_fill()?;
        let (header, start) = match self.header {
            Some(header) => (header, 0),
            None => {
                let header = FileHeader::parse(&bytes).map_err(|f| self.fault(f))?;
                self.header = Some(header);
                (header, FILE_HEADER)
            }
        };
        let mut walk = walk_from(&header, &bytes, start, offset);
        // At most twice: for the rest of a record's header, then for the rest of its frame.
        while let Stop::Missing { needed, found, what } = walk.stop {
            let got = self.fill(&mut bytes, needed - found)?;
            walk = if found + got == needed {
                walk_from(&header, &bytes, walk.end, offset)
            } else {
                let at = offset + (bytes.len() - found - got) as u64;
                let fault = Fault { offset: at, kind: short(what, needed, found + got) };
                Walk { stop: Stop::Fault(fault), ..walk }
            };
        }
        if let Stop::Fault(fault) = walk.stop {
            self.pending = Some(fault);
        }
        Ok(Some(Block { bytes: bytes.freeze(), header, offset, start, end: walk.end }))
    }

    fn first_fill(&mut self) -> Result<SliceMut, Error> {
        // A file that fits is one block of its own length, and needs no reserve.
        let (size, fill) = match usize::try_from(self.len - self.read) {
            Ok(left) if left <= BLOCK => (left, left),
            _ => (BLOCK, BLOCK - RESERVE),
        };
        let mut bytes = self.pool.get(size);
        self.fill(&mut bytes, fill)?;
        Ok(bytes)
    }

    /// Reads `want` bytes more, or what the file has left.
    fn fill(&mut self, bytes: &mut SliceMut, want: usize) -> Result<usize, Error> {
        let want = usize::try_from(self.len - self.read).map_or(want, |left| want.min(left));
        let mut got = 0;
        while got < want {
            // Into the spare room as it is: a file does not claim to have read more than it did.
            match self.file.read(&mut bytes.spare_mut()[..want - got]) {
                Ok(0) => {
                    // The file was made shorter meanwhile.
                    self.len = self.read;
                    break;
                }
                Ok(n) => {
                    bytes.commit(n);
                    got += n;
                    self.read += n as u64;
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(Error::io(&self.name, e)),
            }
        }
        Ok(got)
    }

    pub(crate) fn fault(&self, fault: Fault) -> Error {
        Error::capture(&self.name, fault)
    }
}

/// A block of the file that holds whole records.
#[derive(Debug)]
pub struct Block {
    bytes: Slice,
    header: FileHeader,
    /// Where the block begins in the file.
    offset: u64,
    /// Records lie in `start..end`, each checked.
    start: usize,
    end: usize,
}

impl Block {
    /// The block's bytes: what payloads are slices of.
    #[must_use]
    pub fn bytes(&self) -> &Slice {
        &self.bytes
    }

    /// The header of the file that the block is from.
    #[must_use]
    pub fn header(&self) -> &FileHeader {
        &self.header
    }

    /// The frames in the block.
    pub fn frames(&self) -> impl Iterator<Item = Frame<'_>> {
        let mut at = self.start;
        std::iter::from_fn(move || {
            let bytes = &self.bytes[at..self.end];
            let record = self.header.record(bytes.first_chunk()?, 0).ok()?;
            let begin = at + RECORD_HEADER;
            at = begin + record.captured;
            let bytes = &self.bytes[begin..at];
            Some(Frame { record, bytes, at: begin, offset: self.offset + begin as u64 })
        })
    }
}

/// A frame in a block.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// What its record says of it.
    pub record: Record,
    /// The bytes that were captured of it.
    pub bytes: &'a [u8],
    /// Where it begins in the block.
    pub at: usize,
    /// Where it begins in the file.
    pub offset: u64,
}

/// How far the whole records of a block reach.
#[derive(Clone, Copy)]
struct Walk {
    end: usize,
    stop: Stop,
}

#[derive(Clone, Copy)]
enum Stop {
    /// The bytes end with the last record.
    Clean,
    /// The bytes end inside a structure.
    Missing {
        what: &'static str,
        needed: usize,
        found: usize,
    },
    Fault(Fault),
}

/// Goes from record header to record header, checking each.
fn walk_from(header: &FileHeader, bytes: &[u8], start: usize, offset: u64) -> Walk {
    let mut end = start;
    let stop = loop {
        let rest = &bytes[end..];
        let Some(head) = rest.first_chunk::<RECORD_HEADER>() else {
            let (needed, found) = (RECORD_HEADER, rest.len());
            break if rest.is_empty() {
                Stop::Clean
            } else {
                Stop::Missing { what: "a record header", needed, found }
            };
        };
        let needed = match header.record(head, offset + end as u64) {
            Ok(record) => record.captured,
            Err(fault) => break Stop::Fault(fault),
        };
        let found = rest.len() - RECORD_HEADER;
        if found < needed {
            break Stop::Missing { what: "a frame", needed, found };
        }
        end += RECORD_HEADER + needed;
    };
    Walk { end, stop }
}

/// A file in the system's temporary folder that has no name any more.
fn unnamed_file() -> io::Result<File> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("patterns-{}-{number}.pcap", std::process::id());
    let path = std::env::temp_dir().join(name);
    let file = File::options().read(true).write(true).create_new(true).open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}
