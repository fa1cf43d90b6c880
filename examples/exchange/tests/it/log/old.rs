//! The original's log, read naively: every field cut out of all of its bytes, the checksum bit by bit.

use exchange::{Action, Kind, Order, Side, TimeInForce};

/// Bytes before a payload, of which the last four are its checksum.
const HEAD: usize = 20;

/// CRC32 of IEEE 802.3.
pub fn crc32(bytes: &[u8]) -> u32 {
    let step = |sum: u32, _| if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 };
    !bytes.iter().fold(!0, |sum, byte| (0..8).fold(sum ^ u32::from(*byte), step))
}

fn number(bytes: &[u8], at: usize, len: usize) -> u64 {
    bytes[at..at + len].iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// Bytes of the payload of the record that these begin with.
fn length(bytes: &[u8]) -> usize {
    usize::from(u16::from_le_bytes([bytes[0], bytes[1]]))
}

/// The payload of the record at `at`, if all of it is there.
fn payload(bytes: &[u8], at: usize) -> Option<&[u8]> {
    let len = length(bytes.get(at..at + HEAD)?);
    bytes.get(at + HEAD..at + HEAD + len)
}

/// Gives every payload that is whole its checksum.
pub fn repair(bytes: &mut [u8]) {
    let mut at = 0;
    while let Some(sum) = payload(bytes, at).map(crc32) {
        bytes[at + HEAD - 4..at + HEAD].copy_from_slice(&sum.to_le_bytes());
        at += HEAD + length(&bytes[at..]);
    }
}

/// All orders up to the end, or up to a record that is refused, and where that is.
pub fn naive(bytes: &[u8]) -> (Vec<Order>, Option<u64>) {
    let (mut orders, mut at, mut before) = (Vec::new(), 0, None::<[u128; 3]>);
    while at < bytes.len() {
        let order = payload(bytes, at).and_then(|payload| {
            let [version, epoch, seq] = [(3, 1), (4, 4), (8, 8)]
                .map(|(field, len)| u128::from(number(bytes, at + field, len)));
            let follows = before.is_none_or(|[was, of, last]| {
                version == was && (epoch > of || epoch == of && seq == last + 1)
            });
            before = Some([version, epoch, seq]);
            let sound = number(bytes, at + HEAD - 4, 4) == u64::from(crc32(payload));
            order(bytes[at + 2], payload).filter(|_| follows && sound)
        });
        let Some(order) = order else { return (orders, Some(at as u64)) };
        orders.push(Order { seq: orders.len() as u64 + 1, ..order });
        at += HEAD + length(&bytes[at..]);
    }
    (orders, None)
}

fn order(kind: u8, payload: &[u8]) -> Option<Order> {
    let word = |at| number(payload, at, 8);
    match (kind, payload.len()) {
        (1, 47) => Some(Order {
            id: word(0),
            user: word(8),
            symbol: u32::from_le_bytes(*payload[16..].first_chunk()?),
            price: word(20),
            qty: word(28),
            side: *[Side::Buy, Side::Sell].get(payload[36] as usize)?,
            kind: *[Kind::Limit, Kind::Market].get(payload[37] as usize)?,
            tif: *[TimeInForce::Gtc, TimeInForce::Ioc].get(payload[38] as usize)?,
            at: word(39),
            ..Order::default()
        }),
        (2, 16) => {
            Some(Order { id: word(0), user: word(8), action: Action::Cancel, ..Order::default() })
        }
        _ => None,
    }
}
