//! One order of the exchange as bytes and back, as its log has it: rkyv in place beside bincode.

use std::hint::black_box;
use std::sync::LazyLock;

use ::exchange::generate::Generated;
use ::exchange::log::{archive, archived, restored};
use ::exchange::{Action, ArchivedOrder, Kind, Order, Side, Source, TimeInForce};

use super::row;
use crate::measure::{OURS, Row, Subject, Work};

/// Orders of an iteration: with their bytes they stay in the first-level cache, and no predictor learns
/// them.
const ORDERS: usize = 128;

/// The row of an order that becomes bytes.
pub(crate) const ENCODE: &str = "exchange.encode";
/// The row of bytes that become an order.
pub(crate) const DECODE: &str = "exchange.decode";
/// The peer of both.
pub(crate) const BINCODE: &str = "bincode";
/// Ours, where validation was paid for before.
pub(crate) const TRUSTED: &str = "aqueduct-trusted";
/// The floor of [`DECODE`]: what was never bytes.
pub(crate) const IN_MEMORY: &str = "an order in memory";
/// The floor of [`ENCODE`]: what a struct would cost that is its own format.
const COPIED: &str = "64 bytes copied";

pub(super) fn rows() -> [Row; 2] {
    [
        Row { floor: COPIED, ..row(ENCODE, &[], encode) },
        Row { floor: IN_MEMORY, ..row(DECODE, &[], decode) },
    ]
}

/// Where an order is archived: aligned as in a log's block.
#[derive(Clone, Copy)]
#[repr(align(8))]
struct Place([u8; size_of::<Order>()]);

impl Place {
    const EMPTY: Self = Self([0; size_of::<Order>()]);
}

/// What bincode makes of an order.
type Bincode = [u8; 76];

/// Orders of all kinds.
static FLOW: LazyLock<Vec<Order>> = LazyLock::new(|| {
    let mut flow = Generated::new(1, ORDERS as u64);
    let (mut orders, mut order) = (Vec::new(), Order::default());
    while flow.next(&mut order).is_ok_and(|more| more) {
        order.seq += 1;
        (order.at, order.locked) = (1_000 * order.seq, order.price);
        orders.push(order);
    }
    orders
});

/// The same, archived, and for ever.
static ARCHIVE: LazyLock<Vec<Place>> = LazyLock::new(|| encoded(Place::EMPTY, in_place));

/// From an order to its bytes where the log writes them from.
fn encode() -> Vec<Subject> {
    vec![
        encoding(OURS, Place::EMPTY, in_place).note("rkyv, in place"),
        encoding(BINCODE, [0; 76], by_bincode).note("in place"),
        encoding("bincode-vec", [0; 76], |order, place: &mut Bincode| {
            place.copy_from_slice(&bincode::serialize(order).expect("it has a form"));
        })
        .note("as the document has it: a vector, which is copied"),
        encoding("plain", Place::EMPTY, by_hand).note("field by field; knows no format"),
        encoding(COPIED, Order::default(), |order, place| *place = *order),
    ]
}

/// From bytes to an order, all of whose fields are read.
fn decode() -> Vec<Subject> {
    let trusted: Vec<_> = ARCHIVE.iter().filter_map(|place| archived(&place.0)).collect();
    vec![
        decoding(OURS, ARCHIVE.clone(), |place| archived(&place.0).map(restored))
            .note("rkyv, validated and read in place"),
        decoding(TRUSTED, trusted, |archived: &&ArchivedOrder| Some(restored(archived)))
            .note("read in place by reference; validated once, before"),
        decoding(BINCODE, encoded([0; 76], by_bincode), |bytes| bincode::deserialize(bytes).ok()),
        decoding("plain", encoded(Place::EMPTY, by_hand), from_hand)
            .note("field by field; knows no format"),
        decoding(IN_MEMORY, FLOW.clone(), |order| Some(*order)),
    ]
}

fn in_place(order: &Order, place: &mut Place) {
    archive(order, &mut place.0);
}

fn by_bincode(order: &Order, place: &mut Bincode) {
    bincode::serialize_into(&mut place[..], order).expect("it has room");
}

