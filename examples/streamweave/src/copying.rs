//! What the document says of the original: each item as JSON text, in a `Vec` of its own, on each edge.

use crate::{Failure, Message, Meta, edges::Count, message::Shared};
use aqueduct::{Slice, meter};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize, Serializer};
use std::borrow::Cow;

#[derive(Serialize)]
struct Written<'a> {
    #[serde(serialize_with = "base64")]
    payload: &'a [u8],
    sequence: u64,
    timestamp: u64,
    meta: Option<&'a Shared>,
}

#[derive(Deserialize)]
struct Read<'a> {
    #[serde(borrow)]
    payload: Cow<'a, str>,
    sequence: u64,
    timestamp: u64,
    meta: Option<Shared>,
}

fn base64<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&STANDARD.encode(bytes))
}

/// The message on the other side of an edge: written as text, and read again. Two copies, into the text and
/// out of it; what base64 and JSON move in between is not counted.
pub(crate) fn travel(message: &Message, json: bool, count: &mut Count) -> Result<Message, Failure> {
    let bytes = message.payload.to_bytes()?;
    if !json {
        return Ok(cloned(message, &bytes, count));
    }
    let Message { sequence, timestamp, .. } = *message;
    let text = serde_json::to_vec(&Written {
        payload: &bytes,
        sequence,
        timestamp,
        meta: message.meta.get(),
    })?;
    let read: Read<'_> = serde_json::from_slice(&text)?;
    let payload = STANDARD.decode(read.payload.as_bytes())?;
    for copied in [text.len(), payload.len()] {
        meter::count_copy(copied);
        count.copied += copied as u64;
    }
    Ok(Message {
        payload: Slice::from(payload).into(),
        sequence: read.sequence,
        timestamp: read.timestamp,
        meta: read.meta.map_or_else(Meta::default, Meta::from_shared),
    })
}

/// The message with a payload and metadata of its own: the least that a copy on each edge costs.
fn cloned(message: &Message, bytes: &[u8], count: &mut Count) -> Message {
    let payload = Vec::from(bytes);
    meter::count_copy(payload.len());
    count.copied += payload.len() as u64;
    let meta = message.meta.get().cloned().map_or_else(Meta::default, Meta::from_shared);
    Message { payload: Slice::from(payload).into(), meta, ..*message }
}
