//! A server as somebody wrote it who knew the book alone: another protocol than the first one's, and not one
//! byte of a request copied, not even where it crosses from a block into the next.
#![allow(missing_docs, reason = "a test binary")]
#![allow(
    clippy::disallowed_methods,
    reason = "a client's own bytes; the server's copies are asked for below"
)]

use aqueduct::{FramedReader, Framing, Options, Prefix, Sequence, Slice, meter, os, pipe};
use aqueduct_testkit::{Random, pattern};
use std::{
    error::Error,
    io::{self, Read, Write},
    net, thread,
};
use tokio::{net::TcpStream, runtime::Builder};

type Failure = Box<dyn Error + Send + Sync>;

/// Commands: 1 gives the data back, 2 with its halves swapped, 3 says how many requests there were. A length
/// counts the command and the data, and may be 16 KiB.
async fn serve(socket: TcpStream) -> Result<(), Failure> {
    let (mut from, to) = socket.into_split();
    let (mut received, requests) = pipe(Options::default());
    tokio::spawn(async move {
        while received.fill_from(&mut from).await? > 0 {}
        received.finish();
        io::Result::Ok(())
    });
    let mut requests = FramedReader::new(requests, Framing::prefixed(Prefix::U16Be, 16 << 10)?)?;
    let mut count = 0_u32;
    while let Some(request) = requests.next().await? {
        count += 1;
        let answer = answer(&request.into(), count)?;
        os::write_all_vectored(answer.as_ref()).run_async(to.as_ref()).await?;
    }
    Ok(())
}

fn answer(request: &Sequence, count: u32) -> Result<Sequence, Failure> {
    let mut reader = request.reader();
    let command = reader.read_u8()?;
    let data = reader.read_rest();
    let (command, parts) = match command {
        1 => (1, vec![data.to_sequence()]),
        2 => {
            let (first, second) = (data.slice(..data.len() / 2), data.slice(data.len() / 2..));
            (2, vec![second.to_sequence(), first.to_sequence()])
        }
        3 => (3, vec![Sequence::from(count.to_be_bytes().to_vec())]),
        _ => (255, vec![Sequence::from(Slice::from_static(b"unknown command"))]),
    };
    let len = 1 + parts.iter().map(Sequence::len).sum::<usize>();
    let [high, low] = u16::try_from(len)?.to_be_bytes();
    let mut answer = Sequence::from(vec![high, low, command]);
    parts.into_iter().for_each(|part| answer.append(part));
    Ok(answer)
}

/// Serves one client, on one thread: what was copied for it, and how that ended.
fn served(client: impl FnOnce(net::TcpStream)) -> (meter::Counts, Result<(), Failure>) {
    let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        let (socket, _) = listener.accept().unwrap();
        socket.set_nonblocking(true).unwrap();
        Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
            let before = meter::thread();
            let ended = serve(TcpStream::from_std(socket).unwrap()).await;
            (meter::thread() - before, ended)
        })
    });
    client(net::TcpStream::connect(address).unwrap());
    server.join().unwrap()
}

fn request(command: u8, data: &[u8]) -> Vec<u8> {
    let len = u16::try_from(1 + data.len()).unwrap();
    [&len.to_be_bytes(), &[command][..], data].concat()
}

fn receive(socket: &mut net::TcpStream) -> (u8, Vec<u8>) {
    let mut head = [0; 3];
    socket.read_exact(&mut head).unwrap();
    let mut data = vec![0; usize::from(u16::from_be_bytes([head[0], head[1]])) - 1];
    socket.read_exact(&mut data).unwrap();
    (head[2], data)
}

#[test]
fn data_that_is_given_back_is_not_copied() {
    let mut random = Random::new(1);
    let requests: Vec<_> = (0..400)
        .map(|n| (1 + u8::from(n % 2 == 0), pattern(1024 + random.below(7000), n)))
        .collect();
    let (counts, ended) = served(|mut socket| {
        let mut writer = socket.try_clone().unwrap();
        thread::scope(|scope| {
            scope.spawn(|| {
                let all: Vec<_> = requests.iter().map(|(c, data)| request(*c, data)).collect();
                let all = all.concat();
                let mut rest = &all[..];
                while !rest.is_empty() {
                    let (now, later) = rest.split_at((1 + random.below(6000)).min(rest.len()));
                    writer.write_all(now).unwrap();
                    rest = later;
                }
                writer.shutdown(net::Shutdown::Write).unwrap();
            });
            for (command, data) in &requests {
                let (first, second) = data.split_at(data.len() / 2);
                let swapped = [second, first].concat();
                let expected = if *command == 1 { data } else { &swapped };
                assert!(receive(&mut socket) == (*command, expected.clone()));
            }
        });
    });
    ended.unwrap();
    assert_eq!((counts.bytes, counts.copies), (0, 0));
}

#[test]
fn what_it_does_not_know_it_refuses_and_what_is_too_long_ends_it() {
    let (_, ended) = served(|mut socket| {
        let mut ask = |command, data: &[u8]| {
            socket.write_all(&request(command, data)).unwrap();
            receive(&mut socket)
        };
        assert_eq!(ask(77, &[1; 100]), (255, b"unknown command".to_vec()));
        assert_eq!(ask(3, b""), (3, vec![0, 0, 0, 2]));
        assert_eq!(ask(1, &[9; (16 << 10) - 1]), (1, vec![9; (16 << 10) - 1]));
        socket.write_all(&request(1, &[9; 16 << 10])).unwrap();
        assert_eq!(socket.read(&mut [0; 1]).unwrap_or(0), 0);
    });
    assert!(ended.unwrap_err().to_string().contains("16384"));
}
