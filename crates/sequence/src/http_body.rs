//! `Body` of the `http-body` crate.

use crate::Sequence;
use bytes::Bytes;
use core::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};
use http_body::{Body, Frame, SizeHint};

/// The segments, each handed over as a frame on its own block without copying, and there at once; short ones
/// move inline. The length is known, so that a server can announce it; one that writes vectored sends several
/// frames at a time.
///
/// A frame is `Bytes`, as axum and its like want it: one small allocation for each.
impl Body for Sequence {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let rest = self.get_mut();
        let count = rest.as_ref().first().len();
        Poll::Ready((count > 0).then(|| Ok(Frame::data(rest.split_to(count).into_slice().into()))))
    }

    fn is_end_stream(&self) -> bool {
        self.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.len() as u64)
    }
}
