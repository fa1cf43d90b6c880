//! Streams that give little, fail, wait and lie, against an oracle of plain bytes; every future is
//! dropped after each poll.

use super::{
    doubles::{Act, Sink, Source},
    once, take_all,
};
use aqueduct_pipe::{Options, Reader, Writer, pipe};
use aqueduct_testkit::{cases, pattern};
use proptest::prelude::*;
use std::{io::ErrorKind, task::Poll};

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (1_usize..400).prop_map(Act::Some),
        2 => Just(Act::Some(1)),
        3 => Just(Act::Wait),
        1 => Just(Act::Fail(ErrorKind::Interrupted)),
        1 => Just(Act::Fail(ErrorKind::WouldBlock)),
        1 => Just(Act::Fail(ErrorKind::ConnectionReset)),
    ]
}

/// The bytes take source, pipe, another pipe, sink; each step polls one of the three movers once,
/// with a new future that is dropped at once.
fn transfer(
    options: &Options,
    mut source: Source,
    mut sink: Sink,
    order: &[u8],
) -> Result<Vec<u8>, TestCaseError> {
    let (mut writer, mut reader) = pipe(options.clone());
    let (mut to, mut end) = pipe(options.clone());
    let (mut ended, mut copied) = (false, false);
    let want = source.bytes.len();
    for step in order.iter().cycle().take(200_000) {
        match step % 3 {
            0 if !ended => {
                let done = once(writer.fill_from(&mut source));
                ended = matches!(done, Poll::Ready(Ok(0))) && source.bytes.is_empty();
            }
            1 if !copied => {
                let done = once(reader.copy_to(&mut to));
                prop_assert!(!matches!(done, Poll::Ready(Err(_))), "{done:?}");
                let moved = source.bytes.is_empty() && reader.stats().buffered == 0;
                copied = ended && moved;
            }
            _ => {
                let done = once(end.drain_to(&mut sink));
                prop_assert!(!matches!(done, Poll::Ready(Ok(0))), "no end was passed on");
            }
        }
        if copied && sink.got.len() == want {
            return Ok(sink.got);
        }
    }
    Err(TestCaseError::fail(format!("{} of {want} bytes arrived", sink.got.len())))
}

fn config() -> ProptestConfig {
    ProptestConfig::with_cases(cases(64))
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn whatever_the_streams_do_the_bytes_arrive(
        len in 1_usize..6000,
        segment in prop_oneof![Just(64_usize), Just(512), Just(4096)],
        pause in prop_oneof![Just(0_usize), 1_usize..50, 1000_usize..5000],
        reads in prop::collection::vec(act(), 0..60),
        writes in prop::collection::vec(act(), 0..60),
        vectored in any::<bool>(),
        order in prop::collection::vec(any::<u8>(), 0..20),
    ) {
        let options = Options::builder().segments(segment, segment).pause(pause).build().unwrap();
        let bytes = pattern(len, segment);
        let order: Vec<u8> = [0, 1, 2].into_iter().chain(order).collect();
        let (source, sink) = (Source::new(&bytes, reads), Sink::new(vectored, writes));
        let got = transfer(&options, source, sink, &order)?;
        prop_assert!(got == bytes);
    }
}

/// A source or sink that fails at its k-th call, for every k, and is used again.
#[test]
fn an_error_at_any_call_loses_nothing() {
    let bytes = pattern(700, 4);
    let options = Options::builder().segments(64, 64).pause(100).build().unwrap();
    for k in 0..60 {
        for kind in [ErrorKind::Interrupted, ErrorKind::WouldBlock, ErrorKind::Other] {
            let script = || (0..k).map(|_| Act::Some(13)).chain([Act::Fail(kind)]);
            let (source, sink) = (Source::new(&bytes, script()), Sink::new(k % 2 == 0, script()));
            let got = transfer(&options, source, sink, &[0, 1, 2]).unwrap();
            assert!(got == bytes, "call {k}");
        }
    }
}

fn fresh() -> (Writer, Reader) {
    pipe(Options::default())
}

#[test]
fn a_sink_that_takes_nothing_is_an_error() {
    let (mut writer, mut reader) = fresh();
    writer.write(b"bytes").unwrap();
    assert!(writer.try_flush().unwrap().is_some());
    let mut sink = Sink::new(true, [Act::Nothing]);
    let Poll::Ready(Err(refused)) = once(reader.drain_to(&mut sink)) else { panic!("an error") };
    assert_eq!(refused.kind(), ErrorKind::WriteZero);
    assert_eq!(take_all(&mut reader), b"bytes");
}

#[test]
fn answers_of_too_much_are_errors() {
    for more in [1, 70_000] {
        let (mut writer, mut reader) = fresh();
        let mut source = Source::new(b"", [Act::Lie(more)]);
        let Poll::Ready(Err(refused)) = once(writer.fill_from(&mut source)) else {
            panic!("a lie")
        };
        assert_eq!(refused.kind(), ErrorKind::InvalidData);
        assert_eq!(writer.unflushed(), 0);

        for parts in [1, 100] {
            let all = pattern(30 * parts, 1);
            all.chunks(30).for_each(|part| writer.push(part.to_vec()).unwrap());
            assert!(writer.try_flush().unwrap().is_some());
            let mut sink = Sink::new(true, [Act::Lie(more)]);
            let Poll::Ready(Err(refused)) = once(reader.drain_to(&mut sink)) else {
                panic!("a lie")
            };
            assert_eq!(refused.kind(), ErrorKind::InvalidData);
            assert_eq!(take_all(&mut reader), all);
        }
    }
}

#[test]
fn a_source_that_answers_nothing_is_at_its_end_for_now() {
    let (mut writer, mut reader) = fresh();
    let mut source = Source::new(b"on", [Act::Nothing]);
    assert!(matches!(once(writer.fill_from(&mut source)), Poll::Ready(Ok(0))));
    assert!(matches!(once(writer.fill_from(&mut source)), Poll::Ready(Ok(2))));
    assert_eq!(take_all(&mut reader), b"on");
}
