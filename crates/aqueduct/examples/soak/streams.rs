//! Parcels through pipes: each behind its start and its length.

use crate::{
    ledger::Ledger,
    parcel::{Maker, Parcel},
};
use aqueduct::{Options, PipeError, PipeErrorKind, Read, Reader, SequenceRef, View, Writer, pipe};
use aqueduct_testkit::Random;
use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    thread,
};

const HEAD: usize = 16;

/// A pipe with one of several paces.
pub fn open(maker: &Maker, random: &mut Random) -> Result<(Writer, Reader), String> {
    maker.ledger.pipes.fetch_add(1, Relaxed);
    let pause = [1_000, 16 << 10, 64 << 10][random.below(3)];
    let options = Options::builder().pool(&maker.pools[random.below(2)]).pause(pause);
    Ok(pipe(options.build().map_err(|e| format!("a pipe's options: {e}"))?))
}

/// Puts a parcel into a pipe, copied or handed over; the reader sees it when it is flushed.
pub fn put(writer: &mut Writer, parcel: &Parcel, random: &mut Random) -> Result<(), PipeError> {
    let bytes = parcel.bytes();
    let len = writer.reserve_prefix(8)?;
    writer.write(&(parcel.start() as u64).to_le_bytes())?;
    match random.below(3) {
        0 => {
            for segment in bytes.as_ref().segments() {
                writer.write(segment)?;
            }
        }
        1 => writer.push(bytes.clone().into_slice())?,
        _ => writer.push_sequence(bytes.clone())?,
    }
    // Never refused: the prefix is this writer's, not flushed, and of this length.
    let _ = writer.patch(&len, &(bytes.len() as u64).to_le_bytes());
    Ok(())
}

/// The start and the length that are in front, if they are.
fn head(bytes: SequenceRef<'_>) -> Option<(usize, usize)> {
    let mut reader = bytes.reader();
    let (len, start) = (reader.read_u64_le().ok()?, reader.read_u64_le().ok()?);
    Some((usize::try_from(start).ok()?, usize::try_from(len).ok()?))
}

/// Takes what is whole out of a view, and says how many bytes were not.
fn unpack(mut view: View<'_>, ledger: &Arc<Ledger>, parcels: &mut Vec<Parcel>) -> usize {
    while let Some((start, len)) = head(view.seq()).filter(|(_, len)| view.len() - HEAD >= *len) {
        let mut bytes = view.take(HEAD + len);
        bytes.advance(HEAD);
        parcels.push(Parcel::new(ledger, bytes, start));
    }
    let left = view.len();
    view.need_more(0);
    left
}

/// Whether the pipe goes on. What is in it is whole, or its end is wrong.
fn settle(
    read: Result<Read<'_>, PipeError>,
    ledger: &Arc<Ledger>,
    parcels: &mut Vec<Parcel>,
) -> bool {
    match read {
        Ok(Read::Eof(view)) => {
            let left = unpack(view, ledger, parcels);
            if left > 0 {
                ledger.fault(format!("a pipe ends {left} bytes after a parcel began"));
            }
            false
        }
        Ok(read) => {
            unpack(read.into_view(), ledger, parcels);
            true
        }
        Err(error) => {
            if !matches!(error.kind(), PipeErrorKind::Closed | PipeErrorKind::Failed(_)) {
                ledger.fault(format!("a pipe that is read: {error}"));
            }
            false
        }
    }
}

/// Reads without waiting. False when the pipe is at its end.
pub fn visit(reader: &mut Reader, ledger: &Arc<Ledger>, parcels: &mut Vec<Parcel>) -> bool {
    match reader.try_read() {
        Ok(None) => true,
        Ok(Some(read)) => settle(Ok(read), ledger, parcels),
        Err(error) => settle(Err(error), ledger, parcels),
    }
}

/// A pipe of its own between this thread and a new one, each of which sleeps for the other.
pub fn session(maker: &Maker, random: &mut Random) -> Result<Vec<Parcel>, String> {
    let (mut writer, mut reader) = open(maker, random)?;
    let (mut other, count) = (Random::new(random.seed()), random.below(60));
    let mut parcels = Vec::new();
    let sent = thread::scope(|scope| {
        let sending = scope.spawn(move || {
            let mut sent = 0;
            while sent < count {
                for parcel in maker.make(&mut other) {
                    put(&mut writer, &parcel, &mut other)?;
                    sent += 1;
                }
                writer.flush_blocking()?;
            }
            writer.finish();
            Ok::<usize, PipeError>(sent)
        });
        while settle(reader.read_at_least_blocking(1), &maker.ledger, &mut parcels) {}
        sending.join()
    });
    match sent {
        Ok(Ok(sent)) if sent == parcels.len() => Ok(parcels),
        Ok(sent) => Err(format!("of {sent:?} parcels {} came out of a pipe", parcels.len())),
        Err(_) => Err("a thread that writes to a pipe panicked".to_owned()),
    }
}
