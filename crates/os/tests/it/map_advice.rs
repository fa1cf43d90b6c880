//! What the kernel is told of how a map will be read.

use crate::map::{PAGE, Scratch};
use aqueduct_os::{Advice, MappedFile};
use aqueduct_testkit::pattern;
#[cfg(target_os = "linux")]
use std::{fs, path::Path};

pub(crate) fn advices() -> [Advice; 5] {
    use Advice::{Normal, Populate, Random, Sequential, WillNeed};
    [Normal, Sequential, Random, WillNeed, Populate]
}

#[test]
fn advice_is_taken_for_any_range() {
    let scratch = Scratch::new(&pattern(5 * PAGE + 1, 3));
    for start in [0, 1, PAGE as u64 + 7] {
        let map = MappedFile::map_range(scratch.open(), start..).expect("mapped");
        for advice in advices() {
            for range in [0..0, 0..1, 1..2, 4_000..map.len(), 0..map.len()] {
                map.advise(advice, range.clone()).unwrap_or_else(|e| panic!("{range:?}: {e}"));
            }
        }
    }
}

/// What the kernel says of the mapping of a file: its flags, and how much of it is there.
#[cfg(target_os = "linux")]
fn told_of(path: &Path) -> (String, String) {
    let maps = fs::read_to_string("/proc/self/smaps").expect("there on Linux");
    let name = path.to_str().expect("ours");
    let ours = maps.lines().skip_while(|line| !line.ends_with(name));
    let figure =
        |key: &str| ours.clone().find_map(|line| line.strip_prefix(key)).expect("a figure");
    (figure("VmFlags:").to_owned(), figure("Rss:").trim().to_owned())
}

#[cfg(target_os = "linux")]
#[test]
fn advice_reaches_the_kernel() {
    let scratch = Scratch::new(&pattern(4 * PAGE, 4));
    let map = MappedFile::map(scratch.open()).expect("mapped");
    let has = |flag| told_of(&scratch.0).0.split(' ').any(|word| word == flag);
    assert!(!has("sr") && !has("rr"));
    map.advise(Advice::Sequential, ..).expect("advised");
    assert!(has("sr") && !has("rr"));
    map.advise(Advice::Random, ..).expect("advised");
    assert!(has("rr") && !has("sr"));
    map.advise(Advice::Normal, ..).expect("advised");
    assert!(!has("sr") && !has("rr"));
    assert_eq!(told_of(&scratch.0).1, "0 kB", "nobody has read it");
    map.advise(Advice::Populate, ..).expect("advised");
    assert_eq!(told_of(&scratch.0).1, format!("{} kB", 4 * PAGE / 1024));
}
