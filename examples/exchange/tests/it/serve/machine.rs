//! Any bytes against the requests of a connection, in pieces of any size, and a naive reader of the same.

use aqueduct::{Slice, SliceMut};
use exchange::{
    Order,
    serve::{FRAME, LINE, Requests},
};
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;
use std::fmt;

/// What a request says: its type, levels, tag, order, user, price, quantity, market, side, kind, time in force.
pub type Said = [u64; 11];

/// All that is read of a connection: the requests, and the code of what ended it.
pub type All = (Vec<Said>, Option<u8>);

/// The first byte says how long the pieces are; the rest is what comes in.
pub fn run_bytes(bytes: &[u8]) -> usize {
    let Some((size, rest)) = bytes.split_first() else { return 0 };
    let naive = naive(rest);
    assert_eq!(read(rest, rest.len()), naive);
    assert_eq!(read(rest, 1 + usize::from(*size)), naive);
    naive.0.len()
}

/// As the exchange reads it, in pieces of so many bytes, each in a block of its own.
pub fn read(bytes: &[u8], size: usize) -> All {
    let (mut requests, mut all) = (Requests::default(), Vec::new());
    for piece in bytes.chunks(size.max(1)) {
        let mut block = SliceMut::with_capacity(piece.len() + 64);
        block.extend_from_slice(piece);
        requests.push(Slice::slice_shared(&block.freeze(), ..));
        loop {
            match requests.peek() {
                Ok(Some(head)) => {
                    assert_eq!(requests.peek(), Ok(Some(head)), "the same until it is taken");
                    let mut order = Order::default();
                    let tag = requests.take(&mut order);
                    let Order { id, user, price, qty, symbol, side, kind, tif, .. } = order;
                    let [what, levels] = [head.what as u64, head.levels.into()];
                    let rest = [side as u64, kind as u64, tif as u64];
                    let [side, kind, tif] = rest;
                    all.push([
                        what,
                        levels,
                        tag,
                        id,
                        user,
                        price,
                        qty,
                        symbol.into(),
                        side,
                        kind,
                        tif,
                    ]);
                }
                Ok(None) => break,
                Err(fault) => return (all, Some(fault as u8)),
            }
        }
    }
    (all, None)
}

/// The same, byte by byte.
pub fn naive(bytes: &[u8]) -> All {
    let (mut all, mut at) = (Vec::new(), 0);
    let Some(first) = bytes.first() else { return (all, None) };
    loop {
        let rest = &bytes[at..];
        let (said, len) = if *first == 0xae {
            if rest.len() < FRAME {
                return (all, None);
            }
            (naive_frame(&rest[..FRAME]), FRAME)
        } else {
            let end = rest.iter().take(LINE).position(|byte| *byte == b'\n');
            let Some(end) = end else { return (all, (rest.len() >= LINE).then_some(134)) };
            let line = &rest[..end];
            if line.iter().all(u8::is_ascii_whitespace) {
                at += end + 1;
                continue;
            }
            (naive_line(line), end + 1)
        };
        match said {
            Ok(said) => all.push(said),
            Err(code) => return (all, Some(code)),
        }
        at += len;
    }
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

fn naive_frame(frame: &[u8]) -> Result<Said, u8> {
    let (what, levels) = (frame[2], number(&frame[6..8]));
    if frame[0] != 0xae {
        return Err(128);
    }
    if frame[1] != 1 {
        return Err(129);
    }
    if !(1..=9).contains(&what) {
        return Err(130);
    }
    if frame[52..].iter().any(|byte| *byte != 0) {
        return Err(132);
    }
    let counts = what == 5 || what == 7;
    if frame[3..6].iter().any(|byte| *byte > 1) || counts != (levels > 0) || levels > 32 {
        return Err(131);
    }
    let [tag, id, user, price, qty] = [8, 16, 24, 32, 40].map(|at| number(&frame[at..at + 8]));
    let [side, kind, tif] = [3, 4, 5].map(|at| frame[at].into());
    let symbol = number(&frame[48..52]);
    Ok([what.into(), levels, tag, id, user, price, qty, symbol, side, kind, tif])
}

/// The fields of an object, in order.
struct Fields(Vec<(String, Value)>);

impl<'de> Visitor<'de> for Fields {
    type Value = Vec<(String, Value)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Self::Value, A::Error> {
        while let Some(field) = map.next_entry()? {
            self.0.push(field);
        }
        Ok(self.0)
    }
}

fn naive_line(line: &[u8]) -> Result<Said, u8> {
    const NAMES: [&str; 11] =
        ["type", "levels", "tag", "id", "user", "price", "qty", "symbol", "side", "kind", "tif"];
    const TYPES: [&str; 9] = [
        "place",
        "cancel",
        "reduce",
        "move",
        "depth",
        "subscribe_trades",
        "subscribe_depth",
        "subscribe_fills",
        "ping",
    ];
    let mut json = serde_json::Deserializer::from_slice(line);
    let fields = (&mut json).deserialize_map(Fields(Vec::new())).map_err(|_| 133)?;
    json.end().map_err(|_| 133)?;
    let mut said: [Option<u64>; 11] = [None; 11];
    let mut seen = [false; 11];
    for (name, value) in fields {
        let place = NAMES.iter().position(|known| *known == name).ok_or(133)?;
        if std::mem::replace(&mut seen[place], true) {
            return Err(133);
        }
        let words: &[&str] = match place {
            0 => &TYPES,
            8 => &["buy", "sell"],
            9 => &["limit", "market"],
            10 => &["gtc", "ioc"],
            _ => &[],
        };
        // serde takes a word without a value as an object, too.
        let word = match &value {
            Value::String(word) => Some(word.as_str()),
            Value::Object(map) => map
                .iter()
                .next()
                .filter(|one| map.len() == 1 && one.1.is_null())
                .map(|one| one.0.as_str()),
            _ => None,
        };
        let optional = matches!(place, 1 | 3..=6 | 8);
        let most = [u64::MAX, u16::MAX.into(), u32::MAX.into()][match place {
            1 => 1,
            7 => 2,
            _ => 0,
        }];
        said[place] = match (words, word) {
            _ if value.is_null() && optional => None,
            ([], _) => Some(value.as_u64().filter(|number| *number <= most).ok_or(133)?),
            (_, word) => {
                let word = words.iter().position(|known| Some(*known) == word).ok_or(133)?;
                Some(word as u64 + u64::from(place == 0))
            }
        };
    }
    complete(said)
}

/// Whether it says all that its type needs.
fn complete(said: [Option<u64>; 11]) -> Result<Said, u8> {
    let what = said[0].ok_or(133)?;
    let [levels, id, user, price, qty, side, kind] = [1, 3, 4, 5, 6, 8, 9].map(|place| said[place]);
    let needs = match what {
        1 => id.and(user).and(side).and(qty).and(if (side, kind) == (Some(1), Some(1)) {
            Some(0)
        } else {
            price
        }),
        2 => id.and(user),
        3 => id.and(user).and(qty),
        4 => id.and(user).and(price),
        8 => user,
        _ => Some(0),
    };
    let counts = what == 5 || what == 7;
    let levels = levels.unwrap_or(0);
    if needs.is_none() || counts != (levels > 0) || levels > 32 {
        return Err(131);
    }
    Ok(said.map(Option::unwrap_or_default))
}