fn by_hand(order: &Order, place: &mut Place) {
    let Order { seq, id, user, price, qty, at, locked, symbol, action, side, kind, tif } = *order;
    let last = u64::from(symbol)
        | u64::from(action as u8) << 32
        | u64::from(side as u8) << 40
        | u64::from(kind as u8) << 48
        | u64::from(tif as u8) << 56;
    let words = [seq, id, user, price, qty, at, locked, last];
    for (place, word) in place.0.as_chunks_mut::<8>().0.iter_mut().zip(words) {
        *place = word.to_le_bytes();
    }
}

fn from_hand(place: &Place) -> Option<Order> {
    const ACTIONS: [Action; 4] = [Action::Place, Action::Cancel, Action::Reduce, Action::Move];
    let word = |i: usize| u64::from_le_bytes(place.0.as_chunks().0[i]);
    let [seq, id, user, price, qty, at, locked] = [0, 1, 2, 3, 4, 5, 6].map(word);
    let [a, b, c, d, action, side, kind, tif] = place.0.as_chunks().0[7];
    Some(Order {
        seq,
        id,
        user,
        price,
        qty,
        at,
        locked,
        symbol: u32::from_le_bytes([a, b, c, d]),
        action: *ACTIONS.get(usize::from(action))?,
        side: *[Side::Buy, Side::Sell].get(usize::from(side))?,
        kind: *[Kind::Limit, Kind::Market].get(usize::from(kind))?,
        tif: *[TimeInForce::Gtc, TimeInForce::Ioc].get(usize::from(tif))?,
    })
}

/// The flow as bytes.
fn encoded<P: Copy>(empty: P, encode: impl Fn(&Order, &mut P)) -> Vec<P> {
    let mut places = vec![empty; ORDERS];
    FLOW.iter().zip(&mut places).for_each(|(order, place)| encode(order, place));
    places
}

#[expect(clippy::cast_precision_loss, reason = "a small constant")]
fn encoding<P: Copy + 'static>(
    key: &'static str,
    empty: P,
    encode: impl Fn(&Order, &mut P) + 'static,
) -> Subject {
    let mut places = vec![empty; ORDERS];
    let work = Work::each(move || {
        for (order, place) in FLOW.iter().zip(&mut places) {
            encode(black_box(order), place);
            black_box(place);
        }
    });
    Subject::new(key, work).operations(ORDERS as f64)
}

#[expect(clippy::cast_precision_loss, reason = "a small constant")]
fn decoding<P: 'static>(
    key: &'static str,
    places: Vec<P>,
    decode: impl Fn(&P) -> Option<Order> + 'static,
) -> Subject {
    let work = Work::each(move || {
        for place in &places {
            let order = decode(black_box(place)).expect("it was encoded");
            black_box(all_fields(&order));
        }
    });
    Subject::new(key, work).operations(ORDERS as f64)
}

/// So that whoever reads fields where they lie reads them all, and whoever has them in hand need not store
/// them.
fn all_fields(order: &Order) -> u64 {
    let Order { seq, id, user, price, qty, at, locked, symbol, action, side, kind, tif } = *order;
    let small = [action as u8, side as u8, kind as u8, tif as u8].map(u64::from);
    let words = [seq, id, user, price, qty, at, locked, u64::from(symbol)];
    words.into_iter().chain(small).fold(0, |sum, field| sum ^ field)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_back_leads_to_the_same_orders() {
        assert_eq!(FLOW.len(), ORDERS);
        let bincode = encoded([0; 76], by_bincode);
        let plain = encoded(Place::EMPTY, by_hand);
        for (i, order) in FLOW.iter().enumerate() {
            assert_eq!(archived(&ARCHIVE[i].0).map(restored), Some(*order));
            assert_eq!(bincode::deserialize(&bincode[i]).ok(), Some(*order));
            assert_eq!(bincode::serialize(order).ok().as_deref(), Some(&bincode[i][..]));
            assert_eq!(from_hand(&plain[i]), Some(*order));
        }
    }

    #[test]
    fn what_is_no_order_is_refused_by_those_who_validate() {
        let mut wrong = ARCHIVE[0];
        wrong.0[60] = 4;
        assert!(archived(&wrong.0).is_none() && from_hand(&wrong).is_none());
    }
}
