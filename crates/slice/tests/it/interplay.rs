//! The optional features: conversions with the `bytes` crate, and serde.

#[cfg(feature = "bytes")]
mod with_bytes {
    use std::io::IoSlice;

    use aqueduct_slice::{Slice, SliceMut};
    use aqueduct_testkit::{Countdown, fewer, panics, pattern};
    use bytes::{Buf, BufMut, Bytes};

    /// Lengths about the inline length, and one above it.
    const LENGTHS: [usize; 6] = [0, 1, 22, 23, 24, 1_000];

    #[test]
    fn both_ways_keep_the_bytes_where_they_are() {
        for len in LENGTHS {
            let original = pattern(len, 1);
            let slice = Slice::from(original.clone()).pin();
            let at = slice.as_ptr();
            let bytes = Bytes::from(slice);
            assert_eq!(bytes, original);
            assert!(len == 0 || bytes.as_ptr() == at, "a block of {len} bytes was copied");
            let at = bytes.as_ptr();
            let back = Slice::from(bytes);
            assert_eq!(back, original[..]);
            assert!(len == 0 || back.as_ptr() == at, "{len} bytes were copied back");
        }
    }

    #[test]
    fn t05_an_owner_survives_the_way_there_and_back_and_is_dropped_once() {
        for len in LENGTHS {
            let countdown = Countdown::new(-1);
            let slice = Slice::from_owner(countdown.value(pattern(len, 1)));
            let bytes = Bytes::from(slice.clone());
            let part = bytes.slice(len / 2..);
            drop(slice);
            let back = Slice::from(bytes);
            assert_eq!((&part[..], &back[..]), (&pattern(len, 1)[len / 2..], &pattern(len, 1)[..]));
            drop(back);
            drop(part);
            countdown.assert_each_dropped_once();
        }
    }

    #[test]
    fn bytes_that_come_back_are_those_that_went() {
        let first = Bytes::from(pattern(1_000, 1));
        let back = Bytes::from(Slice::from(first.clone()).slice(100..900));
        assert_eq!(back, first[100..900]);
        assert!(!back.is_unique(), "they have an owner of their own");
        drop(first);
        assert!(back.is_unique(), "the slice between them is still there");
    }

    /// Each hop would make the drop at the end a call deeper, or two.
    #[test]
    fn any_number_of_hops_leaves_one_owner() {
        let countdown = Countdown::new(-1);
        let mut bytes = Bytes::from(Slice::from_owner(countdown.value(pattern(100, 1))));
        for _ in 0..fewer(100_000) {
            bytes = Bytes::from(Slice::from(bytes));
        }
        drop(bytes);
        countdown.assert_each_dropped_once();
    }

    #[test]
    fn an_inline_slice_within_bytes_may_move() {
        let parts: Vec<Bytes> =
            (0..50).map(|i| Bytes::from(Slice::copy_from_slice(&pattern(20, i)))).collect();
        let moved: Vec<Box<Bytes>> = parts.into_iter().map(Box::new).collect();
        assert!(moved.iter().enumerate().all(|(i, b)| b[..] == pattern(20, i)));
    }

