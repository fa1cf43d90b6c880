//! Real sockets.

use super::{Woken, pooled, run};
use aqueduct_pipe::{Read, pipe};
use aqueduct_testkit::{pattern, scale};
use std::{
    future::Future,
    io::Write,
    pin::pin,
    sync::Arc,
    task::{Context, Waker},
    time::{Duration, Instant},
};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream, UnixStream},
};

#[test]
fn megabytes_through_tcp() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (client, server) = tokio::join!(TcpStream::connect(address), listener.accept());
        let (mut client, (mut server, _)) = (client.unwrap(), server.unwrap());
        let all = pattern(3_000_000, 1);
        let (options, pool) = pooled();
        let (mut up, mut up_end) = pipe(options.clone().pause(30_000).build().unwrap());
        let (mut down, mut down_end) = pipe(options.pause(30_000).build().unwrap());
        let send = async {
            for part in all.chunks(10_000) {
                up.push(part.to_vec()).unwrap();
                assert_eq!(up.flush().await.unwrap(), aqueduct_pipe::Flush::Done);
            }
            up.finish();
        };
        let through = async {
            while up_end.drain_to(&mut client).await.unwrap() > 0 {}
            client.shutdown().await.unwrap();
        };
        let receive = async {
            while down.fill_from(&mut server).await.unwrap() > 0 {}
            down.finish();
        };
        let check = async {
            let mut got = Vec::new();
            while down_end.drain_to(&mut got).await.unwrap() > 0 {}
            got
        };
        let ((), (), (), got) = tokio::join!(send, through, receive, check);
        assert!(got == all);
        drop((up_end, down_end));
        assert_eq!(pool.outstanding(), 0);
    });
}

#[test]
fn an_idle_socket_holds_no_block() {
    run(async {
        let (mut near, mut far) = UnixStream::pair().unwrap();
        let (options, pool) = pooled();
        let (mut writer, mut reader) = pipe(options.build().unwrap());
        for round in 0..3 {
            {
                let waker = Waker::from(Arc::new(Woken::default()));
                let mut fill = pin!(writer.fill_from(&mut near));
                assert!(fill.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
            }
            super::waits(reader.read());
            assert_eq!(pool.outstanding(), 0, "round {round}");
            far.write_all(b"wake up").await.unwrap();
            assert_eq!(writer.fill_from(&mut near).await.unwrap(), 7);
            assert_eq!(super::take_all(&mut reader), b"wake up");
        }
    });
}

/// Filling on one thread, reading on another: bytes are all there, and after each burst of messages
/// both let go of their blocks, whoever was last.
#[test]
fn two_threads_let_go_after_every_burst() {
    let (mut far, near) = std::os::unix::net::UnixStream::pair().unwrap();
    near.set_nonblocking(true).unwrap();
    let (options, pool) = pooled();
    let (mut writer, mut reader) = pipe(options.pause(600).build().unwrap());
    let filling = std::thread::spawn(move || {
        run(async {
            let mut near = UnixStream::from_std(near).unwrap();
            while writer.fill_from(&mut near).await.unwrap() > 0 {}
            writer.finish();
        });
    });
    let rounds = scale(300);
    let bytes = Arc::new(pattern(rounds * 1000, 1));
    let wanted = bytes.clone();
    let (told, arrived) = std::sync::mpsc::channel();
    let reading = std::thread::spawn(move || {
        let mut total = 0;
        loop {
            let (view, last) = match reader.read_blocking().unwrap() {
                Read::Eof(view) => (view, true),
                read => (read.into_view(), false),
            };
            let len = view.len();
            assert!(view.seq() == wanted[total..total + len]);
            view.consume(len);
            total += len;
            told.send(total).unwrap();
            if last {
                return;
            }
        }
    });
    let (mut sent, mut got) = (0, 0);
    for round in 0..rounds {
        for message in 0..=round % 4 {
            let len = 1 + (round * 7 + message * 131) % 240;
            far.write_all(&bytes[sent..sent + len]).unwrap();
            sent += len;
        }
        while got < sent {
            got = arrived.recv().unwrap();
        }
        let start = Instant::now();
        while pool.outstanding() > 0 {
            assert!(start.elapsed() < Duration::from_secs(10), "held after round {round}");
            std::thread::yield_now();
        }
    }
    drop(far);
    filling.join().unwrap();
    reading.join().unwrap();
}
