//! [`Item`]: types that travel as a message's payload, and how they become bytes where they must.

use crate::{Failure, Payload, Value};
use aqueduct::{Pool, Slice, Str};
use bincode::Options;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{any::Any, fmt, io::Write, marker::PhantomData, ops::Deref, sync::Arc};

/// A type that a typed graph's edges can carry.
pub trait Item: Clone + Send + Sync + 'static {
    /// The item as a payload.
    fn into_payload(self) -> Payload;
    /// The item out of a payload: one that came from another process, or was copied, is bytes.
    ///
    /// # Errors
    ///
    /// When it is of another type, or its bytes are not such an item.
    fn from_payload(payload: Payload) -> Result<Self, Failure>;
}

fn bytes_of(payload: Payload) -> Result<Slice, Failure> {
    match payload {
        Payload::Bytes(bytes) => Ok(bytes),
        Payload::Value(value) => value.encode(),
    }
}

impl Item for Slice {
    fn into_payload(self) -> Payload {
        Payload::Bytes(self)
    }

    fn from_payload(payload: Payload) -> Result<Self, Failure> {
        bytes_of(payload)
    }
}

impl Item for Str {
    fn into_payload(self) -> Payload {
        Payload::Bytes(self.into_slice())
    }

    fn from_payload(payload: Payload) -> Result<Self, Failure> {
        Ok(Self::from_utf8(bytes_of(payload)?)?)
    }
}

/// Numbers are eight bytes, which stand in the payload's handle.
macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl Item for $number {
            fn into_payload(self) -> Payload {
                Payload::Bytes(Slice::copy_from_slice(&self.to_le_bytes()))
            }

            fn from_payload(payload: Payload) -> Result<Self, Failure> {
                let bytes = bytes_of(payload)?;
                match bytes.as_slice().try_into() {
                    Ok(bytes) => Ok(Self::from_le_bytes(bytes)),
                    Err(_) => Err(Failure::new(format!("{} bytes are no number", bytes.len()))),
                }
            }
        }
    )*};
}

numbers!(i64, u64, f64);

/// Bytes for values: a serializer that edges between processes use.
pub trait Codec: Send + Sync + 'static {
    /// The value's bytes.
    ///
    /// # Errors
    ///
    /// The serializer's.
    fn encode<T: Serialize>(value: &T) -> Result<Slice, Failure>;
    /// The value, which may borrow from its bytes.
    ///
    /// # Errors
    ///
    /// The serializer's.
    fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Failure>;
}

/// Values as JSON, of up to 20 lists and objects within one another.
#[derive(Clone, Copy, Debug)]
pub enum Json {}

impl Json {
    /// So many levels fit into 64 KiB of stack; the parser's own limit, four times as many, does not.
    const LEVELS: usize = 20;

    fn too_deep(text: &[u8]) -> bool {
        let (mut levels, mut quoted, mut escaped) = (0_usize, false, false);
        text.iter().any(|byte| {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = quoted,
                b'"' => quoted = !quoted,
                b'[' | b'{' if !quoted => levels += 1,
                b']' | b'}' if !quoted => levels = levels.saturating_sub(1),
                _ => {}
            }
            levels > Self::LEVELS
        })
    }
}

impl Codec for Json {
    fn encode<T: Serialize>(value: &T) -> Result<Slice, Failure> {
        let mut block = Pool::global().get(256);
        serde_json::to_writer(&mut block, value)?;
        Ok(block.freeze())
    }

    fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Failure> {
        if Self::too_deep(bytes) {
            return Err(Failure::new(format!("more than {} levels of JSON", Self::LEVELS)));
        }
        Ok(serde_json::from_slice(bytes)?)
    }
}

/// Bincode's form of fixed width, little-endian, where nothing may be left over.
pub(crate) fn bincode() -> impl Options {
    bincode::DefaultOptions::new().with_fixint_encoding()
}

/// Values in bincode's form: of fixed width, little-endian. Not for types that hold themselves: bytes from a
/// peer say how deep these nest, and nothing limits it.
#[derive(Clone, Copy, Debug)]
pub enum Binary {}

impl Codec for Binary {
    fn encode<T: Serialize>(value: &T) -> Result<Slice, Failure> {
        let mut block = Pool::global().get(256);
        bincode().serialize_into(&mut block, value)?;
        Ok(block.freeze())
    }

    fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Failure> {
        Ok(bincode().deserialize(bytes)?)
    }
}

struct Held<T, C> {
    value: T,
    codec: PhantomData<fn() -> C>,
}

impl<T: Serialize + Send + Sync + 'static, C: Codec> Value for Held<T, C> {
    fn encode(&self) -> Result<Slice, Failure> {
        C::encode(&self.value)
    }

    fn any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }
}

/// A value of any type that serde knows, shared by all who hold it.
pub struct Typed<T, C = Json>(Arc<Held<T, C>>);

impl<T, C> Typed<T, C> {
    /// A value that nobody shares yet.
    pub fn new(value: T) -> Self {
        Self(Arc::new(Held { value, codec: PhantomData }))
    }

    /// The value itself where nobody shares it, a clone where somebody does.
    #[must_use]
    pub fn into_inner(self) -> T
    where
        T: Clone,
    {
        Arc::try_unwrap(self.0).map_or_else(|shared| shared.value.clone(), |held| held.value)
    }
}

impl<T, C> Clone for Typed<T, C> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T, C> Deref for Typed<T, C> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0.value
    }
}

impl<T: fmt::Debug, C> fmt::Debug for Typed<T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: Serialize + DeserializeOwned + Send + Sync + 'static, C: Codec> Item for Typed<T, C> {
    fn into_payload(self) -> Payload {
        Payload::Value(self.0)
    }

    fn from_payload(payload: Payload) -> Result<Self, Failure> {
        match payload {
            Payload::Bytes(bytes) => C::decode(&bytes).map(Self::new),
            Payload::Value(value) => match value.any().downcast() {
                Ok(held) => Ok(Self(held)),
                Err(_) => Err(Failure::new("a value of another type")),
            },
        }
    }
}

/// Several payloads as one item: what batches and windows give.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch(pub Arc<Vec<Slice>>);

impl Value for Vec<Slice> {
    /// Each item behind its length, of four bytes.
    fn encode(&self) -> Result<Slice, Failure> {
        let mut block = Pool::global().get(self.iter().map(|item| item.len() + 4).sum());
        for item in self {
            block.write_all(&u32::try_from(item.len())?.to_le_bytes())?;
            block.write_all(item)?;
        }
        Ok(block.freeze())
    }

    fn any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }
}

impl Item for Batch {
    fn into_payload(self) -> Payload {
        Payload::Value(self.0)
    }

    fn from_payload(payload: Payload) -> Result<Self, Failure> {
        let mut bytes = match payload {
            Payload::Bytes(bytes) => bytes,
            Payload::Value(value) => {
                let list = value.any().downcast();
                return list.map(Self).map_err(|_| Failure::new("a value that is no batch"));
            }
        };
        let mut items = Vec::new();
        while let Some((length, rest)) = bytes.split_first_chunk() {
            let length = u32::from_le_bytes(*length) as usize;
            if length > rest.len() {
                return Err(Failure::new("a batch that ends within an item"));
            }
            items.push(bytes.slice(4..4 + length));
            bytes.advance(4 + length);
        }
        if bytes.is_empty() { Ok(Self(Arc::new(items))) } else { Err(Failure::new("no batch")) }
    }
}