    #[test]
    fn a_slice_is_read_as_buf() {
        for len in LENGTHS {
            let original = pattern(len, 3);
            let mut slice = Slice::from(original.clone());
            let mut io = [IoSlice::new(b""); 2];
            let filled = slice.chunks_vectored(&mut io);
            assert_eq!((filled, io[0].len()), (usize::from(len > 0), len));
            assert_eq!(slice.chunks_vectored(&mut []), 0);
            let front = slice.copy_to_bytes(len / 3);
            assert_eq!(front, original[..len / 3]);
            assert_eq!((slice.remaining(), slice.chunk()), (len - len / 3, &original[len / 3..]));
            Buf::advance(&mut slice, len - len / 3);
            assert!(!slice.has_remaining());
            assert!(panics(|| Buf::advance(&mut slice, 1)));
            assert!(panics(|| slice.copy_to_bytes(1)));
        }
        let mut numbers = Slice::from_static(&[1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(
            (numbers.get_u32(), numbers.get_u16_le(), numbers.get_u8()),
            (0x0102_0304, 0x605, 7)
        );
        assert!(numbers.try_get_u8().is_err());
    }

    #[test]
    fn a_mutable_slice_is_written_as_buf_mut() {
        let mut slice = SliceMut::new();
        slice.put_u32(0x0102_0304);
        slice.put_slice(&pattern(100, 1));
        slice.put_bytes(9, 50);
        slice.put(&pattern(200, 2)[..]);
        slice.put(Slice::from(pattern(30, 3)));
        let expected =
            [&[1, 2, 3, 4][..], &pattern(100, 1), &[9; 50], &pattern(200, 2), &pattern(30, 3)];
        assert_eq!(slice[..], expected.concat());
        for _ in 0..10 {
            let room = slice.chunk_mut().len();
            assert!(room > 0, "a chunk without room");
            slice.put_bytes(1, room);
        }
        assert!(panics(|| slice.put_bytes(1, usize::MAX)));
        assert!(panics(|| slice.put_bytes(1, isize::MAX.cast_unsigned())));
    }

    #[test]
    fn a_mutable_slice_gives_its_front_as_bytes() {
        let mut slice = SliceMut::from_iter(pattern(100, 1));
        let at = slice.as_ptr();
        let front = slice.copy_to_bytes(60);
        assert_eq!((front.as_ptr(), &front[..]), (at, &pattern(100, 1)[..60]));
        slice.put_slice(&[7; 500]);
        assert_eq!(front, pattern(100, 1)[..60]);
        assert_eq!((&slice[..40], &slice[40..]), (&pattern(100, 1)[60..], &[7; 500][..]));
    }

    #[test]
    fn a_mutable_slice_is_read_as_buf() {
        let original = pattern(100, 4);
        let mut slice = SliceMut::from_iter(original.clone());
        let at = slice.as_ptr();
        assert_eq!((Buf::remaining(&slice), Buf::chunk(&slice)), (100, &original[..]));
        Buf::advance(&mut slice, 40);
        assert_eq!((Buf::remaining(&slice), Buf::chunk(&slice)), (60, &original[40..]));
        assert_eq!(slice.as_ptr(), at.wrapping_add(40), "the bytes were moved");
        assert!(panics(|| Buf::advance(&mut slice, 61)));
        let mut rest = [0; 60];
        slice.copy_to_slice(&mut rest);
        assert_eq!(rest, original[40..]);
        assert!(!slice.has_remaining());
    }

    #[test]
    fn what_can_still_be_written_is_counted_to_the_last_byte() {
        let mut slice = SliceMut::from_iter(pattern(100, 1));
        assert_eq!(slice.remaining_mut(), isize::MAX.cast_unsigned() - 100);
        slice.put_bytes(0, 11);
        assert_eq!(slice.remaining_mut(), isize::MAX.cast_unsigned() - 111);
        let (len, capacity) = (slice.len(), slice.capacity());
        if capacity > len {
            // What is there is given before more is asked for.
            assert_eq!(slice.chunk_mut().len(), capacity - len);
            assert_eq!(slice.capacity(), capacity);
        }
    }
}

#[cfg(feature = "serde")]
mod with_serde {
    use aqueduct_slice::{Slice, SliceMut, Str};
    use aqueduct_testkit::{fewer, pattern};

    #[test]
    fn values_survive_json() {
        for len in [0, 1, 23, 24, 24 + fewer(5_000)] {
            let bytes = pattern(len, 1);
            let text = serde_json::to_string(&Slice::from(bytes.clone())).expect("bytes");
            assert_eq!(text, serde_json::to_string(&bytes).expect("bytes"));
            assert_eq!(serde_json::from_str::<Slice>(&text).expect("bytes"), bytes[..]);
            let again: SliceMut = serde_json::from_str(&text).expect("bytes");
            assert_eq!(again[..], bytes);
            let text = "é".repeat(len);
            let json = serde_json::to_string(&Str::from(text.clone())).expect("text");
            assert_eq!(&*serde_json::from_str::<Str>(&json).expect("text"), text);
        }
    }

    #[test]
    fn what_is_no_bytes_is_refused() {
        for json in ["[1, 256]", "[1, -1]", "{}", "1", "[\"x\"]", "[1,"] {
            assert!(serde_json::from_str::<Slice>(json).is_err(), "{json}");
            assert!(serde_json::from_str::<SliceMut>(json).is_err(), "{json}");
        }
        for json in ["1", "[]", "\"\\ud800\""] {
            assert!(serde_json::from_str::<Str>(json).is_err(), "{json}");
        }
    }
}
