//! [`Message`]: what goes through a graph, and what is known of it.

use crate::{Failure, Item};
use aqueduct::{Slice, Str};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{SeqAccess, Visitor},
};
use std::{any::Any, fmt, sync::Arc};
use uuid::Uuid;
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

/// One item on its way through a graph: 48 bytes, of which a clone allocates nothing.
#[derive(Clone, Debug, Default)]
pub struct Message {
    /// What it carries.
    pub payload: Payload,
    /// Its place at its source, from 0 on: the offset that a source could be read again from.
    pub sequence: u64,
    /// When it came about, in milliseconds since 1970.
    pub timestamp: u64,
    /// What it shares with others.
    pub meta: Meta,
}

const _: () = assert!(size_of::<Message>() == 48);

impl Message {
    /// A message of its own, without metadata.
    pub fn new(payload: impl Into<Payload>) -> Self {
        Self { payload: payload.into(), ..Self::default() }
    }

    /// A message of its own, of any item.
    pub fn of(item: impl Item) -> Self {
        Self { payload: item.into_payload(), ..Self::default() }
    }

    /// Who it is: what its metadata says, or else its sequence number.
    #[must_use]
    pub fn id(&self) -> Id {
        self.meta.get().and_then(|meta| meta.id.clone()).unwrap_or(Id::Sequence(self.sequence))
    }

    /// A number that is the same for messages of one source and key, in every process.
    #[must_use]
    pub fn key_hash(&self) -> u64 {
        xxh3_64(self.meta.key().as_bytes())
    }
}

/// Who a message is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Id {
    /// Its place at its source.
    Sequence(u64),
    /// A random one.
    Uuid(Uuid),
    /// The program's own.
    Custom(Str),
    /// The XXH3 of its payload: equal contents, equal id.
    Content(u128),
}

impl Id {
    /// A random id.
    #[must_use]
    pub fn random() -> Self {
        Self::Uuid(Uuid::new_v4())
    }

    /// The id of these contents. Linear in their length.
    #[must_use]
    pub fn of(contents: &[u8]) -> Self {
        Self::Content(xxh3_128(contents))
    }
}

/// What a message carries.
#[derive(Clone)]
pub enum Payload {
    /// Bytes: a handle on a block that others may share, or up to 23 bytes in place.
    Bytes(Slice),
    /// A value of a type; bytes only where it must leave the process.
    Value(Arc<dyn Value>),
}

const _: () = assert!(size_of::<Payload>() == 24);

impl Payload {
    /// The payload as bytes: a handle where it is bytes, encoded where it is a value.
    ///
    /// # Errors
    ///
    /// Those of the value's codec.
    pub fn to_bytes(&self) -> Result<Slice, Failure> {
        match self {
            Self::Bytes(bytes) => Ok(bytes.clone()),
            Self::Value(value) => value.encode(),
        }
    }

    /// Bytes that it holds; of a value nothing is known.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Value(_) => 0,
        }
    }
}

impl Default for Payload {
    fn default() -> Self {
        Self::Bytes(Slice::new())
    }
}

impl<S: Into<Slice>> From<S> for Payload {
    fn from(bytes: S) -> Self {
        Self::Bytes(bytes.into())
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
            Self::Value(_) => f.write_str("a value"),
        }
    }
}

/// A value of a type that only its nodes know.
pub trait Value: Send + Sync + 'static {
    /// The value as bytes.
    ///
    /// # Errors
    ///
    /// When its codec refuses it.
    fn encode(&self) -> Result<Slice, Failure>;
    /// The value, for those who know its type.
    fn any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync>;
}

/// What messages share: a clone is a count, or nothing.
#[derive(Clone, Debug, Default)]
pub struct Meta(Option<Arc<Shared>>);

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Shared {
    pub(crate) id: Option<Id>,
    pub(crate) source: Str,
    pub(crate) key: Str,
    pub(crate) partition: u32,
    #[serde(deserialize_with = "headers")]
    pub(crate) headers: Vec<(Str, Str)>,
}

/// One by one: a lie about their number takes no memory.
fn headers<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<(Str, Str)>, D::Error> {
    struct Pairs;
    impl<'de> Visitor<'de> for Pairs {
        type Value = Vec<(Str, Str)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("headers")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Self::Value, A::Error> {
            let mut pairs = Vec::new();
            while let Some(pair) = from.next_element()? {
                pairs.push(pair);
            }
            Ok(pairs)
        }
    }
    from.deserialize_seq(Pairs)
}

impl Meta {
    pub(crate) fn get(&self) -> Option<&Shared> {
        self.0.as_deref()
    }

    pub(crate) fn from_shared(shared: Shared) -> Self {
        Self(Some(Arc::new(shared)))
    }

    /// Whether both are one and the same, not only equal.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(one), Some(two)) => Arc::ptr_eq(one, two),
            (None, None) => true,
            _ => false,
        }
    }

    /// Where the message comes from; empty when nobody said.
    #[must_use]
    pub fn source(&self) -> &str {
        self.get().map_or("", |meta| &meta.source)
    }

    /// What it belongs to; empty when nobody said.
    #[must_use]
    pub fn key(&self) -> &str {
        self.get().map_or("", |meta| &meta.key)
    }

    /// Its partition, 0 when nobody said.
    #[must_use]
    pub fn partition(&self) -> u32 {
        self.get().map_or(0, |meta| meta.partition)
    }

    /// A header's value.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.get()?.headers.iter();
        headers.find(|(known, _)| known.as_str() == name).map(|(_, value)| value.as_str())
    }

    /// With another source. Allocates, unless nobody else shares this metadata; so do all that follow.
    #[must_use]
    pub fn with_source(self, source: impl Into<Str>) -> Self {
        self.with(|meta| meta.source = source.into())
    }

    /// With another key.
    #[must_use]
    pub fn with_key(self, key: impl Into<Str>) -> Self {
        self.with(|meta| meta.key = key.into())
    }

    /// With another partition.
    #[must_use]
    pub fn with_partition(self, partition: u32) -> Self {
        self.with(|meta| meta.partition = partition)
    }

    /// With one more header.
    #[must_use]
    pub fn with_header(self, name: impl Into<Str>, value: impl Into<Str>) -> Self {
        self.with(|meta| meta.headers.push((name.into(), value.into())))
    }

    /// With another id.
    #[must_use]
    pub fn with_id(self, id: Id) -> Self {
        self.with(|meta| meta.id = Some(id))
    }

    fn with(mut self, change: impl FnOnce(&mut Shared)) -> Self {
        change(Arc::make_mut(self.0.get_or_insert_default()));
        self
    }
}
