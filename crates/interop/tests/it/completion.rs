//! compio, whose operations own their buffers: slices that are sent, and blocks that are filled.
//!
//! The word `unsafe` stands here since the trait declares its method so. The method asks for more than it
//! needs: the room is initialised whatever the operation wrote, and the length is checked.

use crate::{lies_in, numbered, spent};
use aqueduct::{Pool, Sequence, Slice, SliceMut};
use compio_buf::{IntoInner, IoBuf, IoBufMut, IoVectoredBuf, SetLen};
use std::mem::MaybeUninit;

/// A slice to be sent.
struct Sent(Slice);

impl IoBuf for Sent {
    fn as_init(&self) -> &[u8] {
        &self.0
    }
}

/// A sequence to be sent with one gathered write.
struct Gathered(Sequence);

impl IoVectoredBuf for Gathered {
    fn iter_slice(&self) -> impl Iterator<Item = &[u8]> {
        self.0.as_ref().segments()
    }
}

/// A block to be filled: all of its room, and how much of that is data.
struct Filled {
    room: SliceMut,
    len: usize,
}

impl Filled {
    fn new(mut block: SliceMut) -> Self {
        let len = block.len();
        block.commit(block.capacity() - len); // costs nothing: the room is initialised
        Self { room: block, len }
    }

    fn into_inner(mut self) -> SliceMut {
        self.room.truncate(self.len);
        self.room
    }
}

impl IoBuf for Filled {
    fn as_init(&self) -> &[u8] {
        &self.room[..self.len]
    }
}

impl IoBufMut for Filled {
    fn as_uninit(&mut self) -> &mut [MaybeUninit<u8>] {
        self.room[..].as_uninit()
    }
}

impl SetLen for Filled {
    unsafe fn set_len(&mut self, len: usize) {
        assert!(len <= self.room.len());
        self.len = len;
    }
}

/// What an operation that reads does with a buffer, on memory of its own.
fn read<B: IoBufMut>(from: &[u8], mut to: B) -> (usize, B) {
    let count = from.len().min(to.buf_capacity() - to.buf_len());
    to.extend_from_slice(&from[..count]).unwrap();
    (count, to)
}

#[test]
fn a_block_of_the_pool_is_filled_in_place() {
    let pool = Pool::new();
    let source = numbered(100_000);
    let block = pool.get(4096);
    let (address, room) = (block.as_ptr(), block.capacity());
    let ((count, filled), used) = spent(|| read(&source, Filled::new(block)));
    let received = filled.into_inner().freeze();
    assert_eq!((received.as_ptr(), received.len(), count), (address, room, room));
    assert_eq!(received, source[..room]);
    assert_eq!(used.bytes, 0);
    drop(received);
    assert_eq!(pool.outstanding(), 0);
}

#[test]
fn a_block_is_filled_behind_what_it_has() {
    let mut block = Pool::global().get(4096);
    block.extend_from_slice(b"there before");
    let capacity = block.capacity();
    let (count, filled) = read(b", and after", Filled::new(block));
    assert_eq!((count, filled.as_init()), (11, &b"there before, and after"[..]));
    let mut block = filled.into_inner();
    assert_eq!((&block[..], block.capacity()), (&b"there before, and after"[..], capacity));

    // An operation may also be given the rest alone, and the whole once more.
    let (count, rest) = read(b"!", Filled::new(block).uninit());
    assert_eq!((count, rest.as_init()), (1, &b"!"[..]));
    block = rest.into_inner().into_inner();
    assert_eq!(block, b"there before, and after!");
    let mut filled = Filled::new(block);
    SetLen::clear(&mut filled);
    let (count, filled) = read(&[b'x'; 9000], filled);
    assert_eq!(count, capacity);
    assert_eq!(filled.into_inner(), vec![b'x'; capacity]);
    assert!(Filled::new(SliceMut::new()).extend_from_slice(b"no room").is_err());
}

#[test]
fn slices_and_sequences_are_sent_from_where_they_lie() {
    let segments = [100, 3000, 40].map(numbered);
    let sent = Sent(segments[1].clone());
    assert_eq!(sent.as_init().as_ptr(), segments[1].as_ptr());
    let rest = IoBuf::slice(sent, 1000..); // a short write goes on here
    assert_eq!(rest.as_init().as_ptr(), segments[1][1000..].as_ptr());

    let all = Gathered(segments.iter().cloned().collect());
    assert_eq!(all.total_len(), 3140);
    assert!(all.iter_slice().map(<[u8]>::as_ptr).eq(segments.iter().map(|s| s.as_ptr())));
    let rest = IoVectoredBuf::slice(all, 200);
    assert_eq!(rest.iter_slice().next().unwrap().as_ptr(), segments[1][100..].as_ptr());
}

/// Bytes in the handle move with it, as an array's do; pinned ones have an address to stay at.
#[test]
fn a_short_slice_is_pinned_where_its_address_must_stay() {
    let short = Sent(Slice::copy_from_slice(b"short").pin());
    let address = short.as_init().as_ptr();
    let moved = Box::new(short);
    assert_eq!((moved.as_init().as_ptr(), moved.as_init()), (address, &b"short"[..]));
    assert!(!lies_in(Sent(Slice::copy_from_slice(b"short")).as_init(), moved.as_init()));
}
