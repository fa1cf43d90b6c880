//! Document 004: the path of an order through an exchange.

use std::ptr;

use ::exchange::log::{archive, archived, from_bincode, to_bincode};
use ::exchange::{Order, Side};
use aqueduct::meter;

use super::{near, percent, port};
use crate::measure::{Measured as Rows, OURS};
use crate::ports::{COPYING, EXCHANGE, Measured, ORDER, P99};
use crate::report::Claim;
use crate::rows::{BINCODE, DECODE, ENCODE, IN_MEMORY, TRUSTED};
use crate::stats::{Summary, median_difference, median_ratio};
use crate::target::{Figures, REFERENCE_RMW_NS};

/// Orders a second that the document has, and that it wants.
const BEFORE: f64 = 1.3e6;
const AFTER: f64 = 1.5e6;

pub(super) fn all(ports: &[Measured], rows: &[Rows], rmw_ns: f64) -> Vec<Claim> {
    let mut claims = Vec::new();
    if let Some(exchange) = port(ports, EXCHANGE) {
        let row = |id| exchange.rows.iter().find(|row| row.id == id);
        claims.push(before(exchange));
        claims.extend(row(ORDER).map(|row| throughput(row, rmw_ns)));
        claims.extend(row(P99).map(latency));
        claims.extend([stages(exchange), allocations(exchange), size(), cache_line(), io_uring()]);
    }
    let row = |id| rows.iter().find(|row| row.id == id);
    if let (Some(encode), Some(decode)) = (row(ENCODE), row(DECODE)) {
        claims.extend([in_place(), pointer(decode), instead_of_bincode(encode, decode)]);
    }
    claims
}

fn claim(claim: &str, holds: bool, measured: String, how: &str) -> Claim {
    super::claim("004", claim, holds, measured, how)
}

/// A claim that this run cannot judge.
fn not_comparable(text: &str, measured: String, why: &str) -> Claim {
    Claim { verdict: "not comparable", ..claim(text, false, measured, why) }
}

fn before(measured: &Measured) -> Claim {
    not_comparable(
        "1.3M orders/s as it is",
        format!("{:.0} orders/s in the copying mode", measured.port.copying.throughput),
        "the copying mode makes the document's copies around our matcher, and says nothing of the \
         document's own, which this report does not run: its code as published made 99,000 orders/s of a \
         flow of 1.3 million on the machine of reference, 600,000 with a fault of its matcher removed",
    )
}

fn throughput(row: &Rows, rmw_ns: f64) -> Claim {
    let scale = rmw_ns / REFERENCE_RMW_NS;
    let rate = |key| 1e9 / Summary::of(row.other(key).unwrap_or_default()).median;
    let (with, without) = (rate(COPYING), rate(OURS));
    let gain = median_ratio(row.other(COPYING).unwrap_or_default(), row.ours());
    claim(
        "from 1.3M to 1.5M+ orders/s",
        without * scale >= AFTER && gain >= AFTER / BEFORE,
        format!(
            "{without:.0} against {with:.0} orders/s per core, {:+.0}%; {:.0} where a locked add takes \
             {REFERENCE_RMW_NS} ns",
            percent(gain - 1.0),
            without * scale
        ),
        "the port on one thread, decoding to settlement with a log that is synced in groups: orders for a \
         second of a core, medians of the runs, both modes in turn; holds if the mode without copies makes \
         1.5 million, on the machine of reference, and at least 15% more than the other",
    )
}

fn latency(row: &Rows) -> Claim {
    let [with, without] = [COPYING, OURS].map(|key| row.other(key).unwrap_or_default());
    let left = median_ratio(without, with);
    let us = |rounds| Summary::of(rounds).median / 1e3;
    claim(
        "p99 reduced by 10%",
        left <= 0.9,
        format!("{:+.0}%: {:.2} against {:.2} us", percent(left - 1.0), us(without), us(with)),
        "from before an order is decoded to when what came of it is known, in runs of their own with a \
         clock at each order; holds if it is lower by a tenth at least",
    )
}

fn stages(measured: &Measured) -> Claim {
    let (with, without) = (&measured.port.copying, &measured.port.zero_copy);
    claim(
        "an order is copied at five stages on its way, and need not be",
        with.copies_per_op >= 5.0 && without.copies_per_op == 0.0,
        format!(
            "{:.2} copies of {:.0} bytes in all for each order, {:.2} of {:.0} without those of the document",
            with.copies_per_op,
            with.bytes_copied_per_op,
            without.copies_per_op,
            without.bytes_copied_per_op
        ),
        "the meter; the copying mode decodes to a request, makes an order of it, clones it for the log, makes \
         bytes of that and copies them, and moves both into and out of three queues; the copies of the \
         network are in neither mode",
    )
}

