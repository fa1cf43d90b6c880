//! [`Cutter`]: finds the end of the next frame, whatever pieces it comes in.

use super::{FrameError, FrameFault, Framing, framing::Rule};
use crate::{PipeError, Read};
use aqueduct_sequence::{Prefix, ReadFault, SequenceRef};

/// What is known of the frame at the front of the stream.
pub(super) struct Cutter {
    framing: Framing,
    /// Where that frame begins.
    pub(super) position: u64,
    /// With how many bytes another look makes sense: at most what the largest frame takes.
    pub(super) need: usize,
    /// Up to where no delimiter begins, so that no byte is searched twice, however many pieces come.
    searched: usize,
}

/// A whole frame, and what stands before and behind it, in bytes.
#[derive(Clone, Copy)]
pub(super) struct Cut {
    pub(super) head: usize,
    pub(super) body: usize,
    pub(super) tail: usize,
}

impl Cut {
    pub(super) fn len(self) -> usize {
        self.head + self.body + self.tail
    }
}

/// What a look at the stream says.
pub(super) enum Look {
    Frame(Cut),
    /// There is none, and there will be none.
    End,
    /// [`Cutter::need`] bytes are needed to say more.
    Wait,
}

/// What the bytes say, whether more will come or not.
enum Found {
    Whole(Cut),
    Need(usize),
}

impl Cutter {
    pub(super) fn new(framing: Framing) -> Self {
        let mut cutter = Self { framing, position: 0, need: 0, searched: 0 };
        cutter.pass(0);
        cutter
    }

    /// The frame at the front, of so many bytes, is done with.
    pub(super) fn pass(&mut self, count: usize) {
        self.position += count as u64;
        self.searched = 0;
        self.need = match &self.framing.rule {
            Rule::Prefixed { prefix, .. } => prefix.width().unwrap_or(1),
            Rule::Delimited(delimiter) => delimiter.len(),
            Rule::Fixed => self.framing.most,
        };
    }

    /// Looks at what a read lent.
    pub(super) fn look(&mut self, read: Result<Read<'_>, PipeError>) -> Result<Look, FrameError> {
        let (view, last) = match read {
            Ok(Read::Data(view)) => (view, false),
            Ok(Read::Eof(view)) => (view, true),
            Ok(Read::Cancelled(_)) => return Err(self.refuse(FrameFault::Cancelled)),
            Err(error) => return Err(self.refuse(error)),
        };
        match self.find(view.seq()).map_err(|fault| self.refuse(fault))? {
            Found::Whole(cut) => Ok(Look::Frame(cut)),
            Found::Need(_) if last && view.is_empty() => Ok(Look::End),
            Found::Need(need) if last => {
                let (have, need) = (view.len() as u64, need as u64);
                Err(self.refuse(FrameFault::UnexpectedEof { have, need }))
            }
            Found::Need(need) => {
                self.need = need;
                Ok(Look::Wait)
            }
        }
    }

    fn refuse(&self, fault: impl Into<FrameFault>) -> FrameError {
        FrameError::new(self.position, fault)
    }

    fn find(&mut self, bytes: SequenceRef<'_>) -> Result<Found, FrameFault> {
        let most = self.framing.most;
        match &self.framing.rule {
            Rule::Prefixed { prefix, inclusive } => prefixed(bytes, *prefix, *inclusive, most),
            Rule::Delimited(delimiter) => delimited(bytes, delimiter, most, &mut self.searched),
            Rule::Fixed if bytes.len() < most => Ok(Found::Need(most)),
            Rule::Fixed => Ok(Found::Whole(Cut { head: 0, body: most, tail: 0 })),
        }
    }
}

/// The length is checked as it was written, in 64 bits, before anything is added to it.
fn prefixed(
    bytes: SequenceRef<'_>,
    prefix: Prefix,
    inclusive: bool,
    most: usize,
) -> Result<Found, FrameFault> {
    let mut reader = bytes.reader();
    let said = match reader.read_length(prefix) {
        Ok(said) => said,
        Err(refused) => match refused.fault() {
            ReadFault::Short { needed, .. } => return Ok(Found::Need(needed)),
            _ => return Err(FrameFault::Overflow),
        },
    };
    let head = reader.position();
    let own = if inclusive { head as u64 } else { 0 };
    let Some(len) = said.checked_sub(own) else {
        return Err(FrameFault::TooShort { len: said, prefix: own });
    };
    match usize::try_from(len).ok().filter(|body| *body <= most) {
        None => Err(FrameFault::TooLarge { len, most: most as u64 }),
        Some(body) if reader.remaining() < body => Ok(Found::Need(head + body)),
        Some(body) => Ok(Found::Whole(Cut { head, body, tail: 0 })),
    }
}

fn delimited(
    bytes: SequenceRef<'_>,
    delimiter: &[u8],
    most: usize,
    searched: &mut usize,
) -> Result<Found, FrameFault> {
    let tail = delimiter.len();
    // A delimiter that begins behind the largest frame is too late.
    let within = bytes.len().min(most + tail);
    let from = (*searched).min(within);
    if let Some(at) = bytes.slice(from..within).find_slice(delimiter) {
        return Ok(Found::Whole(Cut { head: 0, body: from + at, tail }));
    }
    if within == most + tail {
        return Err(FrameFault::TooLarge { len: most as u64 + 1, most: most as u64 });
    }
    // The last bytes may be its beginning.
    *searched = (within + 1).saturating_sub(tail);
    Ok(Found::Need(tail.max(within + 1)))
}
