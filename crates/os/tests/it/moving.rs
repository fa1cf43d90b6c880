//! Every way between every two kinds, against an oracle that reads all and writes all.

use crate::sides::{Kind, contents, file_of, fresh_path, nonblocking, source, target};
use aqueduct_os::{Method, Transfer, copy_file_range, send_file};
use aqueduct_testkit::pattern;
use proptest::prelude::*;
use std::{
    fs::{self, File},
    io::{ErrorKind, Seek, SeekFrom},
};

const METHODS: [Method; 5] = [
    Method::SendFile,
    Method::Splice,
    Method::CopyFileRange,
    Method::ThroughPipe,
    Method::ThroughBlock,
];

/// Lengths at which something changes: nothing, a byte, a page, a block, a pipe.
fn lengths() -> impl Strategy<Value = usize> {
    let edges = [0, 1, 4095, 4096, 4097, 65_535, 65_536, 65_537, 262_145];
    prop_oneof![0..300_usize, 0..200_000_usize, proptest::sample::select(edges.to_vec())]
}

/// What is to arrive of `bytes`, and whether that is all that was asked for.
fn oracle(bytes: &[u8], offset: usize, len: Option<u64>) -> (&[u8], bool) {
    let there = bytes.get(offset..).unwrap_or_default();
    match len {
        Some(len) if len <= there.len() as u64 => (&there[..len as usize], true),
        Some(_) => (there, false),
        None => (there, true),
    }
}

fn check(
    mut transfer: Transfer,
    from: &[u8],
    kinds: (Kind, Kind),
    still: bool,
    want: (&[u8], bool),
) {
    let (from, to) = (source(kinds.0, from), target(kinds.1));
    if still {
        nonblocking(&from);
        nonblocking(&to.fd);
    }
    match transfer.run(&from, &to.fd) {
        Ok(done) => {
            assert!(want.1, "the source is too short for that");
            assert_eq!(done.bytes, want.0.len() as u64);
            assert_eq!(transfer.pending(), 0);
        }
        Err(error) => {
            assert_eq!(error.error().kind(), ErrorKind::UnexpectedEof, "{error}");
            assert!(!want.1, "{error}");
            assert_eq!(error.done(), want.0.len() as u64);
        }
    }
    assert!(to.arrived() == want.0, "other bytes arrived");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn every_way_between_every_two_kinds(
        method in proptest::sample::select(&METHODS),
        from in proptest::sample::select(&Kind::ALL),
        to in proptest::sample::select(&Kind::ALL),
        size in lengths(),
        len in proptest::option::of(lengths()),
        still: bool,
    ) {
        let (bytes, len) = (pattern(size, 1), len.map(|len| len as u64));
        check(Transfer::by(method, len), &bytes, (from, to), still, oracle(&bytes, 0, len));
    }

    #[test]
    fn from_every_offset_of_a_file(
        method in proptest::sample::select(&METHODS),
        to in proptest::sample::select(&Kind::ALL),
        size in lengths(),
        offset in lengths(),
        len in proptest::option::of(lengths()),
        still: bool,
    ) {
        let (bytes, len) = (pattern(size, 2), len.map(|len| len as u64));
        let transfer = Transfer::by(method, len).from_offset(offset as u64);
        check(transfer, &bytes, (Kind::File, to), still, oracle(&bytes, offset, len));
    }

    #[test]
    fn into_every_offset_of_a_file(
        method in proptest::sample::select(&METHODS),
        from in proptest::sample::select(&Kind::ALL),
        (size, old, at) in (lengths(), lengths(), lengths()),
        len in proptest::option::of(lengths()),
    ) {
        let (bytes, old) = (pattern(size, 3), pattern(old, 4));
        let (moved, _) = oracle(&bytes, 0, len.map(|len| len as u64));
        let mut want = old.clone();
        if !moved.is_empty() {
            want.resize(want.len().max(at + moved.len()), 0);
            want[at..at + moved.len()].copy_from_slice(moved);
        }
        let (from, to) = (source(from, &bytes), file_of(&old));
        let mut transfer = Transfer::by(method, moved.len() as u64).to_offset(at as u64);
        prop_assert_eq!(transfer.run(&from, &to).unwrap().bytes, moved.len() as u64);
        prop_assert!(contents(&to) == want);
    }

    /// Within one file: moved as if all were read before it is written, or refused.
    #[test]
    fn within_one_file(
        method in proptest::sample::select(&[Method::CopyFileRange, Method::ThroughBlock]),
        (size, from, to) in (0..200_000_usize, 0..200_000_usize, 0..200_000_usize),
        len in lengths(),
    ) {
        let bytes = pattern(size, 5);
        let file = file_of(&bytes);
        let mut transfer =
            Transfer::by(method, len as u64).from_offset(from as u64).to_offset(to as u64);
        match transfer.run(&file, &file) {
            Err(error) if error.error().kind() == ErrorKind::InvalidInput => {
                prop_assert!(from < to && to < from + len, "{}", error);
                prop_assert!(contents(&file) == bytes);
            }
            outcome => {
                let (moved, whole) = oracle(&bytes, from, Some(len as u64));
                if whole {
                    prop_assert_eq!(outcome.unwrap().bytes, len as u64);
                    let mut want = bytes.clone();
                    if len > 0 {
                        want.resize(size.max(to + len), 0);
                        want[to..][..len].copy_from_slice(moved);
                    }
                    prop_assert!(contents(&file) == want);
                } else if to <= from {
                    prop_assert_eq!(outcome.unwrap_err().done(), moved.len() as u64);
                }
            }
        }
    }
}

