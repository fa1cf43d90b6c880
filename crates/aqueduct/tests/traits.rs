//! What code that uses the crates may rely on: the traits of each type, also the derived ones, which
//! `docs/api` leaves out. One that is taken away does not compile here.

use aqueduct::{
    AllocError, Blocking, Checkpoint, ClassStats, Frame, FrameError, FrameFault, FramedReader,
    FramedWriter, Framing, GetError, Interner, Interrupter, IntoSlices, Limit, LocalSlice, NotUtf8,
    Options, PipeError, PipeErrorKind, Pool, PoolBuildError, PoolBuilder, PoolStats, Prefix,
    PushError, PushFrameError, PushSequenceError, RangeError, ReadError, ReadFault, Reader,
    SegmentList, Segments, Sequence, SequenceReader, SequenceRef, Slice, SliceMut, Split, Str,
    Utf8Error, Writer, meter,
};
use std::{
    borrow::{Borrow, BorrowMut},
    error::Error,
    fmt::{self, Debug, Display},
    hash::Hash,
    io,
    iter::FusedIterator,
    panic::{RefUnwindSafe, UnwindSafe},
};

macro_rules! have {
    ($($type:ty: [$($bound:tt)+];)+) => { $( const _: () = bound!($type, $($bound)+); )+ };
}

macro_rules! bound {
    ($type:ty, $($bound:tt)+) => {{
        const fn has<T: $($bound)+>() {}
        has::<$type>()
    }};
}

trait Plain: Debug + Send + Sync + Unpin + 'static {}
impl<T: Debug + Send + Sync + Unpin + 'static> Plain for T {}

trait Value: Plain + Clone + Default + Eq + Ord + Hash {}
impl<T: Plain + Clone + Default + Eq + Ord + Hash> Value for T {}

trait Refusal: Plain + Error + Clone + Into<io::Error> {}
impl<T: Plain + Error + Clone + Into<io::Error>> Refusal for T {}

have! {
    Slice: [Value + UnwindSafe + RefUnwindSafe + Borrow<[u8]> + AsRef<[u8]> + FromIterator<u8>];
    Slice: [From<Vec<u8>> + From<Box<[u8]>> + From<String> + From<&'static str> + From<&'static [u8; 4]> + From<Str>];
    Slice: [PartialEq<[u8]> + PartialEq<[u8; 4]> + PartialEq<&'static [u8]> + PartialEq<Vec<u8>>];
    Vec<u8>: [PartialEq<Slice> + PartialEq<SliceMut>];
    SliceMut: [Plain + Default + Eq + Ord + Hash + UnwindSafe + RefUnwindSafe + io::Write + fmt::Write];
    SliceMut: [AsRef<[u8]> + AsMut<[u8]> + Borrow<[u8]> + BorrowMut<[u8]> + Extend<u8> + Extend<&'static u8>];
    LocalSlice: [Debug + Clone + Eq + Ord + Hash + AsRef<[u8]>];
    Str: [Value + Display + Borrow<str> + AsRef<str> + AsRef<[u8]> + From<&'static str> + From<String>];
    String: [PartialEq<Str>];
    Sequence: [Value + UnwindSafe + FromIterator<Slice> + Extend<Slice> + From<Slice> + From<Vec<u8>> + From<Str>];
    Sequence: [From<String> + From<&'static str> + From<Box<[u8]>> + IntoIterator<Item = Slice>];
    SequenceRef<'static>: [Value + Copy];
    SequenceReader<'static>: [Plain + io::Read + io::BufRead + io::Seek];
    Segments<'static>: [Plain + Clone + FusedIterator + ExactSizeIterator];
    Split<'static>: [Plain + Clone + FusedIterator];
    IntoSlices: [Plain + Clone + FusedIterator + ExactSizeIterator];
    SegmentList: [Plain + Default];
    Checkpoint<'static>: [Plain];
    Prefix: [Plain + Copy + Eq];
    Pool: [Plain + Clone + UnwindSafe + RefUnwindSafe];
    PoolBuilder: [Plain + Clone + Default];
    PoolStats: [Plain + Clone];
    ClassStats: [Plain + Clone];
    Interner: [Plain + Default];
    Options: [Plain + Clone + Default];
    Writer: [Plain];
    Reader: [Plain];
    Blocking<Reader>: [Plain + io::Read + io::BufRead];
    Blocking<Writer>: [Plain + io::Write];
    Interrupter: [Plain + Clone];
    Framing: [Plain + Clone];
    FramedReader: [Plain];
    FramedWriter: [Plain];
    Frame: [Plain + Clone];
    AllocError: [Refusal + Copy + Eq];
    RangeError: [Refusal + Copy + Eq];
    Utf8Error: [Refusal + Eq];
    NotUtf8: [Refusal + Copy + Eq];
    ReadError: [Refusal + Copy + Eq];
    GetError: [Refusal + Copy + Eq];
    PoolBuildError: [Plain + Error + Copy + Eq];
    PipeError: [Refusal];
    PushError: [Refusal + Into<PipeError>];
    PushSequenceError: [Refusal + Into<PipeError>];
    FrameError: [Refusal];
    PushFrameError: [Refusal + Into<FrameError>];
    PipeErrorKind: [Plain + Display + Clone];
    FrameFault: [Plain + Display + Clone];
    ReadFault: [Plain + Display + Copy + Eq];
    Limit: [Plain + Display + Copy + Eq];
    meter::Counts: [Plain + Copy + Default + Eq];
}

#[test]
fn an_io_error_is_of_the_kind_that_tells_most() {
    let kind = |error: io::Error| error.kind();
    let short = SequenceReader::new(SequenceRef::from(b"1")).read_u16_be().unwrap_err();
    assert_eq!(kind(short.into()), io::ErrorKind::UnexpectedEof);
    assert_eq!(
        kind(Str::from_utf8(Slice::from(b"\xff")).unwrap_err().into()),
        io::ErrorKind::InvalidData
    );
    assert_eq!(kind(Slice::new().try_slice(1..).unwrap_err().into()), io::ErrorKind::InvalidInput);
    let small = Pool::builder().largest_block(256).hard_limit(4096).build().unwrap();
    assert_eq!(kind(small.try_get(1 << 20).unwrap_err().into()), io::ErrorKind::OutOfMemory);
}
