//! Requests without sockets: against a naive reader, and the corpus of the fuzzer.

use super::{
    frame,
    machine::{Said, naive, read, run_bytes},
};
use aqueduct_testkit::{Random, replay, scale};
use proptest::prelude::*;

/// A request of this type, as a line.
fn line([what, levels, tag, id, user, price, qty, symbol, side, kind, tif]: Said) -> String {
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
    let pick = |words: [&str; 2], which: u64| words[which as usize].to_owned();
    serde_json::json!({
        "type": TYPES[what as usize - 1], "levels": levels, "tag": tag, "id": id, "user": user,
        "price": price, "qty": qty, "symbol": symbol, "side": pick(["buy", "sell"], side),
        "kind": pick(["limit", "market"], kind), "tif": pick(["gtc", "ioc"], tif),
    })
    .to_string()
        + "\n"
}

fn said() -> impl Strategy<Value = Said> {
    let small = (1..=9u64, 1..=32u64, any::<u32>(), 0..=1u64, 0..=1u64, 0..=1u64);
    (small, any::<[u64; 5]>()).prop_map(|((what, levels, symbol, side, kind, tif), numbers)| {
        let [tag, id, user, price, qty] = numbers;
        let levels = if what == 5 || what == 7 { levels } else { 0 };
        [what, levels, tag, id, user, price, qty, symbol.into(), side, kind, tif]
    })
}

proptest! {
    #[test]
    fn requests_are_read_as_they_were_written(all in prop::collection::vec(said(), 1..8), size in 1..300usize) {
        let frames: Vec<u8> = all.iter().flat_map(|said| frame(*said)).collect();
        let lines: String = all.iter().map(|said| line(*said)).collect();
        for bytes in [frames, lines.into_bytes()] {
            let expected = (all.clone(), None);
            prop_assert_eq!(&naive(&bytes), &expected);
            prop_assert_eq!(&read(&bytes, size), &expected);
            prop_assert_eq!(&read(&bytes, bytes.len()), &expected);
        }
    }

    #[test]
    fn what_is_damaged_is_refused_alike(
        all in prop::collection::vec(said(), 1..4),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        lines: bool,
        size: u8,
    ) {
        let mut bytes = vec![size];
        for said in all {
            if lines { bytes.extend(line(said).bytes()) } else { bytes.extend(frame(said)) }
        }
        for (place, to) in changes {
            let place = 1 + place.index(bytes.len() - 1);
            bytes[place] = to;
        }
        run_bytes(&bytes);
    }
}

#[test]
fn t19_every_request_cut_at_every_byte_and_fed_byte_by_byte() {
    for what in 1..=9 {
        let levels = if what == 5 || what == 7 { 7 } else { 0 };
        let said = [what, levels, 1, 2, 3, 4, 5, 6, 1, 0, 1];
        for bytes in [frame(said).to_vec(), line(said).into_bytes()] {
            for cut in 0..bytes.len() {
                assert_eq!(read(&bytes[..cut], cut), (vec![], None), "half a request is none");
                assert_eq!(read(&bytes, cut), (vec![said], None), "{cut}");
            }
        }
    }
}

/// A line in as many pieces as it has bytes holds no more than it is long, give or take a few blocks.
#[test]
fn a_line_that_does_not_end_is_refused() {
    let long = vec![b' '; 4096];
    assert_eq!(read(&long[..4095], 1), (vec![], None));
    assert_eq!(read(&long, 1), (vec![], Some(134)));
    let blank = [&vec![b' '; 4095][..], b"\n{\"type\":\"ping\"}\r\n"].concat();
    assert_eq!(read(&blank, 7).0.len(), 1);
}

#[test]
fn t22_words_that_contradict_each_other_are_refused() {
    for text in [
        "{\"type\":\"ping\",\"type\":\"ping\"}",
        "{\"type\":\"ping\",\"tag\":1,\"tag\":1}",
        "{\"type\":\"ping\"} {}",
        "{\"type\":\"ping\",\"more\":0}",
        "[\"ping\",0,0,0,0,0,0,0,0,0,0]",
        "{}",
        "{\"type\":\"ping\",\"tag\":18446744073709551616}",
        "{\"type\":\"ping\",\"tag\":-1}",
        "{\"type\":\"ping\",\"tag\":\"1\"}",
    ] {
        let bytes = format!("{text}\n");
        assert_eq!(read(bytes.as_bytes(), 64), (vec![], Some(133)), "{text}");
        assert_eq!(naive(bytes.as_bytes()), (vec![], Some(133)), "{text}");
    }
    let nested = format!("{}\n", "[".repeat(4000));
    assert_eq!(read(nested.as_bytes(), 4001), (vec![], Some(133)));
}

#[test]
fn the_corpus_of_frames_passes() {
    let files = replay("exchange_frames", |bytes| {
        run_bytes(bytes);
    });
    assert!(files >= 15, "only {files} files in the corpus");
}

#[test]
fn any_bytes_are_read_alike_in_pieces() {
    let mut random = Random::new(5);
    for _ in 0..scale(2_000) {
        let len = random.below(400);
        #[allow(clippy::cast_possible_truncation, reason = "any bits will do")]
        let mut bytes: Vec<u8> = (0..len).map(|_| random.seed() as u8).collect();
        if let [_, first, ..] = &mut bytes[..] {
            *first = [0xae, b'{'][random.below(2)];
        }
        run_bytes(&bytes);
    }
}
