//! Header and payload of every packet of a capture: copied out, or seen where they lie.
//!
//! Both modes read the same blocks and run the same parser. What differs is what a packet is made
//! of:
//!
//! | | header | payload | per packet |
//! |---|---|---|---|
//! | copying | its own array, copied out | its own array, copied out | 2 allocations, 2 copies |
//! | zero-copy | a view of the block | a slice of the block | one count up, one count down |
//!
//! The slice is what makes the second more than a loan: it may leave the loop, the block and the
//! thread, and the block goes back to its pool when the last one is dropped.

use std::ops::ControlFlow;

use aqueduct::Slice;

use crate::Error;
use crate::capture::{Block, Capture, Frame};
use crate::copied;
use crate::format::Record;
use crate::header::Header;
use crate::layout::{Layout, Transport};

/// A packet: its headers on loan, its payload to keep.
#[derive(Debug)]
pub struct Packet<'a, P> {
    /// What the capture says of it.
    pub record: Record,
    /// Where its frame begins in the file.
    pub offset: u64,
    /// All its headers.
    pub header: Header<'a>,
    /// Its payload, as far as the capture holds it.
    pub payload: P,
}

/// Hands out every packet of `capture` with its header and payload in arrays of their own.
///
/// # Errors
///
/// Those of [`Capture::next_block`] and [`Layout::parse`], after all packets before the fault were
/// handed out.
pub fn copying(
    capture: &mut Capture,
    mut each: impl FnMut(Packet<'_, Vec<u8>>) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, Error> {
    each_frame(capture, |_, frame, layout| {
        let header = copied(&frame.bytes[..layout.header_len]);
        let payload = copied(&frame.bytes[layout.payload()]);
        let header = Header::new(&header, layout);
        each(Packet { record: frame.record, offset: frame.offset, header, payload })
    })
}

/// Hands out every packet of `capture` where it lies: no byte is copied, nothing is allocated.
///
/// # Errors
///
/// Those of [`Capture::next_block`] and [`Layout::parse`], after all packets before the fault were
/// handed out.
pub fn zero_copy(
    capture: &mut Capture,
    mut each: impl FnMut(Packet<'_, Slice>) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, Error> {
    each_frame(capture, |block, frame, layout| {
        let payload = if layout.payload_len == 0 {
            // Nothing to point at, so nothing to keep alive.
            Slice::new()
        } else {
            let begin = frame.at + layout.header_len;
            block.bytes().slice_shared(begin..begin + layout.payload_len)
        };
        let header = Header::new(frame.bytes, layout);
        each(Packet { record: frame.record, offset: frame.offset, header, payload })
    })
}

/// What both modes have in common: the reading and the parsing.
fn each_frame(
    capture: &mut Capture,
    mut each: impl FnMut(&Block, Frame<'_>, &Layout) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, Error> {
    capture.rewind()?;
    while let Some(block) = capture.next_block()? {
        let link = block.header().link;
        for frame in block.frames() {
            let layout = Layout::parse(link, frame.bytes, &frame.record, frame.offset)
                .map_err(|fault| capture.fault(fault))?;
            if each(&block, frame, &layout).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// Payloads that a [`Tally`] keeps.
const KEPT: usize = 64;

/// What is done with each packet, the same in both modes: counted, its header fields and the ends
/// of its payload read, and its payload kept until 64 more have come, as in a queue to the next
/// stage of a program.
#[derive(Debug)]
pub struct Tally<P> {
    /// Packets by kind, and their bytes.
    pub counts: Counts,
    kept: Vec<P>,
    oldest: usize,
}

/// Packets by kind, and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "each name says it all")]
pub struct Counts {
    pub packets: u64,
    pub tcp: u64,
    pub udp: u64,
    pub other: u64,
    /// Packets whose end the snapshot length cut off.
    pub cut: u64,
    pub header_bytes: u64,
    pub payload_bytes: u64,
    /// Ports, and first and last bytes of payloads, folded together.
    pub mark: u64,
}

impl<P: AsRef<[u8]>> Tally<P> {
    pub(crate) fn new() -> Self {
        Tally { counts: Counts::default(), kept: Vec::with_capacity(KEPT), oldest: 0 }
    }

    pub(crate) fn take(&mut self, packet: Packet<'_, P>) {
        let counts = &mut self.counts;
        let payload = packet.payload.as_ref();
        counts.packets += 1;
        match packet.header.layout().transport {
            Transport::Tcp(_) => counts.tcp += 1,
            Transport::Udp(_) => counts.udp += 1,
            _ => counts.other += 1,
        }
        counts.cut += u64::from(packet.record.is_cut());
        counts.header_bytes += packet.header.bytes().len() as u64;
        counts.payload_bytes += payload.len() as u64;
        if let Some((from, to)) = packet.header.ports() {
            counts.mark = counts.mark.rotate_left(7) ^ (u64::from(from) << 16 | u64::from(to));
        }
        if let [first, .., last] = payload {
            counts.mark = counts.mark.rotate_left(7) ^ (u64::from(*first) << 8 | u64::from(*last));
        }
        if self.kept.len() < KEPT {
            self.kept.push(packet.payload);
        } else {
            self.kept[self.oldest] = packet.payload;
            self.oldest = (self.oldest + 1) % KEPT;
        }
    }
}
