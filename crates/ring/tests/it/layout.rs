//! What the types promise to the compiler, the sizes that they refuse, and that they print.

use aqueduct_ring::{
    Arena, Batch, Beside, BuildError, Builder, Claim, ClaimError, Claims, Closed, Consumer,
    Exclusive, Handle, Iter, IterMut, Lease, Many, One, Producer, Shared, Sole, TakeError, Wait,
};
use aqueduct_testkit::{is_send, is_sync, panics};
use std::{cell::Cell, fmt::Debug, mem::size_of, rc::Rc};

#[test]
fn t01_sizes_that_cannot_be() {
    for k in 0..64 {
        for count in
            [usize::MAX - k, (usize::MAX >> 1) - k, (usize::MAX >> 1) + k, (1 << 31) + 1 + k]
        {
            let error = Builder::new(count).build::<u8, One>(|| 0).unwrap_err();
            assert_eq!(error, BuildError::Capacity(count));
            assert_eq!(Arena::new(count, || 0).unwrap_err(), BuildError::Capacity(count));
        }
    }
    assert_eq!(Builder::new(0).build::<u8, One>(|| 0).unwrap_err(), BuildError::Capacity(0));
    assert_eq!(Arena::new(0, || 0).unwrap_err(), BuildError::Capacity(0));
    // In all more than there are addresses; one alone not too much for a sanitizer that marks the stack.
    let huge = || -> [u8; 1 << 17] { unreachable!("no memory") };
    assert_eq!(
        Builder::new(1 << 31).build::<_, One>(huge).unwrap_err(),
        BuildError::Memory(1 << 31)
    );
    assert_eq!(Arena::new(1 << 31, huge).unwrap_err(), BuildError::Memory(1 << 31));
    let none = Builder::new(1).build::<u8, (One, Beside<0>)>(|| 0).unwrap_err();
    assert_eq!(none, BuildError::EmptyStage(1));
}

#[test]
fn t01_counts_beyond_the_ring() {
    let (mut producer, mut consumer) = Builder::new(3).build::<u8, One>(|| 0).unwrap();
    assert_eq!((producer.capacity(), consumer.capacity()), (4, 4));
    for k in 0..64 {
        assert!(panics(|| producer.try_claim_many(usize::MAX - k).is_ok()));
        assert!(panics(|| producer.try_claim_many(5 + k).is_ok()));
        let claims = producer.try_claim_many(1).unwrap();
        assert!(panics(|| claims.publish(usize::MAX - k)));
    }
    producer.try_claim_many(4).unwrap().publish(4);
    for k in 0..64 {
        assert_eq!(consumer.try_take(usize::MAX - k).unwrap().len(), 4);
        assert_eq!(consumer.try_take((usize::MAX >> 1) + k).unwrap().len(), 4);
    }
}

