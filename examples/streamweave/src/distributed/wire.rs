//! [`Items`]: messages in timely's hands. Moved within a process; between processes written once into a
//! slab of the pool, and read as views of the slab that they were received into.

use crate::{Failure, Message, Meta, Payload, edges::Routed, item::bincode, message::Shared};
use aqueduct::{Pool, Slice, SliceMut, meter};
use bincode::Options;
use std::{io::Write, ops::DerefMut, sync::Arc};
use timely::{
    Accountable,
    bytes::arc::Bytes,
    communication::{Push, allocator::zero_copy::bytes_slab::BytesRefill},
    dataflow::channels::{ContainerBytes, Message as Sent, pushers::exchange::Distributor},
};

/// In front of each item: edge, flags, length of the metadata, length of the payload, sequence, timestamp.
const HEAD: usize = 32;
/// The metadata is that of the item before.
const SAME_META: u32 = 1;
/// The payload is LZ4, behind its real length.
const PACKED: u32 = 2;
/// So many times smaller LZ4 makes something at most.
const SMALLER: usize = 255;

/// An item on its way to a worker.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) worker: usize,
    /// The payload was made smaller.
    pub(super) packed: bool,
    pub(super) routed: Routed,
}

/// Items on their way to workers.
#[derive(Clone, Debug, Default)]
pub(super) struct Items {
    pub(super) entries: Vec<Entry>,
    /// What was wrong with the bytes that they were read from.
    pub(super) damage: Option<String>,
}

impl Accountable for Items {
    fn record_count(&self) -> i64 {
        // A vector's length fits.
        self.entries.len() as i64
    }
}

/// Makes a payload bytes, and small where that is wished and helps; says whether it is. One that fails stays.
pub(super) fn pack(payload: &mut Payload, from: usize) -> Result<bool, Failure> {
    if let Payload::Value(value) = payload {
        *payload = value.encode()?.into();
    }
    let bytes = bytes(payload);
    if u32::try_from(bytes.len()).is_err() {
        return Err(Failure::new("4 GiB are too much for one item between processes"));
    }
    if bytes.len() >= from {
        let packed = lz4_flex::compress_prepend_size(bytes);
        if packed.len() < bytes.len() {
            *payload = packed.into();
            return Ok(true);
        }
    }
    Ok(false)
}

fn bytes(payload: &Payload) -> &[u8] {
    match payload {
        Payload::Bytes(bytes) => bytes,
        // What leaves the process was packed before, and so is bytes.
        Payload::Value(_) => &[],
    }
}

/// Each item, and whether its metadata must be written: not if it is that of the item before.
fn with_meta(entries: &[Entry]) -> impl Iterator<Item = (&Entry, Option<&Shared>, bool)> {
    let mut before = Meta::default();
    entries.iter().map(move |entry| {
        let meta = &entry.routed.message.meta;
        let same = meta.same(&before);
        if !same {
            before = meta.clone();
        }
        (entry, meta.get().filter(|_| !same), same)
    })
}

fn meta_length(meta: Option<&Shared>) -> usize {
    // Texts and numbers always have a size, which memory holds.
    let size = meta.map_or(0, |meta| bincode().serialized_size(meta).unwrap_or(0));
    usize::try_from(size).unwrap_or(0)
}

impl ContainerBytes for Items {
    fn length_in_bytes(&self) -> usize {
        let length = |(entry, meta, _): (&Entry, Option<&Shared>, bool)| {
            let payload = bytes(&entry.routed.message.payload).len();
            HEAD + meta_length(meta) + payload
        };
        8 + with_meta(&self.entries).map(length).sum::<usize>()
    }

    fn into_bytes<W: Write>(&self, writer: &mut W) {
        write(&self.entries, writer).expect("timely has made room for length_in_bytes()");
    }

    fn from_bytes(bytes: Bytes) -> Self {
        let mut items = Self::default();
        let slab = Slice::from_owner(View(bytes));
        let declared = slab.first_chunk().map_or(0, |count| u64::from_le_bytes(*count));
        // No more than have room there, whatever is said.
        let most = usize::try_from(declared).unwrap_or(usize::MAX).min(slab.len() / HEAD);
        items.entries.reserve_exact(most);
        if let Err(why) = read(&slab, &mut items.entries) {
            items.damage = Some(why);
        } else if items.entries.len() as u64 != declared {
            items.damage = Some(format!("{} items, not {declared}", items.entries.len()));
        }
        items
    }
}

