//! Where a reply's data lies, and for how long.

use crate::peer::{ANY, Served, patient, run};
use aqueduct::{Pool, Slice, meter};
use aqueduct_testkit::pattern;
use std::sync::{Arc, Mutex};
use uvrpc::{
    Client, Options, Payload,
    envelope::{Head, ReplyHead},
    zmtp::{Event, GREETING, Own, Session},
};

#[test]
fn a_replys_data_outlives_its_callback_its_client_and_its_server() {
    let served = Served::new(ANY, Options::default());
    let kept = Arc::new(Mutex::new(Vec::<Payload>::new()));
    let pool = Pool::new();
    run(async {
        let options = Options { pool: pool.clone(), ..patient() };
        let client = Client::connect(served.address.clone(), options);
        for i in 0..200 {
            let kept = Arc::clone(&kept);
            let keep = move |outcome: uvrpc::Outcome| {
                kept.lock().unwrap().extend(outcome.unwrap().data);
            };
            client.call_then("echo", "", Payload::from(pattern(100 + 50 * i, i)), keep).unwrap();
        }
        while client.stats().pending > 0 {
            tokio::task::yield_now().await;
        }
    });
    drop(served);
    let kept = std::mem::take(&mut *kept.lock().unwrap());
    assert_eq!(kept.len(), 200);
    for (i, data) in kept.iter().enumerate() {
        assert!(*data == *pattern(100 + 50 * i, i));
    }
    // They are what keeps the client's blocks, and nothing else does.
    assert!(pool.outstanding() > 0);
    drop(kept);
    assert_eq!(pool.outstanding(), 0);
}

/// What was received, in a block of our own: the data that is taken lies in it.
#[test]
fn a_replys_data_lies_in_the_block_that_was_received() {
    let data = pattern(1000, 1);
    let head = ReplyHead { id: 7, status: 0, error: None, data: Some(data.len()) };
    let mut envelope = vec![0; head.size()];
    head.write(&mut envelope);
    envelope.extend(&data);
    let ready = b"\x04\x1a\x05READY\x0bSocket-Type\0\0\0\x06ROUTER".to_vec();
    let long = [&[2][..], &(envelope.len() as u64).to_be_bytes()].concat();
    let received = [GREETING.to_vec(), with_len(ready), vec![1, 0], long, envelope].concat();
    let block = Slice::from(received);
    let range = block.as_ptr_range();

    let (mut writer, mut reader) = aqueduct::pipe(aqueduct::Options::default());
    writer.push(block.clone()).unwrap();
    writer.try_flush().unwrap();
    let mut session = Session::new(dealer(), 1 << 20);
    assert!(matches!(session.advance(&mut reader), Ok(Event::Greeted)));
    assert!(matches!(session.advance(&mut reader), Ok(Event::Ready(_))));
    let before = meter::thread();
    let Ok(Event::Envelope(body)) = session.advance(&mut reader) else { panic!("a reply") };
    let head = ReplyHead::read(body.bytes()).unwrap();
    let payload = body.last(head.data.unwrap());
    assert_eq!((meter::thread() - before).bytes, 0);
    let [piece] = payload.pieces() else { panic!("one piece") };
    let found = piece.as_ptr_range();
    assert!(range.start <= found.start && found.end <= range.end, "{range:?} {found:?}");
    assert!(*piece == *data);
    // And goes on to, when all else that was received is gone.
    drop((block, reader, writer));
    assert!(payload == *data);
}

fn dealer() -> Own {
    Own { socket: "DEALER", talks_to: &["ROUTER"], identity: Slice::new() }
}

/// A command whose second byte is its length.
fn with_len(mut command: Vec<u8>) -> Vec<u8> {
    command[1] = u8::try_from(command.len() - 2).unwrap();
    command
}
