//! A file over HTTP, to any client: the document's file server, which reads a file whole before it
//! sends the first byte, and ways to send it that never hold more than a block of it.

mod body;
mod program;
mod range;
mod target;
mod uring;

pub(crate) use program::{Arguments, run};
pub use uring::with_ring;

use std::fs::{File, Metadata};
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use httpdate::{fmt_http_date, parse_http_date};
use web::{Reply, Request, Service};

use range::Wanted;
use target::{Refused, Root};

/// How a file gets from the disk to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Way {
    /// The document's: read whole into an array, which is then written
    ReadAll,
    /// Written out of a map of the file
    Mapped,
    /// Moved by the system, file to socket
    Sendfile,
    /// Read into pooled blocks, which are then written
    Pooled,
    /// The same, with blocks that the system fills by itself
    IoUring,
}

/// Answers `GET` and `HEAD` with the files below a root.
///
/// Whole or in part (`Range`, one part), or not at all if the client has it (`If-Modified-Since`).
#[derive(Debug)]
pub struct Files {
    root: Root,
    way: Way,
}

impl Files {
    /// The files below the folder `root`.
    ///
    /// # Errors
    ///
    /// When it cannot be opened, or is no folder.
    pub fn new(root: &Path, way: Way) -> io::Result<Self> {
        Ok(Self { root: Root::open(root)?, way })
    }

    fn answer(
        &self,
        file: File,
        metadata: &Metadata,
        request: &Request<'_>,
        reply: &mut Reply<'_>,
    ) {
        let len = metadata.len();
        let modified = metadata.modified().ok().and_then(whole_seconds);
        let has = date(request, "if-modified-since").zip(modified);
        if has.is_some_and(|(has, modified)| modified <= has) {
            tell_age(modified, reply.status(304));
            return reply.empty();
        }
        // A part of another version is of no use.
        let same = request.headers.get("if-range").is_none() || {
            let has = date(request, "if-range");
            has.is_some() && has == modified
        };
        let wanted = request.headers.get("range").filter(|_| same);
        let part = match wanted.map_or(Wanted::Whole, |header| range::wanted(header, len)) {
            Wanted::Outside => {
                reply.status(416).header("content-range", format!("bytes */{len}"));
                return reply.empty();
            }
            Wanted::Whole => {
                reply.status(200);
                0..len
            }
            Wanted::Part(part) => {
                let shown = format!("bytes {}-{}/{len}", part.start, part.end - 1);
                reply.status(206).header("content-range", shown);
                part
            }
        };
        let kind = mime_guess::from_path(request.path).first_raw();
        reply.header("content-type", kind.unwrap_or("application/octet-stream"));
        tell_age(modified, reply.header("accept-ranges", "bytes"));
        if part.is_empty() {
            return reply.empty();
        }
        body::hand_over(self.way, file, part, reply);
    }
}

impl Service for Files {
    fn call(&self, request: &Request<'_>, reply: &mut Reply<'_>) {
        if !matches!(request.method, "GET" | "HEAD") {
            return reply.status(405).header("allow", "GET, HEAD").empty();
        }
        match self.root.file(request.path) {
            Ok((file, metadata)) => self.answer(file, &metadata, request, reply),
            Err(refused) => reply.status(status(&refused)).empty(),
        }
    }
}

fn status(refused: &Refused) -> u16 {
    match refused {
        Refused::Malformed => 400,
        Refused::Forbidden => 403,
        Refused::Missing => 404,
        Refused::Failed(_) => 503,
    }
}

/// A header that is a date.
fn date(request: &Request<'_>, name: &str) -> Option<SystemTime> {
    parse_http_date(str::from_utf8(request.headers.get(name)?).ok()?).ok()
}

/// A time as a client gives it back; none where it has no form in HTTP.
fn whole_seconds(time: SystemTime) -> Option<SystemTime> {
    const YEAR_10000: u64 = 253_402_300_800;
    let seconds = time.duration_since(UNIX_EPOCH).ok()?.as_secs();
    (seconds < YEAR_10000).then(|| UNIX_EPOCH + Duration::from_secs(seconds))
}

fn tell_age(modified: Option<SystemTime>, reply: &mut Reply<'_>) {
    if let Some(modified) = modified {
        reply.header("last-modified", fmt_http_date(modified));
    }
}
