//! Bytes in memory, and those of a file, to a socket, in every way.

use std::fs::File;
use std::io::{self, Write};
use std::net::TcpStream;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use aqueduct::os::uring::Ring;
use aqueduct::os::{
    MappedFile, Method, Transfer, ZeroCopyChoice, ZeroCopySender, write_all_vectored,
};
use aqueduct::{Sequence, Slice};
use rustix::buffer::spare_capacity;
use rustix::io::pread;

use super::ground::{FILE, Ground};
use super::line::Line;
use super::{Entrant, Work};
use crate::measure::OURS;

/// Pieces that a message in memory consists of.
const PIECES: usize = 4;

/// Bytes of all messages in memory together: as those of the file, they are in no processor's cache.
const MEMORY: usize = FILE;

/// The key of what copies into a Vec of its own.
pub(super) const VEC: &str = "vec";

/// The key of what cannot be done with less: one write of one piece.
pub(super) const WRITE: &str = "write";

/// Bytes that are in memory.
pub(super) fn memory(len: usize) -> Vec<Entrant> {
    let block = Slice::from(vec![b'x'; MEMORY]);
    let own = || block.clone();
    let (for_writev, for_vec, for_write, for_flag, for_ring) = (own(), own(), own(), own(), own());
    vec![
        Entrant::new(OURS, "writev of four slices", move || {
            let line = Line::new(len)?;
            each(line, len, move |socket, part| {
                let sequence = pieces(&for_writev, part);
                write_all_vectored(sequence.as_ref()).run(socket)?;
                Ok(())
            })
        }),
        Entrant::new(VEC, "joined in a new Vec, which is written", move || {
            let line = Line::new(len)?;
            each(line, len, move |socket, part| {
                let sequence = pieces(&for_vec, part);
                let mut bytes = Vec::with_capacity(len);
                sequence.as_ref().segments().for_each(|piece| bytes.extend_from_slice(piece));
                (&**socket).write_all(&bytes)
            })
        }),
        Entrant::new(WRITE, "of one piece", move || {
            let line = Line::new(len)?;
            each(line, len, move |socket, part| (&**socket).write_all(&for_write[part]))
        }),
        Entrant::new("msg-zerocopy", "which finds that loopback copies, and writes", move || {
            let line = Line::new(len)?;
            let choice = ZeroCopyChoice { least: 1, local: true };
            let mut sender = ZeroCopySender::with_choice(Arc::clone(&line.socket), choice)?;
            each(line, len, move |_, part| sender.send(&mut pieces(&for_flag, part)))
        }),
        Entrant::new("send-zc", "of one piece; it finds the same, and SENDs", move || {
            let line = Line::new(len)?;
            let sender = Ring::new(8)?.sender(&line.socket);
            each(line, len, move |_, mut part| {
                while !part.is_empty() {
                    part.start += sender.send(for_ring.slice(part.clone())).wait()?;
                }
                Ok(())
            })
        }),
    ]
}

/// Some bytes of a block, as a message of some pieces.
fn pieces(block: &Slice, part: Range<usize>) -> Sequence {
    let (start, len) = (part.start, part.len() / PIECES);
    // From the last one on: neighbours in order would be joined.
    (0..PIECES).map(|i| block.slice(start + i * len..start + (i + 1) * len)).rev().collect()
}

/// Bytes of a file.
pub(super) fn file(ground: &Rc<Ground>, len: usize) -> Vec<Entrant> {
    let own = || Arc::clone(&ground.cached);
    let (for_vec, for_part, for_whole) = (own(), own(), own());
    vec![
        moved(OURS, "the way that Method::between chooses", own(), len, move |file, socket| {
            Method::between(file, socket, Some(len as u64))
        }),
        moved("through-block", "", own(), len, |_, _| Ok(Method::ThroughBlock)),
        moved("sendfile", "", own(), len, |_, _| Ok(Method::SendFile)),
        Entrant::new("mapped", "written from a map for each", move || {
            each(Line::new(len)?, len, move |socket, part| {
                let map = MappedFile::map_range(&for_part, part.start as u64..part.end as u64)?;
                Ok(map.write_all_to(socket, ..)?)
            })
        }),
        Entrant::new("mapped-before", "written from a map of the whole file", move || {
            let map = MappedFile::map(&for_whole)?;
            each(Line::new(len)?, len, move |socket, part| Ok(map.write_all_to(socket, part)?))
        }),
        Entrant::new(VEC, "read into a new Vec, which is written", move || {
            each(Line::new(len)?, len, move |socket, part| {
                let mut bytes = Vec::with_capacity(len);
                pread(&for_vec, spare_capacity(&mut bytes), part.start as u64)?;
                (&**socket).write_all(&bytes)
            })
        }),
    ]
}

fn moved(
    key: &'static str,
    note: &'static str,
    file: Arc<File>,
    len: usize,
    method: impl Fn(&File, &TcpStream) -> io::Result<Method> + 'static,
) -> Entrant {
    Entrant::new(key, note, move || {
        each(Line::new(len)?, len, move |socket, part| {
            let method = method(&file, socket)?;
            Transfer::by(method, len as u64).from_offset(part.start as u64).run(&file, socket)?;
            Ok(())
        })
    })
}

/// Sends messages of so many bytes, one part after the other of what there is.
fn each(
    mut line: Line,
    len: usize,
    mut send: impl FnMut(&Arc<TcpStream>, Range<usize>) -> io::Result<()> + 'static,
) -> io::Result<Work> {
    let mut at = 0;
    Ok(Box::new(move |count| {
        line.sample(count, len, |socket| {
            let part = at..at + len;
            at = part.end % FILE;
            send(socket, part)
        })
    }))
}
