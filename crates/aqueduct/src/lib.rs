#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

pub use aqueduct_base::{copy, meter};
#[cfg(feature = "os")]
pub use aqueduct_os as os;
pub use aqueduct_pipe::{
    Blocking, Cause, CopyError, Duplex, Flush, Frame, FrameBuilder, FrameError, FrameFault,
    FramedReader, FramedWriter, Framing, FramingError, Interrupter, Options, OptionsBuilder,
    OptionsError, PatchError, PipeError, PipeErrorKind, PipeStats, PipeTooSmall, Placeholder,
    PushError, PushFrameError, PushSequenceError, Read, Reader, View, WriteSlot, Writer, duplex,
    pipe,
};
pub use aqueduct_pool::{
    ClassStats, GetAsync, GetError, Limit, Pool, PoolBuildError, PoolBuilder, PoolStats,
};
pub use aqueduct_ring as ring;
pub use aqueduct_sequence::{
    Checkpoint, Delimiter, IntoSlices, NotUtf8, Prefix, ReadError, ReadFault, SegmentList,
    Segments, Sequence, SequenceReader, SequenceRef, Split,
};
pub use aqueduct_slice::{
    AllocError, AllocErrorKind, Appender, Interner, LocalSlice, NoHeadroom, Published, RangeError,
    RawSlice, Slice, SliceMut, Str, Unjoined, Utf8Error,
};
