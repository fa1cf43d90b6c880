//! hyper and axum, the other way: what a client sent lies where it was read.

use crate::{lies_in, numbered};
use aqueduct::{Sequence, Slice, meter};
use axum::body::Body;
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use std::{
    cell::RefCell,
    convert::Infallible,
    io, mem,
    pin::Pin,
    ptr,
    task::{Context, Poll},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A client that sends a request, at most so much with each read, and notes where it is put.
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

/// For axum: what a client sent arrives as `Bytes`, and becomes a sequence on the same memory.
#[tokio::test]
async fn a_request_of_axum_becomes_a_sequence() -> Result<(), axum::Error> {
    let received = Bytes::from(vec![7; 5000]);
    let (address, len) = (received.as_ptr(), received.len());
    let mut body = Body::from(received);
    let before = meter::thread();
    let mut request = Sequence::new();
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame?.into_data() {
            request.push(Slice::from(data));
        }
    }
    assert_eq!((meter::thread() - before).bytes, 0);
    assert_eq!((request.as_ref().first().as_ptr(), request.len()), (address, len));
    assert!(lies_in(request.slice(100..200).as_ref().first(), request.as_ref().first()));
    Ok(())
}
