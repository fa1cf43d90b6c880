//! The forms that wait as tokio's tasks do: which side they wait for, half-close, what a dropped future
//! leaves.

use crate::sides::{Kind, file_of, nonblocking, source};
use aqueduct_base::meter;
use aqueduct_os::{Method, Transfer, relay, send_file, splice, tee_async, write_all_vectored};
use aqueduct_testkit::pattern;
use std::{
    fs,
    future::Future,
    io::{self, ErrorKind},
    os::fd::OwnedFd,
    pin::pin,
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, unix::AsyncFd},
    net::{
        TcpListener, TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
    time::{sleep, timeout},
};

async fn connection() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (client, server) =
        tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
    (client.unwrap(), server.unwrap().0)
}

/// Both ends of a pipe, for tokio.
fn pipe() -> (AsyncFd<OwnedFd>, AsyncFd<OwnedFd>) {
    let (exit, entry) = io::pipe().unwrap();
    (registered(exit.into()), registered(entry.into()))
}

#[allow(deprecated, reason = "what replaces it is newer than the oldest tokio that we take")]
fn registered(fd: OwnedFd) -> AsyncFd<OwnedFd> {
    nonblocking(&fd);
    AsyncFd::new(fd).unwrap()
}

async fn read_all(mut stream: TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    bytes
}

async fn forward(method: Method, from: ReadHalf<'_>, mut to: WriteHalf<'_>) -> u64 {
    let done = Transfer::by(method, None).run_async(from.as_ref(), to.as_ref()).await.unwrap();
    to.shutdown().await.unwrap();
    done.bytes
}

/// A proxy between two connections: the client's end, the server's, and its task.
async fn proxy(method: Method) -> (TcpStream, TcpStream, tokio::task::JoinHandle<(u64, u64)>) {
    let ((client, mut inner), (mut outer, server)) = (connection().await, connection().await);
    let task = tokio::spawn(async move {
        let ((from_client, to_client), (from_server, to_server)) = (inner.split(), outer.split());
        tokio::join!(
            forward(method, from_client, to_server),
            forward(method, from_server, to_client)
        )
    });
    (client, server, task)
}

#[tokio::test]
async fn a_proxy_passes_both_directions_and_each_end() {
    let before = meter::thread();
    for method in [Method::ThroughPipe, Method::ThroughBlock] {
        let (client, mut server, task) = proxy(method).await;
        let (up, down) = (pattern(3_000_000, 1), pattern(2_000_000, 2));
        let (mut from, mut to) = client.into_split();
        let sending = async {
            to.write_all(&up).await.unwrap();
            to.shutdown().await.unwrap();
        };
        let serving = async {
            // The client's end is passed on while the other direction stays open.
            let mut got = Vec::new();
            server.read_to_end(&mut got).await.unwrap();
            assert!(got == up);
            sleep(Duration::from_millis(5)).await;
            server.write_all(&down).await.unwrap();
            drop(server);
        };
        let receiving = async {
            let mut got = Vec::new();
            from.read_to_end(&mut got).await.unwrap();
            assert!(got == down);
        };
        tokio::join!(sending, serving, receiving);
        assert_eq!(task.await.unwrap(), (up.len() as u64, down.len() as u64), "{method:?}");
    }
    // All of it on this thread, and no byte copied outside the kernel.
    assert_eq!((meter::thread() - before).bytes, 0);
}

/// A receiver that does not read stops the sender: what is under way is what the system buffers.
#[tokio::test]
async fn a_slow_receiver_throttles_the_sender() {
    let (client, server, task) = proxy(Method::ThroughPipe).await;
    let bytes = pattern(64 << 20, 1);
    let (_, mut to) = client.into_split();
    let mut sending = pin!(to.write_all(&bytes));
    let early = timeout(Duration::from_millis(300), &mut sending).await;
    assert!(early.is_err(), "64 MiB went to nobody");
    let reading = tokio::spawn(read_all(server));
    sending.await.unwrap();
    drop(to);
    assert!(reading.await.unwrap() == bytes);
    task.abort();
}

