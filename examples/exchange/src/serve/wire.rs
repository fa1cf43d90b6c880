//! Requests as they come: frames of 64 bytes, read word by word where they were received, or lines of JSON.

use super::Fault;
use crate::{Action, Kind, Order, Side, TimeInForce};
use aqueduct::{SegmentList, SequenceReader, SequenceRef, Slice};
use serde::{Deserialize, Serialize};

/// Bytes of a frame.
pub const FRAME: usize = 64;
/// A frame's first byte, which no text begins with.
pub const MAGIC: u8 = 0xae;
/// Its second.
pub const VERSION: u8 = 1;
/// Bytes of a line at most.
pub const LINE: usize = 4096;
/// Levels of a book that may be asked for.
pub const LEVELS: u16 = 32;
/// Pieces that a request may be in while its rest is missing: each pins a block.
const PIECES: usize = 8;

/// How a connection speaks, as its first byte says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// Frames.
    #[default]
    Frames,
    /// Lines of JSON.
    Lines,
}

/// What a client asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum What {
    /// A new order.
    Place = 1,
    /// What is left of an order is taken back.
    Cancel,
    /// An order is made smaller.
    Reduce,
    /// An order gets another price.
    Move,
    /// The best prices of a book.
    Depth,
    /// Every trade from now on.
    SubscribeTrades,
    /// The best prices of a book whenever it changes.
    SubscribeDepth,
    /// The trades of a user's orders.
    SubscribeFills,
    /// An answer.
    Ping,
}

/// All of them.
const ALL: [What; 9] = [
    What::Place,
    What::Cancel,
    What::Reduce,
    What::Move,
    What::Depth,
    What::SubscribeTrades,
    What::SubscribeDepth,
    What::SubscribeFills,
    What::Ping,
];

impl What {
    /// What it is to the exchange, if it goes through the stages.
    #[must_use]
    pub const fn action(self) -> Option<Action> {
        match self {
            Self::Place => Some(Action::Place),
            Self::Cancel => Some(Action::Cancel),
            Self::Reduce => Some(Action::Reduce),
            Self::Move => Some(Action::Move),
            _ => None,
        }
    }
}

/// What says of a request what it is: a frame's first word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// What is asked for.
    pub what: What,
    /// Levels of the book, from 1 to [`LEVELS`], where they are asked for.
    pub levels: u16,
    side: Side,
    kind: Kind,
    tif: TimeInForce,
}

/// The requests of a connection, where they were received.
#[derive(Debug, Default)]
pub struct Requests {
    form: Option<Form>,
    input: SegmentList,
    next: Option<Next>,
}

/// The next request, when it is known to be one.
#[derive(Debug)]
enum Next {
    Frame(Head),
    Line(Line, Head, usize),
}

impl Requests {
    /// More bytes of the connection.
    pub fn push(&mut self, slice: Slice) {
        self.input.push_back(slice);
        let first = || self.input.as_ref().first().first();
        let form = |byte: &u8| if *byte == MAGIC { Form::Frames } else { Form::Lines };
        self.form = self.form.or_else(|| first().map(form));
    }

    /// How the connection speaks.
    #[must_use]
    pub fn form(&self) -> Form {
        self.form.unwrap_or_default()
    }

    /// Bytes that were not taken.
    #[must_use]
    pub fn len(&self) -> usize {
        self.input.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.input.is_empty()
    }

    /// Forgets what was not taken.
    pub fn clear(&mut self) {
        self.next = None;
        self.input.clear();
    }

    /// What the next request is, or none while it is not whole. The same until it is [taken](Self::take).
    ///
    /// # Errors
    ///
    /// What is wrong with it. There is nothing behind it then.
    #[inline]
    pub fn peek(&mut self) -> Result<Option<Head>, Fault> {
        match &self.next {
            Some(Next::Frame(head) | Next::Line(_, head, _)) => return Ok(Some(*head)),
            None if self.input.is_empty() => {
                self.input.release_used();
                return Ok(None);
            }
            None => {}
        }
        self.next = match self.form() {
            Form::Frames if self.input.len() < FRAME => None,
            Form::Frames => Some(Next::Frame(check(self.input.as_ref_up_to(FRAME))?)),
            Form::Lines => self.line()?,
        };
        match &self.next {
            Some(Next::Frame(head) | Next::Line(_, head, _)) => Ok(Some(*head)),
            None => {
                self.join();
                Ok(None)
            }
        }
    }

    /// Takes the next request, which [`peek`](Self::peek) has seen: fills in what it says of an order, and
    /// gives the client's tag for it.
    #[inline]
    pub fn take(&mut self, order: &mut Order) -> u64 {
        match self.next.take() {
            Some(Next::Frame(head)) => {
                let tag = fill(head, self.input.as_ref(), order);
                self.input.consume(FRAME);
                tag
            }
            Some(Next::Line(line, head, len)) => {
                self.input.consume(len);
                line.fill(head, order)
            }
            None => 0,
        }
    }

