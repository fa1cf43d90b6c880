//! arrow-buffer: columns on our memory, and slices on theirs.

use crate::{allocated, numbered, spent};
use aqueduct::{Pool, Slice};
use arrow_buffer::{ArrowNativeType, Buffer, ScalarBuffer};
use bytes::Bytes;

/// A buffer on the memory of a slice: no copy, a few small allocations.
fn to_arrow(slice: Slice) -> Buffer {
    Buffer::from(Bytes::from(slice))
}

/// And back: a slice on the memory of a buffer, whose bytes are a column of bytes.
fn from_arrow(buffer: Buffer) -> Slice {
    Slice::from_owner(ScalarBuffer::<u8>::from(buffer))
}

/// A column of numbers. Where they do not begin at a multiple of their alignment, the buffer comes
/// back: `ScalarBuffer::from` would panic, and of an empty one as well.
fn column<T: ArrowNativeType>(buffer: Buffer) -> Result<ScalarBuffer<T>, Buffer> {
    match buffer.as_ptr().cast::<T>().is_aligned() {
        _ if buffer.is_empty() => Ok(Vec::new().into()),
        true => Ok(buffer.into()),
        false => Err(buffer),
    }
}

#[test]
fn a_slice_becomes_a_buffer_and_a_buffer_a_slice() {
    let slice = numbered(4000);
    let (address, len) = (slice.as_ptr(), slice.len());
    let ((buffer, used), few) = allocated(|| spent(|| to_arrow(slice)));
    assert_eq!((buffer.as_ptr(), buffer.len(), used.bytes), (address, len, 0));
    assert!(few.allocations <= 3 && few.bytes <= 256, "{few:?}");
    let part = buffer.slice_with_length(1000, 2000);
    drop(buffer);
    let (back, used) = spent(|| from_arrow(part));
    assert_eq!((back.as_ptr(), back.len(), used.bytes), (address.wrapping_add(1000), 2000, 0));
    assert_eq!(back, numbered(4000)[1000..3000]);

    let theirs = Buffer::from_vec(vec![1_u64, 2, 3, 4]);
    let address = theirs.as_ptr();
    assert_eq!(from_arrow(theirs).as_ptr(), address);
    assert!(from_arrow(to_arrow(Slice::new())).is_empty());
}

#[test]
fn a_column_is_read_in_a_block_of_the_pool() {
    let pool = Pool::new();
    let mut block = pool.get(8 * 500);
    for n in 0..500_u64 {
        let room = block.spare_mut();
        room[..8].iter_mut().zip(n.to_le_bytes()).for_each(|(to, byte)| *to = byte);
        block.commit(8);
    }
    let block = block.freeze();
    let (numbers, used) = spent(|| column::<u64>(to_arrow(block.clone())).unwrap());
    assert_eq!((numbers.as_ptr().cast(), used.bytes), (block.as_ptr(), 0));
    assert!(numbers.iter().copied().eq((0..500).map(u64::from_le)));
    drop(block);
    assert_eq!(pool.outstanding(), 1, "the column holds the block");
    drop(numbers);
    assert_eq!(pool.outstanding(), 0);
}

#[test]
fn what_is_not_aligned_comes_back() {
    let mut block = Pool::global().get(4096); // begins at a multiple of 64
    block.resize(4096, 1);
    let block = block.freeze();
    for by in 1..16 {
        let part = block.slice_shared(by..by + 64);
        let read = column::<u64>(to_arrow(part.clone()));
        assert_eq!(read.is_ok(), by % 8 == 0, "moved by {by}");
        if let Err(buffer) = read {
            assert_eq!(buffer.as_ptr(), part.as_ptr());
        }
        assert_eq!(column::<i128>(to_arrow(part)).is_ok(), by % align_of::<i128>() == 0);
    }
    // A rest that is no whole number is left out.
    assert_eq!(column::<u64>(to_arrow(block.slice_shared(..65))).unwrap().len(), 8);
    assert_eq!(column::<u64>(to_arrow(Slice::from_static(&[]))).unwrap().len(), 0);
}
