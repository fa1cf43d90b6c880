//! What cannot be encoded, and what is taken back.

use crate::peers::{ended, pair};
use aqueduct::Slice;
use serde::{Deserialize, Serialize};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering::SeqCst},
};
use streamweave::{
    Action, Codec, Error, Executor, Failure, Graph, Json, Message, Mode, Node, Operator, Outputs,
    Policy, Typed, Weave,
};

/// A serializer that refuses one value, some times.
enum Picky {}

static REFUSALS: Mutex<u32> = Mutex::new(0);
/// One test at a time has them.
static REFUSING: Mutex<()> = Mutex::new(());

impl Codec for Picky {
    fn encode<T: Serialize>(value: &T) -> Result<Slice, Failure> {
        let bytes = Json::encode(value)?;
        let mut left = REFUSALS.lock().expect("whole");
        if bytes == *b"3" && *left > 0 {
            *left -= 1;
            return Err(Failure::new("not that one"));
        }
        Ok(bytes)
    }

    fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Failure> {
        Json::decode(bytes)
    }
}

/// Values that must be encoded behind a source and behind a map.
fn encoded(seen: &Arc<Mutex<Vec<u64>>>, policy: &Policy) -> Graph {
    let mut weave = Weave::new();
    let numbers = weave.source("numbers", (0..6_u64).map(Typed::<u64, Picky>::new));
    let (map, mapped) = weave.map("map", |n: Typed<u64, Picky>| n);
    let kept = seen.clone();
    let sink = weave.sink("sink", move |n: Typed<u64, Picky>| {
        kept.lock().expect("whole").push(*n);
        Ok(())
    });
    weave.connect(&numbers, map);
    weave.connect(&mapped, sink);
    for name in ["numbers", "map"] {
        weave.policy(name, policy.clone());
    }
    weave.place("sink", 1);
    weave.build().expect("sound")
}

#[test]
fn what_cannot_be_encoded_goes_through_the_policy_of_who_gave_it() {
    let _one = REFUSING.lock().expect("whole");
    let custom = Policy::Custom(Arc::new(|_: &Failure, tried| match tried {
        0 => Action::Retry,
        _ => Action::Skip,
    }));
    let (all, without) = ([0, 1, 2, 3, 4, 5].to_vec(), [0, 1, 2, 4, 5].to_vec());
    for (policy, times, want) in [
        (Policy::Stop, 1, None),
        (Policy::Skip, 1, Some(&without)),
        (Policy::Retry(2), 2, Some(&all)),
        (Policy::Retry(1), 2, None),
        (custom, 2, Some(&without)),
    ] {
        for copying in [true, false] {
            let seen = Arc::default();
            *REFUSALS.lock().expect("whole") = times;
            let (result, failures) = if copying {
                let mut executor = Executor::new(encoded(&seen, &policy), Mode::Copying);
                let result = executor.run();
                (result, executor.metrics().failures("numbers"))
            } else {
                let [mut one, mut two] = pair(|| encoded(&seen, &policy), Mode::Distributed);
                let metrics = one.metrics();
                one.start().expect("ready");
                two.start().expect("ready");
                let (result, _) = (ended(one), ended(two));
                (result, metrics.failures("map"))
            };
            let seen = seen.lock().expect("whole").clone();
            match (want, result) {
                (Some(want), Ok(())) => assert_eq!(&seen, want, "{policy:?}, copying {copying}"),
                (None, Err(Error::Node { .. })) => {}
                (_, result) => panic!("{policy:?}, copying {copying}: {result:?}"),
            }
            assert_eq!(failures, Some(u64::from(times)), "{policy:?}, copying {copying}");
        }
    }
}

/// What a node gave before it failed was not sent: it is not counted either.
#[test]
fn what_is_taken_back_is_not_counted() {
    let mut weave = Weave::new();
    let numbers = weave.source("numbers", 0..100_u64);
    let left = Arc::new(AtomicU64::new(50));
    let (twice, doubled) = weave.flat_map("twice", |n: u64| [n, n]);
    let (fails, passed) = weave.try_map("fails", move |n: u64| {
        let fails = left.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok();
        if fails { Err(Failure::new("not yet")) } else { Ok(n) }
    });
    let make = Arc::new(move || -> Result<Box<dyn Operator>, Failure> { Ok(Box::new(Hasty(50))) });
    let kind = std::any::type_name::<u64>();
    weave.add(Node::operator("hasty", kind, kind, make));
    let sink = weave.sink("sink", |_: u64| Ok(()));
    weave.connect(&numbers, twice);
    weave.connect(&doubled, fails);
    let hasty = weave.input("hasty", 0);
    weave.connect(&passed, hasty);
    let given = weave.output("hasty", 0);
    weave.connect(&given, sink);
    weave.own_thread("sink");
    for name in ["fails", "hasty"] {
        weave.policy(name, Policy::Retry(100));
    }
    let mut executor = Executor::new(weave.build().expect("sound"), Mode::InProcess);
    executor.run().expect("it runs");
    let text = executor.metrics().prometheus();
    let edge = "{from=\"hasty:out\",to=\"sink:in\"}";
    for want in [
        format!("streamweave_edge_items_total{edge} 200\n"),
        format!("streamweave_edge_bytes_total{edge} 1600\n"),
        format!("streamweave_queue_depth{edge} 0\n"),
    ] {
        assert!(text.contains(&want), "{want}{text}");
    }
}

/// Emits, and then fails some times.
struct Hasty(u64);

impl Operator for Hasty {
    fn on_item(
        &mut self,
        _: usize,
        message: Message,
        out: &mut Outputs<'_>,
    ) -> Result<(), Failure> {
        out.emit(0, message)?;
        match self.0.checked_sub(1) {
            Some(left) => {
                self.0 = left;
                Err(Failure::new("too soon"))
            }
            None => Ok(()),
        }
    }
}
