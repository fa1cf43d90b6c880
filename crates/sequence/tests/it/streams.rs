//! `Read`, `BufRead`, `Seek` of std and `Buf` of the `bytes` crate.

use std::io::{BufRead, ErrorKind, Read, Seek, SeekFrom};

use crate::counted;
use crate::machine::layouts::{layouts, pieces};
use aqueduct_base::meter;
use aqueduct_testkit::pattern;
use bytes::Buf;

#[test]
fn reading_as_std_does() {
    let flat = pattern(50, 1);
    for layout in layouts(&flat) {
        let mut reader = layout.as_ref().reader();
        let mut to = [0; 7];
        assert_eq!(reader.read(&mut to).expect("never fails"), 7);
        assert_eq!(to, flat[..7]);
        let mut all = Vec::new();
        assert_eq!(reader.read_to_end(&mut all).expect("never fails"), 43);
        assert_eq!((all, reader.read(&mut to).expect("the end")), (flat[7..].to_vec(), 0));
        reader.seek(SeekFrom::End(-3)).expect("in range");
        let refused = reader.read_exact(&mut to).expect_err("three are left");
        assert_eq!((refused.kind(), reader.position()), (ErrorKind::UnexpectedEof, 47));
        reader.read_exact(&mut to[..3]).expect("three are left");
    }
}

#[test]
fn lines_as_std_reads_them() {
    for layout in layouts(b"one\ntwo and more\n\nlast") {
        let lines: Vec<_> = layout.as_ref().reader().lines().map_while(Result::ok).collect();
        assert_eq!(lines, ["one", "two and more", "", "last"]);
        let mut reader = layout.as_ref().reader();
        reader.consume(usize::MAX);
        assert!(reader.fill_buf().expect("never fails").is_empty());
    }
}

#[test]
fn seeking() {
    let flat = pattern(20, 1);
    for layout in layouts(&flat) {
        let mut reader = layout.as_ref().reader();
        for (to, want) in [
            (SeekFrom::Start(20), 20),
            (SeekFrom::End(-20), 0),
            (SeekFrom::Start(7), 7),
            (SeekFrom::Current(5), 12),
            (SeekFrom::Current(-11), 1),
        ] {
            assert_eq!(reader.seek(to).expect("in range"), want as u64);
            assert_eq!(reader.unread(), flat[want..]);
        }
        for to in [
            SeekFrom::Start(21),
            SeekFrom::Start(u64::MAX),
            SeekFrom::End(1),
            SeekFrom::Current(-2),
            SeekFrom::Current(i64::MIN),
            SeekFrom::Current(i64::MAX),
        ] {
            assert_eq!(reader.seek(to).expect_err("outside").kind(), ErrorKind::InvalidInput);
            assert_eq!(reader.position(), 1);
        }
    }
}

#[test]
fn a_buf_gives_bytes_of_one_segment_without_a_copy() {
    let flat = pattern(300, 1);
    let sequence = pieces(&flat, &[100]);
    let at = sequence.as_ref().first()[10..].as_ptr();
    let before = meter::thread();
    let mut reader = sequence.as_ref().reader();
    let mut owned = sequence.clone();
    Buf::advance(&mut reader, 10);
    Buf::advance(&mut owned, 10);
    for bytes in [reader.copy_to_bytes(50), owned.copy_to_bytes(50)] {
        assert_eq!((bytes.as_ptr(), &bytes[..]), (at, &flat[10..60]));
    }
    assert_eq!((meter::thread() - before).bytes, 0);
    for bytes in [reader.copy_to_bytes(100), owned.copy_to_bytes(100)] {
        assert_eq!(bytes[..], flat[60..160]);
    }
    assert_eq!((meter::thread() - before).bytes, counted(200), "across two segments");
    assert_eq!((Buf::remaining(&reader), owned.remaining()), (140, 140));
    assert_eq!((Buf::chunk(&reader), owned.chunk()), (&flat[160..200], &flat[160..200]));
}

#[test]
fn a_buf_reads_numbers_and_pieces() {
    let flat = pattern(40, 1);
    for layout in layouts(&flat) {
        let mut owned = layout.to_sequence();
        let mut reader = layout.as_ref().reader();
        assert_eq!((owned.get_u8(), reader.get_u8()), (flat[0], flat[0]));
        let want = u64::from_be_bytes(*flat[1..].first_chunk().expect("enough"));
        assert_eq!((owned.get_u64(), reader.get_u64()), (want, want));
        let mut to = [std::io::IoSlice::new(&[]); 64];
        let filled = owned.chunks_vectored(&mut to);
        let all: Vec<u8> = to[..filled].iter().flat_map(|piece| piece.to_vec()).collect();
        assert_eq!(all, flat[9..], "{}", layout.name);
        let filled = reader.chunks_vectored(&mut to);
        assert_eq!(filled, reader.unread().segment_count());
        assert!(aqueduct_testkit::panics(|| Buf::advance(&mut reader, 32)));
        assert!(aqueduct_testkit::panics(|| owned.copy_to_bytes(32)));
        assert_eq!((owned.remaining(), Buf::remaining(&reader)), (31, 31));
    }
}