fn write(entries: &[Entry], writer: &mut impl Write) -> Result<(), Box<bincode::ErrorKind>> {
    writer.write_all(&(entries.len() as u64).to_le_bytes())?;
    for (Entry { packed, routed, .. }, meta, same) in with_meta(entries) {
        let Routed { edge, message } = routed;
        let payload = bytes(&message.payload);
        let flags = if same { SAME_META } else { 0 } | if *packed { PACKED } else { 0 };
        // The payload was measured when it was packed; metadata of 4 GiB is not read again.
        let length = |length| u128::from(u32::try_from(length).unwrap_or(u32::MAX));
        let lengths = length(meta_length(meta)) | length(payload.len()) << 32;
        let first = u128::from(*edge) | u128::from(flags) << 32 | lengths << 64;
        let second = u128::from(message.sequence) | u128::from(message.timestamp) << 64;
        writer.write_all(&first.to_le_bytes())?;
        writer.write_all(&second.to_le_bytes())?;
        if let Some(meta) = meta {
            bincode().serialize_into(&mut *writer, meta)?;
        }
        writer.write_all(payload)?;
        meter::count_copy(payload.len());
    }
    Ok(())
}

fn read(slab: &Slice, entries: &mut Vec<Entry>) -> Result<(), String> {
    let (mut at, mut meta) = (8, Meta::default());
    while at < slab.len() {
        let head: &[u8; HEAD] = slab[at..].first_chunk().ok_or("an item's head is cut off")?;
        let word =
            |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let long = |at: usize| u64::from(word(at)) | u64::from(word(at + 4)) << 32;
        let (edge, flags, meta_length, length) = (word(0), word(4), word(8), word(12));
        let start = at + HEAD + meta_length as usize;
        let end = start + length as usize;
        if end > slab.len() {
            return Err("an item is cut off".to_owned());
        }
        if flags & SAME_META == 0 {
            let text = &slab[at + HEAD..start];
            meta = match text {
                [] => Meta::default(),
                text => Meta::from_shared(bincode().deserialize(text).map_err(|e| e.to_string())?),
            };
        }
        let mut payload = slab.slice(start..end);
        if flags & PACKED != 0 {
            payload = unpacked(&payload)?;
        }
        let (sequence, timestamp) = (long(16), long(24));
        let message = Message { payload: payload.into(), sequence, timestamp, meta: meta.clone() };
        entries.push(Entry { worker: 0, packed: false, routed: Routed { edge, message } });
        at = end;
    }
    Ok(())
}

fn unpacked(packed: &[u8]) -> Result<Slice, String> {
    let (length, packed) = lz4_flex::block::uncompressed_size(packed).map_err(|e| e.to_string())?;
    // A lie about the length takes no memory.
    if length / SMALLER > packed.len() {
        return Err("an item that cannot be of its length".to_owned());
    }
    let mut block = Pool::global().get(length);
    let room = block.spare_mut().get_mut(..length).ok_or("no memory for an item")?;
    let got = lz4_flex::decompress_into(packed, room).map_err(|error| error.to_string())?;
    if got != length {
        return Err(format!("an item of {got} bytes that says {length}"));
    }
    block.commit(got);
    Ok(block.freeze())
}

struct View(Bytes);

impl AsRef<[u8]> for View {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// Slabs from the pool.
pub(super) fn refill() -> BytesRefill {
    let logic = |size| {
        let mut block: SliceMut = Pool::global().get(size);
        block.commit(size);
        Box::new(block) as Box<dyn DerefMut<Target = [u8]> + Send>
    };
    BytesRefill { logic: Arc::new(logic), limit: Some(8) }
}

/// Hands items to the workers that they are for.
pub(super) struct Spread(Vec<Items>);

impl Spread {
    /// Over so many workers.
    pub(super) fn over(peers: usize) -> Self {
        Self(vec![Items::default(); peers])
    }
}

impl Distributor<Items> for Spread {
    fn partition<T: Clone, P: Push<Sent<T, Items>>>(
        &mut self,
        items: &mut Items,
        time: &T,
        pushers: &mut [P],
    ) {
        let Some(first) = items.entries.first().map(|entry| entry.worker) else { return };
        if items.entries.iter().all(|entry| entry.worker == first) {
            // As they stand.
            Sent::push_at(items, time.clone(), &mut pushers[first]);
            items.entries.clear();
            return;
        }
        for entry in items.entries.drain(..) {
            self.0[entry.worker].entries.push(entry);
        }
        for (items, pusher) in self.0.iter_mut().zip(pushers) {
            if !items.entries.is_empty() {
                Sent::push_at(items, time.clone(), pusher);
                items.entries.clear();
            }
        }
    }