#[cfg(target_pointer_width = "64")]
#[test]
fn t12_what_travels_is_small() {
    const {
        assert!(size_of::<Handle>() == 8);
        assert!(size_of::<Claim<'_, [u8; 64]>>() == 16);
        assert!(size_of::<Claims<'_, [u8; 64], Many>>() == 16);
        assert!(size_of::<Lease<'_, [u8; 64]>>() == 16);
        assert!(size_of::<Producer<u8>>() <= 128);
        assert!(size_of::<Consumer<u8>>() <= 128);
        assert!(size_of::<ClaimError>() <= 8);
    }
}

/// Slots lie on cache lines of their own.
#[test]
fn t12_slots_are_aligned() {
    let (mut producer, _consumer) = Builder::new(8).build::<u8, One>(|| 0).unwrap();
    let mut claims = producer.try_claim_many(8).unwrap();
    let all: Vec<usize> = claims.iter_mut().map(|slot| (&raw const *slot).addr()).collect();
    assert!(all.iter().all(|address| address % 64 == 0));
}

/// `Send`, but not `Sync`.
type Lone = Cell<u8>;
/// Neither.
type Local = Rc<u8>;

macro_rules! rows {
    ($($name:ident<$($first:lifetime)?, $($mark:ty)?>;)*) => {
        [$(
            (
                stringify!($name),
                [
                    (is_send!($name<$($first,)? u8, $($mark)?>), is_sync!($name<$($first,)? u8, $($mark)?>)),
                    (is_send!($name<$($first,)? Lone, $($mark)?>), is_sync!($name<$($first,)? Lone, $($mark)?>)),
                    (is_send!($name<$($first,)? Local, $($mark)?>), is_sync!($name<$($first,)? Local, $($mark)?>)),
                ],
            ),
        )*]
    };
}

#[test]
fn t25_which_types_may_cross_threads() {
    let table = rows! {
        Producer<, Sole>;
        Producer<, Many>;
        Claim<'static, Sole>;
        Claim<'static, Many>;
        Claims<'static, Sole>;
        Claims<'static, Many>;
        Consumer<, Exclusive>;
        Consumer<, Shared>;
        Batch<'static, Exclusive>;
        Batch<'static, Shared>;
        IterMut<'static, >;
        Lease<'static, >;
    };
    for (name, got) in table {
        assert_eq!(got, [(true, true), (true, false), (false, false)], "{name}: (Send, Sync)");
    }
    // What is shared is lent from there, mutably.
    assert!(is_sync!(Arena<u8>) && is_sync!(Arena<Lone>) && !is_sync!(Arena<Local>));
    assert!(is_send!(Arena<u8>) && is_send!(Arena<Lone>) && !is_send!(Arena<Local>));
    // There is none of what is not Sync.
    assert!(is_send!(Iter<'static, u8>) && is_sync!(Iter<'static, u8>));
    assert!(!is_send!(Iter<'static, Local>) && !is_sync!(Iter<'static, Local>));
    let plain = [
        (is_send!(Handle), is_sync!(Handle)),
        (is_send!(Builder), is_sync!(Builder)),
        (is_send!(Wait), is_sync!(Wait)),
        (is_send!(BuildError), is_sync!(BuildError)),
        (is_send!(ClaimError), is_sync!(ClaimError)),
        (is_send!(TakeError), is_sync!(TakeError)),
        (is_send!(Closed), is_sync!(Closed)),
    ];
    assert_eq!(plain, [(true, true); 7]);
}

fn shows(value: &impl Debug) -> String {
    assert!(!format!("{value:#?}").is_empty());
    format!("{value:?}")
}

#[test]
fn t11_everything_prints_in_every_state() {
    let builder = Builder::new(4).wait(Wait::Spin);
    assert!(shows(&builder).contains("Spin"));
    let (mut producer, (mut first, [mut second])) =
        builder.build_many::<u8, (One, Beside<1>)>(|| 7).unwrap();
    assert_eq!(shows(&producer), "Producer { capacity: 4, .. }");
    assert_eq!(shows(&producer.try_claim().unwrap()), "Claim(7)");
    let claims = producer.try_claim_many(2).unwrap();
    assert_eq!(shows(&claims), "Claims { len: 2 }");
    claims.publish(1);
    assert_eq!(shows(&first), "Consumer { capacity: 4, .. }");
    let mut batch = first.try_take(3).unwrap();
    assert_eq!(shows(&batch), "Batch { len: 3 }");
    assert_eq!(shows(&batch.iter_mut()), "IterMut { .. }");
    assert_eq!(batch.iter_mut().count(), 1, "one of three was published");
    assert_eq!(shows(&batch), "Batch { len: 0 }");
    drop(batch);
    let mut batch = second.try_take(3).unwrap();
    assert_eq!(shows(&batch.iter()), "Iter { .. }");
    drop((batch, first));
    assert_eq!(shows(&second), "Consumer { capacity: 4, .. }");
    let arena = Arena::new(2, || 5).unwrap();
    let lease = arena.lease().unwrap();
    assert!(shows(&lease).ends_with(", 5)"));
    assert!(shows(&lease.hold()).starts_with("Handle("));
    assert_eq!(shows(&arena), "Arena { capacity: 2, free: 1 }");
}

#[test]
fn t11_errors_say_what_is_wrong() {
    assert_eq!(BuildError::Capacity(0).to_string(), "0 slots: want 1 to 2^31");
    assert_eq!(BuildError::Memory(9).to_string(), "no memory for 9 slots");
    assert_eq!(BuildError::EmptyStage(1).to_string(), "stage 1 has no consumer");
    let (mut producer, mut consumer) = Builder::new(1).build::<u8, One>(|| 0).unwrap();
    assert_eq!(consumer.try_take(1).unwrap_err().to_string(), "the ring is empty");
    producer.try_claim().unwrap().publish();
    assert_eq!(producer.try_claim().unwrap_err().to_string(), "the ring is full");
    drop(consumer);
    let closed = producer.claim().unwrap_err();
    assert_eq!((closed.to_string(), closed.panicked()), ("the ring is closed".into(), false));
    let (producer, mut consumer) = Builder::new(1).build::<u8, One>(|| 0).unwrap();
    assert!(panics(|| {
        let _producer = producer;
        panic!("to be told to the consumer");
    }));
    let closed = consumer.take(1).unwrap_err();
    assert_eq!(
        (closed.to_string(), closed.panicked()),
        ("the ring's other side panicked".into(), true)
    );
}
