//! The copies of the mode that makes them.

use super::{
    head::Head,
    request::{Body, Headers, Request, Source},
};
use aqueduct::{SequenceRef, copy};
use std::collections::HashMap;

/// A request as frameworks that own theirs have it: what was received in a buffer, and strings.
pub(crate) struct Copies {
    buffer: Vec<u8>,
    /// Bytes of the head in it.
    head: usize,
    method: String,
    path: String,
    query: String,
    headers: HashMap<String, Vec<u8>>,
}

impl Copies {
    pub(crate) fn new(parsed: &Head<'_, '_>, head: SequenceRef<'_>, body: SequenceRef<'_>) -> Self {
        let mut headers = HashMap::new();
        for header in parsed.headers {
            let name = text(header.name.as_bytes()).to_ascii_lowercase();
            headers.entry(name).or_insert_with(|| owned(header.value));
        }
        let mut buffer = vec![0; head.len() + body.len()];
        let mut rest = &mut buffer[..];
        for piece in head.segments().chain(body.segments()) {
            let (here, behind) = rest.split_at_mut(piece.len());
            copy(here, piece);
            rest = behind;
        }
        let [method, path, query] =
            [parsed.method, parsed.path, parsed.query].map(|part| text(part.as_bytes()));
        Self { buffer, head: head.len(), method, path, query, headers }
    }

    pub(crate) fn request(&self) -> Request<'_> {
        let (head, body) = self.buffer.split_at(self.head);
        let (method, path, query) = (&*self.method, &*self.path, &*self.query);
        let body = Body::new(SequenceRef::from(body), SequenceRef::from(head));
        Request { method, path, query, headers: Headers(Source::Copied(&self.headers)), body }
    }
}

/// Bytes of one's own.
pub(crate) fn owned(bytes: &[u8]) -> Vec<u8> {
    let mut own = vec![0; bytes.len()];
    copy(&mut own, bytes);
    own
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(owned(bytes))
        .unwrap_or_else(|refused| String::from_utf8_lossy(refused.as_bytes()).into_owned())
}
