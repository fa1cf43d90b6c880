//! [`Message`]: what clients are told, in both forms.

use super::{
    Fault,
    wire::{FRAME, Form, MAGIC, VERSION, What},
};
use crate::{Refusal, Side};
use aqueduct::{PipeError, Writer};
use serde::Serialize;
use std::io;

/// What a client is told.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Message<'a> {
    /// What came of a request.
    Answer {
        tag: u64,
        request: What,
        id: u64,
        seq: u64,
        code: u8,
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<&'static str>,
    },
    /// An order of a user traded.
    Fill {
        user: u64,
        id: u64,
        trade: u64,
        symbol: u32,
        side: Side,
        price: u64,
        qty: u64,
        maker: bool,
    },
    /// Two orders traded; the side is that of the one that came in.
    Trade { trade: u64, symbol: u32, side: Side, price: u64, qty: u64 },
    /// The best prices of a book, and how much is wanted at each.
    Depth { tag: u64, symbol: u32, seq: u64, bids: &'a [[u64; 2]], asks: &'a [[u64; 2]] },
    /// The last one: the connection is closed.
    Error { code: u8, reason: &'static str },
}

impl Message<'_> {
    /// A request is refused, or done.
    pub(super) fn answer(
        request: What,
        tag: u64,
        (id, seq): (u64, u64),
        why: Option<Refusal>,
    ) -> Self {
        let code = why.map_or(0, |why| why as u8 + 1);
        Self::Answer { tag, request, id, seq, code, reason: why.map(Refusal::text) }
    }

    pub(super) fn error(fault: Fault) -> Self {
        Self::Error { code: fault as u8, reason: fault.text() }
    }

    /// Writes it, not to be seen before the flush: a frame is made where it is sent from.
    #[inline]
    pub(super) fn write(&self, form: Form, to: &mut Writer) -> io::Result<()> {
        if form == Form::Lines {
            let mut text = Text(to);
            serde_json::to_writer(&mut text, self)?;
            return io::Write::write_all(&mut text, b"\n");
        }
        match *self {
            Self::Answer { tag, request, id, seq, code, .. } => {
                frame(to, [0x81, code, request as u8, 0], [tag, id, seq, 0, 0, 0, 0])?;
            }
            Self::Fill { user, id, trade, symbol, side, price, qty, maker } => {
                let words = [user, id, trade, price, qty, symbol.into(), 0];
                frame(to, [0x82, 0, side as u8, maker.into()], words)?;
            }
            Self::Trade { trade, symbol, side, price, qty } => {
                let words = [0, 0, trade, price, qty, symbol.into(), 0];
                frame(to, [0x83, 0, side as u8, 0], words)?;
            }
            Self::Depth { tag, symbol, seq, bids, asks } => {
                let rows = bids.len().max(asks.len()).max(1);
                for row in 0..rows {
                    let [bid, ask] =
                        [bids, asks].map(|side| side.get(row).copied().unwrap_or_default());
                    let words = [tag, bid[0], bid[1], ask[0], ask[1], symbol.into(), seq];
                    let rank = u8::try_from(row).unwrap_or(u8::MAX);
                    frame(to, [0x84, 0, rank, u8::from(row + 1 == rows)], words)?;
                }
            }
            Self::Error { code, .. } => frame(to, [0x85, code, 0, 0], [0; 7])?,
        }
        Ok(())
    }
}

/// Makes a frame in place: type, code and two small fields, and the words behind.
#[inline]
fn frame(
    to: &mut Writer,
    [what, code, one, two]: [u8; 4],
    words: [u64; 7],
) -> Result<(), PipeError> {
    let mut slot = to.reserve(FRAME)?;
    let (places, _) = slot.room().as_chunks_mut::<8>();
    let head = [MAGIC, VERSION, what, code, one, two, 0, 0];
    let rest = words.into_iter().map(u64::to_le_bytes);
    places
        .iter_mut()
        .zip(std::iter::once(head).chain(rest))
        .for_each(|(place, word)| *place = word);
    slot.commit(FRAME);
    Ok(())
}

/// Text into a pipe.
struct Text<'a>(&'a mut Writer);

impl io::Write for Text<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
