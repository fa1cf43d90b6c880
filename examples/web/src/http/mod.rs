//! HTTP/1.1 between two pipes, without sockets.

mod chunked;
mod conversation;
mod copies;
mod date;
mod handover;
mod head;
mod lines;
mod reply;
mod request;
mod status;
mod stream;

pub use conversation::{Conversation, Next, Wait};
pub use handover::{HandedOver, Handover};
pub use reply::{BodyWriter, Reply};
pub use request::{Body, Fields, Headers, Request};

/// Bytes of the largest head, and of the trailers of a body in chunks.
pub(crate) const LARGEST_HEAD: usize = 16 << 10;

/// What answers requests. Called on the connection's task, so it must not wait.
pub trait Service: Send + Sync + 'static {
    /// Answers `request` into `reply`. A panic, or no answer, is a 500.
    fn call(&self, request: &Request<'_>, reply: &mut Reply<'_>);
}

impl<F> Service for F
where
    F: Fn(&Request<'_>, &mut Reply<'_>) + Send + Sync + 'static,
{
    fn call(&self, request: &Request<'_>, reply: &mut Reply<'_>) {
        self(request, reply);
    }
}