    /// The next line that is not blank.
    fn line(&mut self) -> Result<Option<Next>, Fault> {
        loop {
            let found = self.input.as_ref_up_to(LINE).find(b'\n');
            let Some(end) = found else {
                return if self.input.len() < LINE { Ok(None) } else { Err(Fault::TooLong) };
            };
            let text = self.input.as_ref_up_to(end).to_contiguous();
            if text.trim_ascii().is_empty() {
                self.input.consume(end + 1);
                continue;
            }
            let line: Line = serde_json::from_slice(&text).map_err(|_| Fault::Json)?;
            let head = line.head()?;
            return Ok(Some(Next::Line(line, head, end + 1)));
        }
    }

    /// Who sends a request in many pieces keeps no block for each.
    fn join(&mut self) {
        let input = self.input.as_ref();
        if input.segment_count() > PIECES {
            let whole = input.to_slice();
            self.input.clear();
            self.input.push_back(whole);
        }
    }
}

/// A frame's next word: there are eight.
#[inline]
fn word(frame: &mut SequenceReader<'_>) -> u64 {
    frame.read_u64_le().unwrap_or_default()
}

/// What a frame is. All that can be wrong with it is found here.
#[inline]
fn check(frame: SequenceRef<'_>) -> Result<Head, Fault> {
    let mut frame = frame.reader();
    let [magic, version, what, side, kind, tif, levels @ ..] = word(&mut frame).to_le_bytes();
    if magic != MAGIC {
        return Err(Fault::Magic);
    }
    if version != VERSION {
        return Err(Fault::Version);
    }
    let what = ALL.get(usize::from(what).wrapping_sub(1)).ok_or(Fault::Type)?;
    let _ = frame.advance(5 * 8);
    if word(&mut frame) >> 32 != 0 || word(&mut frame) != 0 {
        return Err(Fault::Reserved);
    }
    let head = Head {
        what: *what,
        levels: u16::from_le_bytes(levels),
        side: *[Side::Buy, Side::Sell].get(usize::from(side)).ok_or(Fault::Field)?,
        kind: *[Kind::Limit, Kind::Market].get(usize::from(kind)).ok_or(Fault::Field)?,
        tif: *[TimeInForce::Gtc, TimeInForce::Ioc].get(usize::from(tif)).ok_or(Fault::Field)?,
    };
    head.within_limits()
}

/// Reads a frame from where it lies straight into an order.
#[inline]
fn fill(head: Head, frame: SequenceRef<'_>, order: &mut Order) -> u64 {
    let mut frame = frame.reader();
    let [_, tag] = [(); 2].map(|()| word(&mut frame));
    (order.id, order.user) = (word(&mut frame), word(&mut frame));
    (order.price, order.qty) = (word(&mut frame), word(&mut frame));
    order.symbol = frame.read_u32_le().unwrap_or_default();
    head.fill(order);
    tag
}

impl Head {
    fn within_limits(self) -> Result<Self, Fault> {
        let counts = matches!(self.what, What::Depth | What::SubscribeDepth);
        let sound = if counts { (1..=LEVELS).contains(&self.levels) } else { self.levels == 0 };
        if sound { Ok(self) } else { Err(Fault::Field) }
    }

    #[inline]
    fn fill(self, order: &mut Order) {
        order.action = self.what.action().unwrap_or_default();
        (order.side, order.kind, order.tif) = (self.side, self.kind, self.tif);
    }
}

/// A request as JSON. Numbers are those of a frame.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    #[serde(rename = "type")]
    what: What,
    #[serde(default)]
    tag: u64,
    id: Option<u64>,
    user: Option<u64>,
    #[serde(default)]
    symbol: u32,
    side: Option<Side>,
    #[serde(default)]
    kind: Kind,
    #[serde(default)]
    tif: TimeInForce,
    price: Option<u64>,
    qty: Option<u64>,
    levels: Option<u16>,
}

impl Line {
    fn head(&self) -> Result<Head, Fault> {
        let Self { what, id, user, side, kind, tif, price, qty, .. } = *self;
        let priced = price.is_some() || (kind, side) == (Kind::Market, Some(Side::Sell));
        let whole = match what {
            What::Place => side.is_some() && qty.is_some() && priced,
            What::Reduce => qty.is_some(),
            What::Move => price.is_some(),
            _ => true,
        };
        let whose = what == What::SubscribeFills || what.action().is_some();
        if !whole || whose && user.is_none() || what.action().is_some() && id.is_none() {
            return Err(Fault::Field);
        }
        let (side, levels) = (side.unwrap_or_default(), self.levels.unwrap_or_default());
        Head { what, levels, side, kind, tif }.within_limits()
    }

    fn fill(&self, head: Head, order: &mut Order) -> u64 {
        let Self { id, user, price, qty, symbol, .. } = *self;
        let [id, user, price, qty] = [id, user, price, qty].map(Option::unwrap_or_default);
        (order.id, order.user, order.price, order.qty) = (id, user, price, qty);
        order.symbol = symbol;
        head.fill(order);
        self.tag
    }
}
