//! `Serialize` as bytes or a string; `Deserialize` from bytes, strings and sequences of bytes.

use crate::{Slice, SliceMut, Str};
use alloc::{string::String, vec::Vec};
use core::fmt;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, SeqAccess, Visitor},
};

impl Serialize for Slice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self)
    }
}

impl Serialize for SliceMut {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self)
    }
}

impl Serialize for Str {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

struct Bytes;

impl<'de> Visitor<'de> for Bytes {
    type Value = Slice;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Slice, E> {
        Ok(Slice::copy_from_slice(bytes))
    }

    fn visit_byte_buf<E: Error>(self, bytes: Vec<u8>) -> Result<Slice, E> {
        Ok(Slice::from(bytes))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Slice, E> {
        self.visit_bytes(text.as_bytes())
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Slice, E> {
        Ok(Slice::from(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Slice, A::Error> {
        // The announced length may lie; it is worth one page at the most.
        let room = items.size_hint().unwrap_or(0).min(4096);
        let mut bytes = SliceMut::with_capacity(room);
        while let Some(byte) = items.next_element::<u8>()? {
            bytes.extend([byte]);
        }
        Ok(bytes.freeze())
    }
}

impl<'de> Deserialize<'de> for Slice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_byte_buf(Bytes)
    }
}

impl<'de> Deserialize<'de> for SliceMut {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let slice = Slice::deserialize(deserializer)?;
        Ok(slice.try_into_mut().unwrap_or_else(|shared| {
            let mut buffer = Self::with_capacity(shared.len());
            buffer.extend_from_slice(&shared);
            buffer
        }))
    }
}

impl<'de> Deserialize<'de> for Str {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let slice = deserializer.deserialize_string(Bytes)?;
        Self::from_utf8(slice).map_err(D::Error::custom)
    }
}
