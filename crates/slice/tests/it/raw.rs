//! Slices as plain words: released exactly once.

use aqueduct_slice::Slice;
use aqueduct_testkit::{Countdown, pattern};

fn round_trip(slice: Slice) -> Slice {
    let raw = slice.into_raw();
    assert!(format!("{raw:?}").contains("RawSlice"));
    // SAFETY: `raw` came from `into_raw` just now and is used once.
    unsafe { Slice::from_raw(raw) }
}

#[test]
fn t05_a_raw_slice_gives_its_owner_back_once() {
    let countdown = Countdown::new(-1);
    let slice = Slice::from_owner(countdown.value(pattern(100, 1)));
    let part = round_trip(slice.slice_shared(10..90));
    assert_eq!(part, pattern(100, 1)[10..90]);
    let whole = round_trip(slice);
    drop(round_trip(part));
    assert_eq!(countdown.made_and_dropped(), (1, 0));
    drop(whole);
    assert_eq!(countdown.made_and_dropped(), (1, 1));
}

#[test]
fn t03_every_kind_survives_the_way_through_plain_words() {
    static FIXED: [u8; 100] = [7; 100];
    for len in [0, 1, 23, 24, 100] {
        let bytes = &FIXED[..len];
        let kinds = [
            Slice::copy_from_slice(bytes),
            Slice::from(bytes.to_vec()),
            Slice::from_owner(bytes.to_vec()),
            Slice::from_static(bytes),
        ];
        for slice in kinds {
            let again = round_trip(round_trip(slice));
            assert_eq!(again, *bytes);
            assert_eq!(again.clone(), again);
        }
    }
}

#[test]
fn a_raw_slice_may_be_released_on_another_thread() {
    struct Words(aqueduct_slice::RawSlice);
    // SAFETY: a `Slice` is `Send`, and these words stand for one that is used by one thread only.
    unsafe impl Send for Words {}
    let words = Words(Slice::from(pattern(100, 1)).into_raw());
    std::thread::spawn(move || {
        let words = words;
        // SAFETY: the words came from `into_raw` and are used once.
        let slice = unsafe { Slice::from_raw(words.0) };
        assert_eq!(slice, pattern(100, 1)[..]);
    })
    .join()
    .expect("no panic");
}
