//! hyper and axum: an answer's body goes out of the memory in which it lies.

use crate::{allocated, numbered};
use aqueduct::{Sequence, Slice, meter};
use axum::{Router, body::Body, routing::get};
use hyper::{
    Response,
    body::Body as _,
    rt::{Read, ReadBufCursor, Write},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::service::TowerToHyperService;
use std::{
    convert::Infallible,
    io::{self, IoSlice},
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n";

/// A connection that asks once, and notes what it is given and where that lies.
#[derive(Default)]
struct Wire {
    asked: bool,
    /// The most bytes that one write takes.
    most: usize,
    /// For each write the address and the bytes of every piece of which it took some.
    writes: Vec<Vec<(usize, Vec<u8>)>>,
}

impl Read for &mut Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        mut to: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        if self.asked {
            return Poll::Pending;
        }
        self.asked = true;
        to.put_slice(REQUEST);
        Poll::Ready(Ok(()))
    }
}

impl Write for &mut Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(context, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let (mut left, mut taken) = (self.most, Vec::new());
        for piece in pieces {
            let part = &piece[..piece.len().min(left)];
            left -= part.len();
            if !part.is_empty() {
                taken.push((part.as_ptr().addr(), part.to_vec()));
            }
        }
        self.writes.push(taken);
        Poll::Ready(Ok(self.most - left))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl Wire {
    fn taking(most: usize) -> Self {
        Self { most, ..Self::default() }
    }

    /// Splits what was sent into the head and the pieces of the body, with their addresses.
    fn sent(self) -> (String, Vec<(usize, Vec<u8>)>) {
        let (mut head, mut pieces) = (Vec::new(), Vec::new());
        for (address, bytes) in self.writes.into_iter().flatten() {
            if head.ends_with(b"\r\n\r\n") {
                pieces.push((address, bytes));
            } else {
                head.extend(bytes);
            }
        }
        (String::from_utf8(head).unwrap(), pieces)
    }
}

/// A body of several segments, none of them short.
fn page() -> (Vec<Slice>, Sequence) {
    let segments = [100, 4096, 30, 70_000].map(numbered).to_vec();
    let page = segments.iter().cloned().collect();
    (segments, page)
}

/// Every piece lies in a segment, one after the other, and there is nothing else.
fn check(pieces: &[(usize, Vec<u8>)], segments: &[Slice]) {
    let mut pieces = pieces.iter();
    for segment in segments {
        let mut at = 0;
        while at < segment.len() {
            let (address, bytes) = pieces.next().expect("as many bytes as there are");
            assert_eq!(*address, segment[at..].as_ptr().addr(), "{at} of {}", segment.len());
            assert_eq!(bytes[..], segment[at..at + bytes.len()]);
            at += bytes.len();
        }
    }
    assert!(pieces.next().is_none());
}

#[tokio::test]
async fn hyper_writes_a_sequence_from_where_it_lies() {
    let (segments, page) = page();
    let mut wire = Wire::taking(usize::MAX);
    let before = meter::thread();
    let answer = service_fn(async |_| {
        let page: Sequence = page.clone(); // one count, however many segments
        Ok::<_, Infallible>(Response::new(page))
    });
    http1::Builder::new().serve_connection(&mut wire, answer).await.unwrap();
    assert_eq!((meter::thread() - before).bytes, 0);

    // The head and all segments in one call.
    assert_eq!(wire.writes.len(), 1);
    assert_eq!(wire.writes[0].len(), 1 + segments.len());
    let (head, pieces) = wire.sent();
    assert!(head.contains(&format!("content-length: {}\r\n", page.len())), "{head}");
    check(&pieces, &segments);
}

/// hyper holds sixteen frames at most before it writes.
#[tokio::test]
async fn hyper_writes_sixteen_segments_at_a_time() {
    let segments = vec![numbered(100); 40];
    let page = Sequence::from_iter(segments.iter().map(|segment| segment.detach()));
    let mut wire = Wire::taking(usize::MAX);
    let answer = service_fn(async |_| Ok::<_, Infallible>(Response::new(page.clone())));
    http1::Builder::new().serve_connection(&mut wire, answer).await.unwrap();
    let pieces: Vec<usize> = wire.writes.iter().map(Vec::len).collect();
    assert_eq!(pieces, [17, 16, 8]);
    assert_eq!(wire.sent().1.len(), 40);
}

#[tokio::test]
async fn hyper_goes_on_within_a_segment_where_a_write_was_short() {
    let (segments, page) = page();
    for most in [1000, 4099] {
        let mut wire = Wire::taking(most);
        let answer = service_fn(async |_| Ok::<_, Infallible>(Response::new(page.clone())));
        http1::Builder::new().serve_connection(&mut wire, answer).await.unwrap();
        assert!(wire.writes.len() > page.len() / most);
        check(&wire.sent().1, &segments);
    }
}

/// What `Bytes` has on a segment's memory is the only thing that is allocated.
#[test]
fn a_segment_as_a_frame_is_one_small_allocation() {
    let (segments, page) = page();
    let mut body = pin!(page);
    let mut context = Context::from_waker(Waker::noop());
    for segment in &segments {
        let (frame, used) = allocated(|| body.as_mut().poll_frame(&mut context));
        let Poll::Ready(Some(Ok(frame))) = frame else { panic!("a frame for each segment") };
        assert_eq!(frame.data_ref().unwrap().as_ptr(), segment.as_ptr());
        assert_eq!(used.allocations, 1);
        assert!(used.bytes <= 64, "{} bytes", used.bytes);
    }
}

/// Short segments are moved into the frame, and go out from there.
#[tokio::test]
async fn hyper_moves_short_segments() {
    let short = Sequence::from_iter([&b"short"[..], b"as can be"].map(Slice::copy_from_slice));
    let mut wire = Wire::taking(usize::MAX);
    let answer = service_fn(async |_| Ok::<_, Infallible>(Response::new(short.clone())));
    http1::Builder::new().serve_connection(&mut wire, answer).await.unwrap();
    let sent: Vec<u8> = wire.sent().1.into_iter().flat_map(|(_, bytes)| bytes).collect();
    assert_eq!(sent, b"shortas can be");
}

#[tokio::test]
async fn axum_writes_a_sequence_from_where_it_lies() {
    let (segments, page) = page();
    let length = page.len();
    let router = Router::new().route("/", get(async move || Body::new(page.clone())));
    let mut wire = Wire::taking(usize::MAX);
    let before = meter::thread();
    http1::Builder::new()
        .serve_connection(&mut wire, TowerToHyperService::new(router))
        .await
        .unwrap();
    assert_eq!((meter::thread() - before).bytes, 0);
    assert_eq!(wire.writes.len(), 1);
    let (head, pieces) = wire.sent();
    assert!(head.contains(&format!("content-length: {length}\r\n")), "{head}");
    check(&pieces, &segments);
}

#[tokio::test]
async fn axum_serves_a_sequence_over_a_socket() {
    let (segments, page) = page();
    let router = Router::new().route("/", get(async move || Body::new(page.clone())));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move { axum::serve(listener, router).await });

    let before = meter::thread();
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(REQUEST).await.unwrap();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).await.unwrap();
    assert_eq!((meter::thread() - before).bytes, 0);
    server.abort();

    let at = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n"));
    assert!(answer[at..] == segments.concat());
}
