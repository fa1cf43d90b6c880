//! `Body` of the `http-body` crate.

use aqueduct_base::meter;
use aqueduct_sequence::Sequence;
use aqueduct_slice::Slice;
use aqueduct_testkit::pattern;
use bytes::Bytes;
use http_body::Body;
use std::{
    pin::Pin,
    task::{Context, Poll, Waker},
};

/// The next frame, which is there, and has data.
fn next(body: &mut Sequence) -> Option<Bytes> {
    match Pin::new(body).poll_frame(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(frame) => frame.map(|Ok(frame)| frame.into_data().expect("no trailers")),
        Poll::Pending => panic!("a sequence waits for nothing"),
    }
}

/// Segments of blocks of their own, short and long, and one that is static.
fn segments() -> Vec<Slice> {
    let lens = [1, 23, 24, 100, 5000];
    let mut all: Vec<_> = lens.map(|len| Slice::from(pattern(len, len))).into();
    all.push(Slice::from_static(b"the last of them, which nobody owns"));
    all
}

#[test]
fn each_segment_is_a_frame_on_its_own_block() {
    let all = segments();
    for count in 0..=all.len() {
        let body = Sequence::from_iter(all[..count].to_vec());
        let (mut left, mut body) = (body.len() as u64, body);
        let before = meter::thread();
        for segment in &all[..count] {
            assert_eq!((body.size_hint().exact(), body.is_end_stream()), (Some(left), false));
            let frame = next(&mut body).expect("one for each segment");
            assert_eq!(frame, segment[..]);
            assert!(frame.as_ptr() == segment.as_ptr() || frame.len() <= Slice::INLINE);
            left -= frame.len() as u64;
        }
        assert_eq!((meter::thread() - before).bytes, 0);
        assert_eq!((body.size_hint().exact(), body.is_end_stream()), (Some(0), true));
        assert!(next(&mut body).is_none() && next(&mut body).is_none());
    }
}

/// As who sends one answer many times keeps it.
#[test]
fn a_clone_is_a_body_of_its_own() {
    let kept = Sequence::from_iter(segments());
    let mut part = kept.slice(10..200);
    let mut sent = Vec::new();
    while let Some(frame) = next(&mut part) {
        let is_part = |segment: &[u8]| segment.as_ptr_range().contains(&frame.as_ptr());
        assert!(kept.as_ref().segments().any(is_part) || frame.len() <= Slice::INLINE);
        sent.extend_from_slice(&frame);
    }
    assert_eq!(kept.slice(10..200), sent);
    assert_eq!(next(&mut kept.clone()), Some(Bytes::from(pattern(1, 1))));
}
