//! Writes calls and replies, in both modes.

use crate::{
    Mode, Payload, Reply,
    envelope::{CallHead, Head, ReplyHead},
    zmtp,
};
use aqueduct::{PipeError, Slice, Writer, meter};
use std::borrow::Cow;

/// Bytes of the buffer that the document's messages are made in; larger ones get a larger one here.
const FIXED: usize = 4096;

/// Writes a call behind what the pipe has.
pub(crate) fn write_call(
    writer: &mut Writer,
    mode: Mode,
    id: u32,
    (service, method): (&str, &str),
    data: Option<Payload>,
) -> Result<(), PipeError> {
    let (service, method) = (Cow::Borrowed(service), Cow::Borrowed(method));
    let head = CallHead { id, service, method, data: data.as_ref().map(Payload::len) };
    write(writer, mode, &head, data)
}

/// Writes a reply, likewise.
pub(crate) fn write_reply(
    writer: &mut Writer,
    mode: Mode,
    id: u32,
    Reply { status, error, data }: Reply,
) -> Result<(), PipeError> {
    let error = error.as_deref().map(Cow::Borrowed);
    let head = ReplyHead { id, status, error, data: data.as_ref().map(Payload::len) };
    write(writer, mode, &head, data)
}

/// Zero-copy: both frames' heads and the envelope's are made in the pipe's block, in one piece, and the data
/// is handed over behind them. What is sent is gathered from both.
fn write(
    writer: &mut Writer,
    mode: Mode,
    head: &impl Head,
    data: Option<Payload>,
) -> Result<(), PipeError> {
    let data = data.unwrap_or_default();
    if mode == Mode::Copying {
        let message = serialise(head, &data);
        zmtp::write_envelope(writer, 0, message.len(), |_| {})?;
        return Ok(writer.push(Slice::from(message))?);
    }
    zmtp::write_envelope(writer, head.size(), data.len(), |to| head.write(to))?;
    data.push_to(writer)
}

/// As the document's does: into a buffer of fixed size, and from there into one of the right size.
fn serialise(head: &impl Head, data: &Payload) -> Vec<u8> {
    let size = head.size() + data.len();
    let mut fixed = Vec::with_capacity(size.max(FIXED));
    fixed.resize(head.size(), 0);
    head.write(&mut fixed);
    data.pieces().iter().for_each(|piece| fixed.extend_from_slice(piece));
    meter::count_copy(data.len());
    let mut exact = Vec::with_capacity(size);
    exact.extend_from_slice(&fixed);
    meter::count_copy(exact.len());
    exact
}