/// A target that stands behind the source's offset is written before that is read: without a length, until
/// the disk is full. Here with one, so that it ends whatever happens.
#[test]
fn a_file_is_not_sent_to_itself_for_ever() {
    let path = fresh_path();
    let open = || File::options().read(true).write(true).open(&path).unwrap();
    for method in
        [Method::SendFile, Method::CopyFileRange, Method::ThroughPipe, Method::ThroughBlock]
    {
        fs::write(&path, pattern(100_000, 1)).unwrap();
        for (at, standing) in [(Some(0), 100_000), (Some(0), 1), (None, 100_000)] {
            let (from, mut to) = (open(), open());
            to.seek(SeekFrom::Start(standing)).unwrap();
            let mut transfer = Transfer::by(method, 150_000);
            if let Some(at) = at {
                transfer = transfer.from_offset(at);
            }
            let refused = transfer.run(&from, &to).map_err(|error| error.error().kind());
            let what = format!("{method:?} from {at:?} to {standing}");
            assert_eq!(refused.unwrap_err(), ErrorKind::InvalidInput, "{what}");
            assert_eq!(fs::metadata(&path).unwrap().len(), 100_000, "{what}");
        }
        // As many as there are up to where it stands; and from behind it.
        let (from, mut to) = (open(), open());
        to.seek(SeekFrom::Start(60_000)).unwrap();
        Transfer::by(method, 20_000).from_offset(40_000).run(&from, &to).unwrap();
        to.seek(SeekFrom::Start(0)).unwrap();
        Transfer::by(method, None).from_offset(60_000).run(&from, &to).unwrap();
        let want = [&pattern(100_000, 1)[40_000..60_000], &pattern(100_000, 1)[80_000..]].concat();
        assert!(fs::read(&path).unwrap()[..40_000] == want, "{method:?}");
    }
    fs::remove_file(path).unwrap();
}

#[test]
fn positions_stay_where_they_are() {
    let (from, to) = (file_of(&pattern(100, 1)), file_of(&[]));
    copy_file_range(10, 5, 20).run(&from, &to).unwrap();
    send_file(3, 4).run(&from, crate::sides::tcp().0).unwrap();
    for mut file in [&from, &to] {
        assert_eq!(Seek::stream_position(&mut file).unwrap(), 0);
    }
}

#[test]
fn the_way_is_chosen_by_kind_and_size() {
    let between = |from, to, len| {
        let (from, to) = (source(from, b"x"), target(to));
        Method::between(&from, &to.fd, len).unwrap()
    };
    use Kind::{File, Pipe, Tcp, Unix};
    assert_eq!(between(File, File, Some(1)), Method::CopyFileRange);
    assert_eq!(between(File, Tcp, Some(1)), Method::ThroughBlock);
    assert_eq!(between(File, Tcp, Some(1 << 20)), Method::SendFile);
    assert_eq!(between(File, Unix, None), Method::SendFile);
    assert_eq!(between(Tcp, Unix, None), Method::ThroughPipe);
    assert_eq!(between(Tcp, Pipe, None), Method::Splice);
    assert_eq!(between(Pipe, File, Some(1)), Method::Splice);
    assert_eq!(between(Tcp, File, None), Method::ThroughBlock);
}