fn allocations(measured: &Measured) -> Claim {
    let port = &measured.port;
    let (with, without) = (port.copying.allocations_per_op, port.zero_copy.allocations_per_op);
    claim(
        "an order is decoded to the heap, and need not be",
        with >= 1.0 && near(without, 0.0),
        format!("{without:.4} allocations for each order, {with:.2} with those of the document"),
        "a counting allocator in a pass of its own, in steady state, where a new segment of the log, after \
         64 MiB, is all that takes memory",
    )
}

/// An order's fields with the client's text for it among them, as the document's has.
struct WithText {
    _numbers: [u64; 7],
    _symbol: u32,
    _kinds: [u8; 4],
    _text: Option<String>,
}

fn size() -> Claim {
    let (with, beside) = (size_of::<WithText>(), size_of::<Order>());
    claim(
        "InternalOrder: ~60-80 bytes",
        (60..=80).contains(&with),
        format!("{with} bytes; {beside} with the client's text beside it"),
        "the size of a struct of our order's fields and the client's text, as the document's order has it \
         (its published code has 96 bytes); holds from 60 to 80",
    )
}

fn cache_line() -> Claim {
    let (size, align) = (size_of::<Order>(), align_of::<Order>());
    claim(
        "the order can be one cache line: 64 bytes, aligned",
        size == 64 && align == 64,
        format!("{size} bytes, aligned to {align}"),
        "the size and alignment of the example's order, which is Copy and has no text in it",
    )
}

fn io_uring() -> Claim {
    not_comparable(
        "io_uring reads directly into pre-allocated slots",
        "not measured here".into(),
        "an idea for later in the document: this report's flow does not come from a network. Where orders \
         do, the kernel fills blocks of the pool with as many as have arrived, and they are decoded in \
         place into their slots; a slot at a time would be a completion for each order",
    )
}

/// An order in the middle of a block that was read from a log.
#[repr(align(8))]
struct Block([u8; 3 * size_of::<Order>()]);

fn in_place() -> Claim {
    const AT: usize = size_of::<Order>();
    let order = Order { id: 7, user: 8, price: 9, qty: 10, side: Side::Sell, ..Order::default() };
    let mut block = Block([0; 3 * AT]);
    archive(&order, &mut block.0[AT..2 * AT]);
    let before = meter::thread();
    let place = &block.0[AT..2 * AT];
    let there = archived(place).is_some_and(|found| {
        ptr::addr_eq(ptr::from_ref(found), place.as_ptr()) && found.price == order.price
    });
    let in_place = meter::thread();
    let decoded = from_bincode(&to_bincode(&order));
    let with = (meter::thread() - in_place).bytes;
    let without = (in_place - before).bytes;
    let places = (AT..AT + 8).filter(|&at| archived(&block.0[at..at + AT]).is_some()).count();
    claim(
        "rkyv: guaranteed zero-copy deserialization",
        there && without == 0 && decoded == Some(order),
        format!(
            "the order is read where it lies, {without} bytes copied; {with} by bincode, there and back; {} of \
             eight places in a block are refused",
            8 - places
        ),
        "the address of what validation gives, and the meter; an order must lie at a multiple of eight \
         bytes, which a log sees to and a socket does not",
    )
}

/// A cycle or two, for twelve fields.
const MORE_NS: f64 = 0.5;

fn pointer(decode: &Rows) -> Claim {
    let [trusted, memory] = [TRUSTED, IN_MEMORY].map(|key| decode.other(key).unwrap_or_default());
    let more = median_difference(trusted, memory);
    let ns = |rounds| Summary::of(rounds).median;
    claim(
        "accessing a field is just pointer arithmetic",
        more <= MORE_NS,
        format!(
            "{:.2} ns to read all fields of an order that was validated before, {:.2} of one that was never \
             bytes; {:.2} to validate and read",
            ns(trusted),
            ns(memory),
            ns(decode.ours())
        ),
        "the row exchange.decode; holds if all twelve fields together take half a nanosecond more at most",
    )
}

