//! The copies of the mode that makes them.

use super::{
    head::Head,
    request::{Body, Request},
};
use aqueduct::{SequenceRef, meter};

/// What frameworks copy of a request that is to be theirs: all of it, as it was received, and its path.
pub(crate) struct Copies {
    buffer: Vec<u8>,
    /// Bytes of the head in it.
    head: usize,
    path: String,
}

impl Copies {
    pub(crate) fn new(path: &str, head: SequenceRef<'_>, body: SequenceRef<'_>) -> Self {
        let mut buffer = Vec::with_capacity(head.len() + body.len());
        for piece in head.segments().chain(body.segments()) {
            buffer.extend_from_slice(piece);
        }
        meter::count_copy(buffer.len());
        meter::count_copy(path.len());
        Self { buffer, head: head.len(), path: path.to_owned() }
    }

    pub(crate) fn request<'a>(&'a self, parsed: &'a Head<'_, '_>) -> Request<'a> {
        let (head, body) = self.buffer.split_at(self.head);
        let body = Body::new(SequenceRef::from(body), SequenceRef::from(head));
        Request { path: &self.path, ..Request::new(parsed, body) }
    }
}
