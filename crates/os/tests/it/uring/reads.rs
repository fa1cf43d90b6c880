//! Files.

use super::{file, path, ring};
use aqueduct_os::uring::open_direct;
use aqueduct_pool::Pool;
use aqueduct_sequence::Sequence;
use aqueduct_slice::{Slice, SliceMut};
use aqueduct_testkit::{Random, pattern, scale, skip};
use std::{
    collections::HashSet,
    fs::{self, File},
    io,
    os::unix::fs::FileExt,
    sync::Arc,
};

#[test]
fn reads_are_those_of_pread() {
    let Some(ring) = ring(8) else { return };
    let pool = Pool::builder().build().unwrap();
    let bytes = pattern(300_000, 1);
    let file = file(&bytes);
    let registered = ring.register(&pool, 4, 64 << 10).unwrap();
    let mut random = Random::unlike_others();
    let mut kept = Vec::new();
    for _ in 0..scale(400) {
        let (offset, len) = (random.below(310_000), random.below(70_000));
        let mut expected = vec![0; len];
        let read = file.read_at(&mut expected, offset as u64).unwrap();
        expected.truncate(read);

        let (result, block) = ring.read_at(&file, offset as u64, len, pool.get(len)).wait();
        assert_eq!((result.unwrap(), &block[..]), (read, &expected[..]));
        let slice = registered.read_at(&file, offset as u64, len).wait().unwrap();
        assert_eq!(slice, expected[..read.min(64 << 10)]);
        kept.push(slice);
        if kept.len() > 6 {
            kept.swap_remove(random.below(7));
        }
    }
    drop((kept, ring, registered));
    assert_eq!(pool.outstanding(), 0);
}

#[test]
fn few_places_and_many_operations() {
    // Two places for entries, four for completions: both queues are full most of the time.
    let Some(ring) = ring(2) else { return };
    let pool = Pool::builder().build().unwrap();
    let bytes = pattern(64 << 10, 3);
    let file = file(&bytes);
    let ops: Vec<_> = (0..300).map(|i| ring.read_at(&file, i * 100, 100, pool.get(100))).collect();
    for (i, op) in ops.into_iter().enumerate().rev() {
        let (read, block) = op.wait();
        assert_eq!((read.unwrap(), &block[..]), (100, &bytes[i * 100..][..100]));
    }
    drop(ring);
    assert_eq!(pool.outstanding(), 0);
}

#[test]
fn ends_of_files_and_empty_reads() {
    let Some(ring) = ring(2) else { return };
    let file = file(&pattern(5000, 4));
    let read = |offset, len, block| {
        let (read, block) = ring.read_at(&file, offset, len, block).wait();
        (read.unwrap(), block.len())
    };
    assert_eq!(read(4000, 4096, SliceMut::with_capacity(4096)), (1000, 1000));
    assert_eq!(read(5000, 4096, SliceMut::with_capacity(4096)), (0, 0));
    assert_eq!(read(1 << 40, 4096, SliceMut::with_capacity(4096)), (0, 0));
    assert_eq!(read(0, 0, SliceMut::with_capacity(4096)), (0, 0));
    assert_eq!(read(0, usize::MAX, SliceMut::with_capacity(10)), (10, 10));
    assert_eq!(read(0, 4096, SliceMut::new()), (0, 0));
    // Behind what is there.
    let mut block = SliceMut::with_capacity(100);
    block.extend_from_slice(b"front");
    let (_, block) = ring.read_at(&file, 0, 3, block).wait();
    assert_eq!(block, [b"front", &pattern(3, 4)[..]].concat());
    // An error, with the block as it was.
    let closed = Arc::new(File::options().write(true).open("/dev/null").unwrap());
    let (refused, block) = ring.read_at(&closed, 0, 10, block).wait();
    assert_eq!(refused.unwrap_err().raw_os_error(), Some(9));
    assert_eq!(block.len(), 8);
}