    fn flush<T: Clone, P: Push<Sent<T, Items>>>(&mut self, _: &T, _: &mut [P]) {}
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "tests make what they compare")]
mod tests {
    use super::*;
    use crate::Id;
    use timely::bytes::arc::BytesMut;

    fn entry(edge: u32, payload: &[u8], meta: &Meta, from: usize) -> Entry {
        let mut payload = payload.to_vec().into();
        let packed = pack(&mut payload, from).expect("small");
        let meta = meta.clone();
        let message = Message { payload, sequence: 1 << 40, timestamp: 2, meta };
        Entry { worker: 1, packed, routed: Routed { edge, message } }
    }

    fn some() -> Items {
        let one =
            Meta::default().with_source("a source that is longer than 23 bytes").with_key("k");
        let two = one.clone().with_id(Id::random()).with_header("name", "value");
        let entries = vec![
            entry(0, b"", &Meta::default(), usize::MAX),
            entry(1, b"short", &one, usize::MAX),
            entry(2, &[7; 300], &one, usize::MAX),
            entry(3, &[8; 5000], &two, 100),
            entry(4, b"short", &Meta::default(), 1),
        ];
        Items { entries, damage: None }
    }

    fn bytes(items: &Items) -> Vec<u8> {
        let mut bytes = Vec::new();
        items.into_bytes(&mut bytes);
        assert_eq!(bytes.len(), items.length_in_bytes());
        bytes
    }

    fn reread(bytes: Vec<u8>) -> Items {
        Items::from_bytes(BytesMut::from(bytes).freeze())
    }

    #[test]
    fn what_is_read_is_what_was_written_where_it_lies() {
        let sent = some();
        let written = bytes(&sent);
        assert!(written.len() < 1000, "the fourth was packed: {}", written.len());
        let mut slab = BytesMut::from(written);
        let all = slab.as_ptr_range();
        let length = slab.len();
        let got = Items::from_bytes(slab.extract_to(length));
        assert_eq!((got.damage, got.entries.len()), (None, 5));
        for (got, sent) in got.entries.iter().zip(&sent.entries) {
            let ([got, sent], edges) =
                ([&got.routed.message, &sent.routed.message], [got.routed.edge, sent.routed.edge]);
            assert_eq!(edges[0], edges[1]);
            assert_eq!((got.sequence, got.timestamp), (sent.sequence, sent.timestamp));
            assert_eq!(got.meta.get(), sent.meta.get());
        }
        let payload = |at: usize| got.entries[at].routed.message.payload.to_bytes().expect("bytes");
        assert_eq!((&*payload(1), &*payload(3)), (&b"short"[..], &[8; 5000][..]));
        assert!(payload(2) == [7; 300][..] && all.contains(&payload(2).as_ptr()), "a view");
        let [one, two] = [1, 2].map(|at: usize| &got.entries[at].routed.message.meta);
        assert!(one.same(two), "metadata that was shared is shared again");
    }

    #[test]
    fn t22_lengths_that_conflict_are_refused() {
        let whole = bytes(&Items { entries: some().entries.split_off(1), damage: None });
        let edit = |at: usize, by: u8| {
            let mut bytes = whole.clone();
            bytes[at] += by;
            reread(bytes).damage.expect("refused")
        };
        // A longer payload takes what is the next item's; longer metadata takes the payload.
        assert!(!edit(8 + 12, 1).is_empty() && !edit(8 + 12, 32).is_empty());
        let mut bytes = whole.clone();
        (bytes[8 + 8], bytes[8 + 12]) = (bytes[8 + 8] + 5, 0);
        assert!(reread(bytes).damage.expect("left over").contains("remaining"));
        // A packed payload says its own length as well: three items are before it.
        let packed = whole.windows(4).position(|four| four == 5000_u32.to_le_bytes());
        assert!(edit(packed.expect("packed"), 1).contains("that says 5001"));
    }

    #[test]
    fn t19_items_cut_at_every_byte_are_refused_and_changed_ones_never_panic() {
        let whole = bytes(&some());
        for end in 8..whole.len() {
            assert!(reread(whole[..end].to_vec()).damage.is_some(), "cut at {end}");
        }
        for at in 0..whole.len() {
            for flip in [1, 0x80, 0xff] {
                let mut bytes = whole.clone();
                bytes[at] ^= flip;
                // It may still be sound; it must not take down the thread, nor much memory.
                let _ = reread(bytes);
            }
        }
    }
}