#[tokio::test]
async fn idle_relays_hold_no_pipe() {
    let pipes = || {
        let fds = fs::read_dir("/proc/self/fd").unwrap().map(|fd| fd.unwrap().path());
        fds.filter(|fd| fs::read_link(fd).is_ok_and(|to| to.to_string_lossy().starts_with("pipe:")))
            .count()
    };
    let before = pipes();
    let mut proxies = Vec::new();
    for round in 0..50 {
        let (mut client, mut server, task) = proxy(Method::ThroughPipe).await;
        client.write_all(b"ping").await.unwrap();
        let mut got = [0; 4];
        server.read_exact(&mut got).await.unwrap();
        assert_eq!(&got, b"ping", "{round}");
        proxies.push((client, server, task));
    }
    // Other tests' pipes come and go on their own threads; a hundred relays' would be two hundred.
    let now = pipes();
    assert!(now < before + 100, "{before} and {now} ends of pipes");
}

/// Polls once at a time, dropping the future each time: nothing is lost or repeated.
#[tokio::test]
async fn dropped_at_every_wait_it_goes_on() {
    for method in [Method::SendFile, Method::Splice, Method::ThroughPipe, Method::ThroughBlock] {
        let bytes = pattern(5_000_000, 1);
        let file = file_of(&bytes);
        let (to, receiver) = connection().await;
        let reading = tokio::spawn(read_all(receiver));
        let (exit, entry) = pipe();
        let feeding = tokio::spawn({
            let file = file.try_clone().unwrap();
            async move { splice(None).from_offset(0).run_async(&file, &entry).await.unwrap() }
        });
        let mut transfer = Transfer::by(method, None);
        let mut drops = 0;
        let done = loop {
            let patience = Duration::from_micros(300);
            let outcome = if method == Method::SendFile {
                timeout(patience, transfer.run_async(&file, &to)).await
            } else {
                timeout(patience, transfer.run_async(&exit, &to)).await
            };
            match outcome {
                Ok(done) => break done.unwrap(),
                Err(_) => drops += 1,
            }
        };
        assert_eq!(done.bytes, bytes.len() as u64, "{method:?}, dropped {drops} times");
        drop((to, exit));
        assert!(reading.await.unwrap() == bytes, "{method:?}, dropped {drops} times");
        feeding.abort();
    }
}

/// Polled once and not woken: the future is a cheap thing to drop.
async fn once<F: Future>(future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    std::future::poll_fn(|context| match future.as_mut().poll(context) {
        std::task::Poll::Ready(done) => std::task::Poll::Ready(Some(done)),
        std::task::Poll::Pending => std::task::Poll::Ready(None),
    })
    .await
}

/// A splice waits for the side that is not ready, whichever it is.
#[tokio::test]
async fn a_splice_waits_for_the_right_side() {
    let ((exit, entry), (to, mut receiver)) = (pipe(), connection().await);
    // The pipe is empty.
    let mut transfer = splice(4);
    assert!(once(transfer.run_async(&exit, &to)).await.is_none());
    let writing = async {
        sleep(Duration::from_millis(5)).await;
        rustix::io::write(&entry, b"ping").unwrap();
    };
    let (done, ()) = tokio::join!(transfer.run_async(&exit, &to), writing);
    assert_eq!(done.unwrap().bytes, 4);
    let mut got = [0; 4];
    receiver.read_exact(&mut got).await.unwrap();
    // The socket is full: the pipe fills up behind it.
    let bytes = pattern(1 << 20, 1);
    let mut filling = 0;
    while let Ok(count) = to.try_write(&bytes) {
        filling += count;
    }
    rustix::io::write(&entry, b"pong").unwrap();
    let mut transfer = splice(4);
    let early = timeout(Duration::from_millis(20), transfer.run_async(&exit, &to)).await;
    assert!(early.is_err() && transfer.done() == 0);
    let reading = async {
        let mut got = vec![0; filling + 4];
        receiver.read_exact(&mut got).await.unwrap();
        assert!(got.ends_with(b"pong"));
    };
    let (done, ()) = tokio::join!(transfer.run_async(&exit, &to), reading);
    assert_eq!(done.unwrap().bytes, 4);
}