fn instead_of_bincode(encode: &Rows, decode: &Rows) -> Claim {
    let times = |row: &Rows, key| median_ratio(row.other(key).unwrap_or_default(), row.ours());
    let [encoding, vector, decoding] =
        [(encode, BINCODE), (encode, "bincode-vec"), (decode, BINCODE)]
            .map(|(row, key)| times(row, key));
    claim(
        "rkyv instead of bincode: an order costs less to write and to read",
        encoding >= 1.0 && decoding >= 1.0,
        format!(
            "{encoding:.2}x as fast to write as bincode in place, {vector:.2}x as with the document's \
             vector; {decoding:.2}x as fast to validate and read; {} bytes against {}",
            size_of::<Order>(),
            to_bincode(&Order::default()).len()
        ),
        "the rows exchange.encode and exchange.decode, from order to order with all fields read, in the \
         first-level cache; the document has no figure, holds if neither is slower than bincode at its best",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Rounds;
    use crate::report::{Port, PortFigures};
    use crate::target::Target;

    fn row(id: &str, rounds: &[(&'static str, f64)]) -> Rows {
        let subjects = rounds.iter().map(|&(key, ns)| Rounds { key, note: "", ns: vec![ns; 3] });
        Rows {
            id: id.into(),
            target: Target(&[]),
            floor: "",
            unit: "ns",
            subjects: subjects.collect(),
        }
    }

    fn measured(copies: [f64; 2], allocations: [f64; 2]) -> Measured {
        let figures = |mode: usize| PortFigures {
            copies_per_op: copies[mode],
            allocations_per_op: allocations[mode],
            ..PortFigures::default()
        };
        let port = Port {
            id: EXCHANGE.into(),
            workload: String::new(),
            unit: "orders/s".into(),
            copying: figures(0),
            zero_copy: figures(1),
        };
        Measured { port, copying_grew: 0, zero_copy_grew: 0, rows: vec![] }
    }

    #[test]
    fn throughput_is_judged_by_speed_and_by_gain() {
        for (ours, copying, rmw_ns, verdict) in [
            (660.0, 770.0, 4.8, "holds"),
            (660.0, 750.0, 4.8, "does not hold"),
            (670.0, 900.0, 4.8, "does not hold"),
            (670.0, 900.0, 9.6, "holds"),
            (400.0, 900.0, 2.4, "does not hold"),
        ] {
            let found = throughput(&row(ORDER, &[(OURS, ours), (COPYING, copying)]), rmw_ns);
            assert_eq!(found.verdict, verdict, "{}", found.measured);
        }
    }

    #[test]
    fn a_tenth_off_is_a_tenth_off() {
        for (ours, verdict) in [(900.0, "holds"), (910.0, "does not hold")] {
            let found = latency(&row(P99, &[(OURS, ours), (COPYING, 1_000.0)]));
            assert_eq!(found.verdict, verdict);
        }
        let found = latency(&row(P99, &[(OURS, 750.0), (COPYING, 1_000.0)]));
        assert_eq!(found.measured, "-25%: 0.75 against 1.00 us");
    }

    #[test]
    fn none_is_none() {
        let verdicts = |copies, allocations| {
            let measured = measured(copies, allocations);
            [stages(&measured).verdict, self::allocations(&measured).verdict]
        };
        assert_eq!(verdicts([9.0, 0.0], [2.0, 0.0]), ["holds"; 2]);
        assert_eq!(verdicts([9.0, 0.1], [2.0, 0.1]), ["does not hold"; 2]);
        assert_eq!(verdicts([4.9, 0.0], [0.0, 0.0]), ["does not hold"; 2]);
    }

    #[test]
    fn an_order_is_read_where_it_lies() {
        let found = in_place();
        assert_eq!(found.verdict, "holds");
        let says = "0 bytes copied; 152 by bincode, there and back; 7 of eight";
        assert!(found.measured.contains(says), "{}", found.measured);
    }

    #[test]
    fn sizes_are_what_the_compiler_says() {
        assert_eq!([size().verdict, cache_line().verdict], ["does not hold", "holds"]);
        assert!(size().measured.starts_with("88 bytes; 64"), "{}", size().measured);
    }

    #[test]
    fn both_ways_have_to_be_as_fast() {
        let encode = |ours| row(ENCODE, &[(OURS, ours), (BINCODE, 2.0), ("bincode-vec", 9.0)]);
        let decode =
            |ours| row(DECODE, &[(OURS, ours), (BINCODE, 2.0), (TRUSTED, ours), (IN_MEMORY, 1.6)]);
        for (there, back, verdict) in
            [(1.0, 2.0, "holds"), (3.0, 1.0, "does not hold"), (1.0, 3.0, "does not hold")]
        {
            assert_eq!(instead_of_bincode(&encode(there), &decode(back)).verdict, verdict);
        }
        assert_eq!(pointer(&decode(2.0)).verdict, "holds");
        assert_eq!(pointer(&decode(2.2)).verdict, "does not hold");
    }

    #[test]
    fn nothing_measured_claims_nothing() {
        assert!(all(&[], &[], 4.8).is_empty());
        let rows = [row(ENCODE, &[(OURS, 1.0)])];
        assert!(all(&[], &rows, 4.8).is_empty());
        assert_eq!(all(&[measured([9.0, 0.0], [2.0, 0.0])], &[], 4.8).len(), 6);
    }
}