#[test]
fn past_the_cache_where_there_is_a_way() {
    let Some(ring) = ring(8) else { return };
    let pool = Pool::builder().alignment(4096).build().unwrap();
    let registered = ring.register(&pool, 2, 64 << 10).unwrap();
    let bytes = pattern(100_000, 5);
    let path = path("direct");
    fs::write(&path, &bytes).unwrap();
    let (file, fallback) = open_direct(&path).unwrap();
    if let Some(fallback) = fallback {
        skip(&fallback.to_string());
    }
    let file = Arc::new(file);
    for offset in (0..28 * 4096).step_by(4096) {
        let expected = &bytes[offset.min(bytes.len())..];
        let expected = &expected[..expected.len().min(8192)];
        let (read, block) = ring.read_at(&file, offset as u64, 8192, pool.get(8192)).wait();
        assert_eq!((read.unwrap(), &block[..]), (expected.len(), expected));
        assert_eq!(registered.read_at(&file, offset as u64, 8192).wait().unwrap(), *expected);
    }
    fs::remove_file(path).unwrap();
    // A file system without.
    let (proc, fallback) = open_direct("/proc/self/maps").unwrap();
    assert!(fallback.unwrap().to_string().starts_with("open with O_DIRECT refused: "));
    let (read, _) = ring.read(&Arc::new(proc), 100, pool.get(100)).wait();
    assert_eq!(read.unwrap(), 100);
}

#[test]
fn the_file_is_the_one_that_was_given() {
    let Some(ring) = ring(8) else { return };
    let (first, second) = (file(b"first"), file(b"second"));
    // Nothing was submitted yet, and nobody but the operation has the file any more.
    let op = ring.read_at(&first, 0, 10, SliceMut::with_capacity(10));
    drop(first);
    let others: Vec<_> = (0..10).map(|_| second.try_clone().unwrap()).collect();
    assert_eq!(&op.wait().1[..], b"first");
    drop(others);
}

#[test]
fn registered_blocks_come_back_in_any_order() {
    let Some(ring) = ring(8) else { return };
    let pool = Pool::builder().build().unwrap();
    let bytes = pattern(64 << 10, 6);
    let file = file(&bytes);
    let registered = ring.register(&pool, 3, 4096).unwrap();
    let held = pool.outstanding();
    assert_eq!(held, 3);
    let mut random = Random::new(7);
    let mut kept: Vec<(usize, Slice)> = Vec::new();
    for _ in 0..scale(500) {
        let offset = random.below(60_000);
        kept.push((offset, registered.read_at(&file, offset as u64, 4096).wait().unwrap()));
        if random.one_in(3) || kept.len() > 5 {
            kept.swap_remove(random.below(kept.len()));
        }
        for (offset, slice) in &kept {
            assert_eq!(*slice, bytes[*offset..][..4096]);
        }
    }
    // Others of the pool served while all three were out; they have gone back.
    kept.truncate(1);
    assert!(pool.outstanding() <= held + 1);
    // Addresses repeat: with nothing kept, three blocks serve.
    kept.clear();
    let mut seen = HashSet::new();
    for _ in 0..20 {
        seen.insert(registered.read_at(&file, 0, 4096).wait().unwrap().as_ptr());
    }
    assert!(seen.len() <= 3);
    assert_eq!(ring.register(&pool, 1, 4096).unwrap_err().kind(), io::ErrorKind::ResourceBusy);
    // Slices outlive the ring.
    let last = registered.read_at(&file, 5, 4096).wait().unwrap();
    drop((ring, registered));
    assert_eq!(last, bytes[5..4101]);
    drop(last);
    assert_eq!(pool.outstanding(), 0);
}

#[test]
fn files_are_written_from_slices() {
    let Some(ring) = ring(8) else { return };
    let file = file(b"");
    let parts = [&b"one "[..], b"and a slice that is too long for a handle "];
    let parts: Sequence = parts.into_iter().map(Slice::copy_from_slice).collect();
    assert_eq!(ring.write_at(&file, 3, parts.clone()).wait().unwrap(), parts.len());
    let mut all = vec![0; 100];
    let read = file.read_at(&mut all, 0).unwrap();
    assert_eq!(all[..read], [&b"\0\0\0"[..], &parts.as_ref().to_contiguous()].concat());
    // A full disk.
    let full = Arc::new(File::options().write(true).open("/dev/full").unwrap());
    let refused = ring.write_at(&full, 0, parts).wait().unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::StorageFull);
}