#[tokio::test]
async fn files_and_pieces_wait_for_the_socket() {
    let bytes = pattern(4_000_000, 1);
    let (to, receiver) = connection().await;
    let reading = tokio::spawn(async move {
        sleep(Duration::from_millis(10)).await;
        read_all(receiver).await
    });
    let parts: Vec<&[u8]> = bytes.chunks(777).collect();
    let mut pieces = write_all_vectored(parts.iter().copied());
    while timeout(Duration::from_micros(500), pieces.run_async(&to)).await.is_err() {}
    assert_eq!(pieces.done(), bytes.len() as u64);
    send_file(5, 3_000_000).run_async(&file_of(&bytes), &to).await.unwrap();
    let short = send_file(0, 5_000_000).run_async(&file_of(&bytes), &to).await.unwrap_err();
    assert_eq!((short.done(), short.error().kind()), (4_000_000, ErrorKind::UnexpectedEof));
    drop(to);
    let got = reading.await.unwrap();
    assert!(got == [&bytes[..], &bytes[5..3_000_005], &bytes].concat());
}

#[tokio::test]
async fn tee_waits_for_bytes_and_for_room() {
    let ((exit, entry), (second, into)) = (pipe(), pipe());
    let teeing = async {
        let first = tee_async(&exit, &into, 100).await.unwrap();
        while tee_async(&exit, &into, 100).await.unwrap() > 0 {
            // The first bytes again, until there is no room.
            if once(tee_async(&exit, &into, 100)).await.is_none() {
                break;
            }
        }
        first
    };
    let writing = async {
        sleep(Duration::from_millis(5)).await;
        rustix::io::write(&entry, b"ping").unwrap();
    };
    let (first, ()) = tokio::join!(teeing, writing);
    assert_eq!(first, 4);
    let reading = async {
        sleep(Duration::from_millis(5)).await;
        rustix::io::read(&second, &mut [0_u8; 4096][..]).unwrap()
    };
    let (more, read) = tokio::join!(tee_async(&exit, &into, 2), reading);
    assert_eq!((more.unwrap(), read % 4), (2, 0));
    drop(entry);
    rustix::io::read(&exit, &mut [0_u8; 4]).unwrap();
    assert_eq!(tee_async(&exit, &into, 2).await.unwrap(), 0);
}

/// A relay for which there is always something to do lets others have their turn.
#[tokio::test]
async fn a_busy_relay_gives_others_their_turn() {
    let bytes = pattern(30_000_000, 1);
    let sink = fs::OpenOptions::new().write(true).open("/dev/null").unwrap();
    let turns = std::cell::Cell::new(0_u32);
    let busy = async {
        let mut transfer = Transfer::by(Method::ThroughBlock, None);
        let done = transfer.run_async(&file_of(&bytes), &sink).await.unwrap();
        (done.bytes, turns.get())
    };
    let other = async {
        loop {
            turns.set(turns.get() + 1);
            tokio::task::yield_now().await;
        }
    };
    let (done, turns) = tokio::select! { done = busy => done, () = other => unreachable!() };
    assert_eq!(done, 30_000_000);
    assert!(turns > 2, "{turns} turns");
}

#[tokio::test]
async fn a_peer_that_resets_is_an_error_for_its_relay_only() {
    let ((client, inner), (outer, server)) = (connection().await, connection().await);
    // Unread bytes at its end turn a close into a reset.
    inner.try_write(b"unread").unwrap();
    client.readable().await.unwrap();
    drop(client);
    let error = relay().run_async(&inner, &outer).await.unwrap_err();
    assert_eq!(error.error().kind(), ErrorKind::ConnectionReset);
    drop((outer, server));
    let (from, (to, receiver)) = (source(Kind::Unix, b"others"), connection().await);
    relay().run_async(&registered(from), &to).await.unwrap();
    drop(to);
    assert_eq!(read_all(receiver).await, b"others");
}
