//! Operators of functions, and what functions do with bytes.

use crate::{Failure, MakeOperator, Message, Operator, Outputs};
use aqueduct::Slice;
use std::{borrow::Cow, sync::Arc};

/// What a node does with a message, where it keeps nothing.
pub(crate) trait Work:
    FnMut(Message, &mut Outputs<'_>) -> Result<(), Failure> + Send + 'static
{
}
impl<F: FnMut(Message, &mut Outputs<'_>) -> Result<(), Failure> + Send + 'static> Work for F {}

/// An operator of a function that every run and worker has a clone of.
pub(crate) fn stateless(work: impl Work + Clone + Sync) -> MakeOperator {
    Arc::new(move || Ok(boxed(work.clone())))
}

/// An operator of a function that is one's own.
pub(crate) fn boxed(work: impl Work) -> Box<dyn Operator> {
    Box::new(Worker(work))
}

struct Worker<F>(F);

impl<F: Work> Operator for Worker<F> {
    #[inline]
    fn on_item(
        &mut self,
        _: usize,
        message: Message,
        out: &mut Outputs<'_>,
    ) -> Result<(), Failure> {
        self.0(message, out)
    }
}

/// Hands messages on.
pub(crate) fn pass(message: Message, out: &mut Outputs<'_>) -> Result<(), Failure> {
    out.emit(0, message)
}

/// Bytes that went through a `Cow`.
pub(crate) fn cow(bytes: Slice, map: impl for<'a> Fn(Cow<'a, [u8]>) -> Cow<'a, [u8]>) -> Slice {
    let within = |part: &[u8]| {
        let (all, part) = (bytes.as_ptr_range(), part.as_ptr_range());
        all.start <= part.start && part.end <= all.end
    };
    match map(Cow::Borrowed(&bytes)) {
        Cow::Owned(new) => new.into(),
        Cow::Borrowed(same) if same.len() == bytes.len() && within(same) => bytes,
        Cow::Borrowed(part) if within(part) => bytes.slice_ref(part),
        Cow::Borrowed(other) => Slice::copy_from_slice(other),
    }
}

/// Bytes that were changed in place if nobody shares them.
pub(crate) fn updated(bytes: Slice, update: impl Fn(&mut [u8])) -> Slice {
    let mut bytes = bytes.try_into_mut().unwrap_or_else(|shared| {
        let mut copy = aqueduct::Pool::global().get(shared.len());
        copy.extend_from_slice(&shared);
        copy
    });
    update(&mut bytes);
    bytes.freeze()
}
