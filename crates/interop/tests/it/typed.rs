//! zerocopy: slices seen as values of a type, where they lie.

use crate::{lies_in, spent};
use aqueduct::{Pool, Slice, SliceMut};
use zerocopy::{
    FromBytes, Immutable, IntoBytes, KnownLayout, TryFromBytes,
    byteorder::little_endian::{U32, U64},
    error::{ConvertError, TryReadError},
};

#[derive(Debug, PartialEq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
struct Tick {
    time: u64,
    price: u32,
    amount: u32,
}

/// The same bytes at any address: in the wire's own order, read where they are used.
#[derive(Debug, PartialEq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
struct WireTick {
    time: U64,
    price: U32,
    amount: U32,
}

/// Not every byte is one.
#[derive(Debug, PartialEq, TryFromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(u8)]
enum Side {
    Buy = 1,
    Sell = 2,
}

/// All of `bytes` as values, if they begin at a multiple of eight and are that long.
fn ticks(bytes: &[u8]) -> Result<&[Tick], String> {
    <[Tick]>::ref_from_bytes(bytes).map_err(|refused| refused.to_string())
}

/// Sixty ticks in a block of the pool, filled in place.
fn written() -> Slice {
    let mut block = Pool::global().get(60 * size_of::<Tick>()); // begins at a multiple of 64
    block.commit(60 * size_of::<Tick>());
    let ticks = <[Tick]>::mut_from_bytes(&mut block).expect("aligned to 64, and 60 times 16 bytes");
    for (n, tick) in (0..).zip(ticks) {
        *tick = Tick { time: n, price: 500, amount: 1 };
    }
    block.freeze()
}

#[test]
fn values_are_written_and_read_where_they_lie() {
    let (block, used) = spent(written);
    assert_eq!(used.bytes, 0);
    let (seen, used) = spent(|| ticks(&block).unwrap());
    assert_eq!((seen.len(), used.bytes), (60, 0));
    assert_eq!(seen.as_ptr().cast(), block.as_ptr());
    assert!((0..).zip(seen).all(|(n, tick)| *tick == Tick { time: n, price: 500, amount: 1 }));

    // One of them, as a handle: `slice_shared` stays in the block, `slice` would move 16 bytes out of it.
    let third = block.slice_shared(32..48);
    assert_eq!(Tick::ref_from_bytes(&third).unwrap().time, 2);
    assert!(lies_in(&third, &block));
}

#[test]
fn what_is_not_aligned_is_an_error() {
    let block = written();
    let odd = block.slice_shared(1..17);
    let Err(ConvertError::Alignment(_)) = Tick::ref_from_bytes(&odd) else { panic!("it is odd") };
    assert!(ticks(&odd).unwrap_err().contains("not a multiple of"));
    let Err(ConvertError::Size(_)) = <[Tick]>::ref_from_bytes(&block[..17]) else {
        panic!("it is long")
    };

    // Of the wire's own order, it is read at any address, and so is what is copied out.
    let anywhere = WireTick::ref_from_bytes(&odd).unwrap();
    assert_eq!(anywhere.as_bytes().as_ptr(), odd.as_ptr());
    assert_eq!(Tick::read_from_bytes(&odd).unwrap().as_bytes(), &odd[..]);
}

#[test]
fn what_is_no_value_is_an_error() {
    let sides = Slice::from_static(&[1, 2, 2, 1]);
    let seen = <[Side]>::try_ref_from_bytes(&sides).unwrap();
    assert_eq!(seen, [Side::Buy, Side::Sell, Side::Sell, Side::Buy]);
    assert_eq!(seen.as_ptr().cast(), sides.as_ptr());
    let damaged = Slice::from_static(&[1, 2, 3, 1]);
    let Err(ConvertError::Validity(_)) = <[Side]>::try_ref_from_bytes(&damaged) else {
        panic!("three is no side")
    };
    let read: Result<Side, TryReadError<_, _>> = Side::try_read_from_bytes(&damaged[2..3]);
    assert!(read.is_err());
}

#[test]
fn a_pool_aligns_to_what_it_is_asked_for() {
    #[derive(FromBytes, KnownLayout, Immutable)]
    #[repr(C, align(4096))]
    struct Page([u8; 4096]);

    let pool = Pool::builder().alignment(4096).build().unwrap();
    let blocks: Vec<SliceMut> = (0..20).map(|_| pool.get(4096)).collect();
    for mut block in blocks {
        block.commit(4096);
        let block = block.freeze();
        let page = Page::ref_from_bytes(&block).unwrap();
        assert_eq!(page.0.as_ptr(), block.as_ptr());
    }
    assert!(Pool::builder().alignment(8192).build().is_err(), "more is refused, not rounded");
}
