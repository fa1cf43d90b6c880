//! hyper and axum: an answer's body goes out of the memory in which it lies.

use crate::{allocated, lies_in, numbered};
use aqueduct::{Sequence, Slice, meter};
use axum::{Router, body::Body, routing::get};
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::{
    Request, Response,
    body::{Body as _, Incoming},
    rt::{Read, ReadBufCursor, Write},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use std::{
    cell::RefCell,
    convert::Infallible,
    io::{self, IoSlice},
    mem,
    pin::{Pin, pin},
    ptr,
    task::{Context, Poll, Waker},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf},
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

/// The other way: a client that sends a request, at most so much with each read, and notes where it is put.
struct Client {
    request: Vec<u8>,
    most: usize,
    /// Of each byte that was read its address in the reader's memory.
    places: Vec<usize>,
}

impl AsyncRead for Client {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        to: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let count = self.request.len().min(to.remaining()).min(self.most);
        let left = self.request.split_off(count);
        let part = mem::replace(&mut self.request, left);
        if part.is_empty() {
            return Poll::Pending;
        }
        let first = to.initialize_unfilled().as_ptr().addr();
        self.places.extend(first..first + part.len());
        to.put_slice(&part);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Client {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        answer: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(answer.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// From the wire into a sequence: it lies where hyper's reader put it.
#[tokio::test]
async fn a_body_that_hyper_received_lies_where_it_was_read() {
    let body = numbered(70_000);
    let head =
        b"POST / HTTP/1.1\r\nhost: here\r\nconnection: close\r\ncontent-length: 70000\r\n\r\n";
    for most in [1000, 4099, usize::MAX] {
        let request = [head, &body[..]].concat();
        let mut client = Client { request, most, places: Vec::new() };
        let received = RefCell::new(Sequence::new());
        let before = meter::thread();
        let answer = service_fn(async |request: Request<Incoming>| {
            let mut body = request.into_body();
            let mut whole = Sequence::new();
            while let Some(frame) = body.frame().await {
                whole.push(Slice::from(frame.unwrap().into_data().unwrap()));
            }
            received.replace(whole);
            Ok::<_, Infallible>(Response::new(Sequence::new()))
        });
        let wire = TokioIo::new(&mut client);
        http1::Builder::new().serve_connection(wire, answer).await.unwrap();
        assert_eq!((meter::thread() - before).bytes, 0);

        let received = received.into_inner();
        assert_eq!(received, body);
        let mut places = &client.places[head.len()..];
        for segment in received.as_ref().segments() {
            let (first, rest) = places.split_at(segment.len());
            assert!(
                first.iter().copied().eq(segment.iter().map(|byte| ptr::from_ref(byte).addr()))
            );
            places = rest;
        }
        assert!(places.is_empty());
    }
}

/// The other way for axum: what a client sent arrives as `Bytes`, and becomes a sequence on the same memory.
#[tokio::test]
async fn a_request_of_axum_becomes_a_sequence() {
    let received = Bytes::from(vec![7; 5000]);
    let (address, len) = (received.as_ptr(), received.len());
    let mut body = Body::from(received);
    let before = meter::thread();
    let mut request = Sequence::new();
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame.unwrap().into_data() {
            request.push(Slice::from(data));
        }
    }
    assert_eq!((meter::thread() - before).bytes, 0);
    assert_eq!((request.as_ref().first().as_ptr(), request.len()), (address, len));
    assert!(lies_in(request.slice(100..200).as_ref().first(), request.as_ref().first()));
}
