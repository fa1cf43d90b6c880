//! [`Payload`]: the data of a call or a reply.

use aqueduct::{PipeError, Slice, Writer, meter};
use smallvec::SmallVec;
use std::fmt;

/// The data of a call or a reply: handles on the blocks that it lies in.
///
/// Data that was received lies where the system put it. Mostly that is one piece; what went across the end
/// of a block, or is large, lies in several. A payload outlives the connection and the client that it
/// came from, and keeps its blocks alive: of data that is kept for long, [`detach`](Self::detach) makes a
/// copy of its own size.
///
/// ```
/// use uvrpc::Payload;
///
/// let payload = Payload::from(vec![7; 100]);
/// assert_eq!(payload.as_slice(), Some(&[7; 100][..]));
/// assert_eq!(payload.to_slice().len(), 100);
/// ```
#[derive(Clone, Default)]
pub struct Payload {
    /// None of them empty. Two suffice for all but large data.
    pieces: SmallVec<[Slice; 3]>,
}

impl Payload {
    /// Bytes in all pieces.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pieces.iter().map(Slice::len).sum()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// The pieces in order, none of them empty.
    #[must_use]
    pub fn pieces(&self) -> &[Slice] {
        &self.pieces
    }

    /// The bytes, if they lie in one piece.
    #[must_use]
    pub fn as_slice(&self) -> Option<&[u8]> {
        match &*self.pieces {
            [] => Some(&[]),
            [one] => Some(one),
            _ => None,
        }
    }

    /// The bytes in one slice: a handle if they lie in one piece, else a copy, which the meter counts.
    #[must_use]
    pub fn to_slice(&self) -> Slice {
        match &*self.pieces {
            [one] => one.clone(),
            _ => Slice::from(self.to_vec()),
        }
    }

    /// A copy of its own, which the meter counts, and which keeps no block alive.
    #[must_use]
    pub fn detach(&self) -> Self {
        Self::from(self.to_vec())
    }

    fn to_vec(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.len());
        self.pieces.iter().for_each(|piece| bytes.extend_from_slice(piece));
        meter::count_copy(bytes.len());
        bytes
    }

    pub(crate) fn push(&mut self, piece: Slice) {
        if !piece.is_empty() {
            self.pieces.push(piece);
        }
    }

    /// Hands all pieces over to a pipe.
    pub(crate) fn push_to(self, writer: &mut Writer) -> Result<(), PipeError> {
        self.pieces.into_iter().try_for_each(|piece| Ok(writer.push(piece)?))
    }
}

impl From<Slice> for Payload {
    /// Hands it over.
    fn from(slice: Slice) -> Self {
        let mut payload = Self::default();
        payload.push(slice);
        payload
    }
}

impl From<Vec<u8>> for Payload {
    /// Hands it over.
    fn from(bytes: Vec<u8>) -> Self {
        Self::from(Slice::from(bytes))
    }
}

impl From<&'static [u8]> for Payload {
    fn from(bytes: &'static [u8]) -> Self {
        Self::from(Slice::from_static(bytes))
    }
}

impl<const N: usize> From<&'static [u8; N]> for Payload {
    fn from(bytes: &'static [u8; N]) -> Self {
        Self::from(bytes.as_slice())
    }
}

impl PartialEq<[u8]> for Payload {
    fn eq(&self, mut other: &[u8]) -> bool {
        self.pieces.iter().all(|piece| {
            other.split_at_checked(piece.len()).is_some_and(|(front, rest)| {
                other = rest;
                front == &piece[..]
            })
        }) && other.is_empty()
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.pieces).finish()
    }
}
