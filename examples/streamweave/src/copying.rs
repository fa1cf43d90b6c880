//! What the document says of the original: each item as JSON text, in a `Vec` of its own, on each edge.

use crate::{Failure, Message, Meta, edges::Count, message::Shared};
use aqueduct::{Slice, meter};
use base64::{
    Engine,
    display::Base64Display,
    engine::general_purpose::{GeneralPurpose, STANDARD},
};
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
    serializer.collect_str(&Base64Display::<GeneralPurpose>::new(bytes, &STANDARD))
}

/// The message on the other side of an edge: written as text, and read again. Two copies, into the text and
/// out of it; what base64 and JSON move in between is not counted.
pub(crate) fn travel(message: &Message, count: &mut Count) -> Result<Message, Failure> {
    let bytes = message.payload.to_bytes()?;
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
