//! Frames over a pipe: a rule that cuts the stream, a reader and a writer that keep to it.

mod builder;
mod cut;
mod error;
mod frame;
mod framing;
mod reader;
mod writer;

pub use builder::FrameBuilder;
pub use error::{FrameError, FrameFault, FramingError, PipeTooSmall, PushFrameError};
pub use frame::Frame;
pub use framing::Framing;
pub use reader::FramedReader;
pub use writer::FramedWriter;
