//! What is shared, and stays where it is.

use aqueduct::{Slice, Str, meter};
use serde::{Deserialize, Serialize};
use std::{
    borrow::Cow,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
};
use streamweave::{
    Batch, Binary, Codec, Executor, Id, Item, Json, Message, Meta, Mode, Typed, Weave,
};

fn run(weave: Weave, mode: Mode) {
    Executor::new(weave.build().expect("sound"), mode).run().expect("it runs");
}

#[test]
fn a_fan_out_shares_one_payload() {
    let block = Slice::from(vec![7_u8; 64 << 10]);
    let (address, before) = (block.as_ptr(), meter::process());
    let mut weave = Weave::new();
    let source = weave.source("source", [block]);
    let sinks: Vec<_> = (0..10)
        .map(|at| {
            let (input, sink) = weave.collect::<Slice>(&format!("sink{at}"));
            weave.connect(&source, input);
            if at % 2 == 1 {
                weave.own_thread(&format!("sink{at}"));
            }
            sink
        })
        .collect();
    run(weave, Mode::InProcess);
    for sink in sinks {
        let got = sink.take();
        assert!(got.len() == 1 && got[0].as_ptr() == address && got[0].len() == 64 << 10);
    }
    // Other tests of this binary copy, but nothing of this size at once.
    let copied = meter::process() - before;
    assert!(copied.bytes < 64 << 10, "{copied:?}");
}

#[test]
fn what_a_cow_leaves_alone_stays_where_it_is() {
    let item = Slice::from(b"  a line of text that is longer than a handle  ".to_vec());
    let mut weave = Weave::new();
    let source = weave.source("source", [item.clone(), Slice::from(vec![b'x'; 40])]);
    let (same, unchanged) = weave.map_cow("same", |bytes| bytes);
    let (trim, trimmed) = weave.map_cow("trim", |bytes| match bytes {
        Cow::Borrowed(bytes) => Cow::Borrowed(bytes.trim_ascii()),
        Cow::Owned(bytes) => Cow::Owned(bytes),
    });
    let (change, changed) = weave.map_cow("change", |bytes| Cow::Owned(bytes.repeat(2)));
    let [(a, same_out), (b, trim_out), (c, change_out)] =
        ["a", "b", "c"].map(|name| weave.collect::<Slice>(name));
    weave.connect(&source, same);
    weave.connect(&unchanged, a);
    weave.connect(&source, trim);
    weave.connect(&trimmed, b);
    weave.connect(&source, change);
    weave.connect(&changed, c);
    run(weave, Mode::InProcess);
    assert_eq!(same_out.take()[0].as_ptr(), item.as_ptr());
    assert_eq!(trim_out.take()[0].as_ptr(), item[2..].as_ptr());
    assert_eq!(change_out.take()[1], [b'x'; 80][..]);
}

#[test]
fn an_unshared_item_is_changed_in_place() {
    let addresses = Arc::new(AtomicU64::new(0));
    let seen = addresses.clone();
    let mut weave = Weave::new();
    let numbers = weave.source("numbers", 0..100_i64);
    let (make, made) = weave.map("make", move |n: i64| {
        let bytes = Slice::from(vec![n as u8; 1000]);
        seen.fetch_add(bytes.as_ptr() as u64, SeqCst);
        bytes
    });
    let (update, updated) = weave.update("update", |bytes| bytes[0] = 200);
    let left = addresses.clone();
    let sink = weave.sink("sink", move |bytes: Slice| {
        assert!(bytes[0] == 200 && bytes[1] < 100);
        left.fetch_sub(bytes.as_ptr() as u64, SeqCst);
        Ok(())
    });
    weave.connect(&numbers, make);
    weave.connect(&made, update);
    weave.connect(&updated, sink);
    run(weave, Mode::InProcess);
    assert_eq!(addresses.load(SeqCst), 0);
}

#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
struct Reading {
    name: String,
    value: f64,
}

#[derive(Deserialize)]
struct Borrowed<'a> {
    name: &'a str,
    value: f64,
}

#[test]
fn values_travel_by_handle_and_as_bytes_where_they_must() {
    fn both<C: Codec>() {
        let reading = Reading { name: "a name".into(), value: 1.5 };
        for mode in [Mode::InProcess, Mode::Copying] {
            let mut weave = Weave::new();
            let source = weave.source("source", [Typed::<_, C>::new(reading.clone())]);
            let (sink, got) = weave.collect::<Typed<Reading, C>>("sink");
            weave.connect(&source, sink);
            run(weave, mode);
            let got = got.take().pop().expect("one");
            assert_eq!(got.into_inner(), reading);
        }
        let bytes = C::encode(&reading).expect("serde knows it");
        let borrowed: Borrowed<'_> = C::decode(&bytes).expect("its own");
        assert!(bytes.as_ptr_range().contains(&borrowed.name.as_ptr()), "not copied");
        assert_eq!((borrowed.name, borrowed.value), ("a name", 1.5));
        assert!(Typed::<Reading, C>::from_payload(bytes.slice(..bytes.len() - 1).into()).is_err());
    }
    both::<Json>();
    both::<Binary>();
    let wrong = Typed::<u8>::new(1).into_payload();
    assert!(
        Typed::<Reading>::from_payload(wrong.clone()).is_err()
            && Batch::from_payload(wrong).is_err()
    );
    assert!(i64::from_payload(Slice::from(vec![1, 2]).into()).is_err());
}

#[test]
fn batches_are_read_where_they_lie_and_cut_ones_refused() {
    let batch =
        Batch(Arc::new(vec![Slice::from(vec![1; 50]), Slice::new(), Slice::from(vec![2; 60])]));
    let bytes = Message::of(batch.clone()).payload.to_bytes().expect("small");
    let read = Batch::from_payload(bytes.clone().into()).expect("its own");
    assert_eq!(read, batch);
    assert_eq!(read.0[0].as_ptr(), bytes[4..].as_ptr());
    for end in 0..bytes.len() {
        let cut = Batch::from_payload(bytes.slice_shared(..end).into());
        assert_eq!(cut.is_ok(), [0, 54, 58].contains(&end), "{end}");
    }
}

#[test]
fn metadata_survives_being_copied() {
    let id = Id::of(b"contents");
    let meta =
        Meta::default().with_source("s").with_key("k").with_partition(3).with_header("h", "v");
    for id in [Id::random(), Id::Custom(Str::from("mine")), id, Id::Sequence(9)] {
        let message =
            Message { meta: meta.clone().with_id(id.clone()), ..Message::new(Slice::new()) };
        assert_eq!((message.id(), meta.header("h"), meta.partition()), (id, Some("v"), 3));
    }
    assert_eq!(Message { sequence: 7, ..Message::default() }.id(), Id::Sequence(7));
    assert!(meta.same(&meta.clone()) && !meta.same(&Meta::default()) && meta.header("x").is_none());
}
