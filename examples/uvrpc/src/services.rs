//! [`Services`]: who answers, and the four that the program has.

use crate::{Payload, Reply};
use std::{
    borrow::Cow,
    collections::{HashMap, hash_map::Entry},
    error::Error,
    fmt,
    future::Future,
    pin::Pin,
    time::Duration,
};

/// A call as a handler gets it.
#[derive(Clone, Debug)]
pub struct Call<'a> {
    /// What is called for.
    pub method: &'a str,
    /// The data, where it was received; none for nil, which is not the same as empty.
    pub data: Option<Payload>,
}

/// A reply, now or later.
pub enum Answer {
    /// At once.
    Now(Reply),
    /// When this is done. The connection goes on meanwhile; if it ends, this is dropped.
    Later(Pin<Box<dyn Future<Output = Reply> + Send>>),
}

impl Answer {
    /// A reply that comes later.
    pub fn later(reply: impl Future<Output = Reply> + Send + 'static) -> Self {
        Self::Later(Box::pin(reply))
    }
}

impl From<Reply> for Answer {
    fn from(reply: Reply) -> Self {
        Self::Now(reply)
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Now(reply) => reply.fmt(f),
            Self::Later(_) => f.write_str("Later"),
        }
    }
}

type Handler = Box<dyn Fn(Call<'_>) -> Answer + Send + Sync>;

/// The services of a server, by name.
#[derive(Default)]
pub struct Services {
    handlers: HashMap<Cow<'static, str>, Handler>,
}

/// A service of this name is registered already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duplicate(String);

impl fmt::Display for Duplicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the service {:?} is registered already", self.0)
    }
}

impl Error for Duplicate {}

impl Services {
    /// None.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// `echo` returns its data, `len` says how many bytes that is (u64, little-endian), `fail` has status
    /// 7 and passes its data through, and `slow` sleeps for as many milliseconds as its data says in
    /// ASCII, and returns it.
    #[must_use]
    pub fn demo() -> Self {
        let mut services = Self::new();
        let added = [
            services.register("echo", |call: Call<'_>| Reply::ok(call.data)),
            services.register("len", |call: Call<'_>| {
                let len = call.data.map_or(0, |data| data.len()) as u64;
                Reply::ok(Payload::from(Vec::from(len.to_le_bytes())))
            }),
            services.register("fail", |call: Call<'_>| Reply {
                status: 7,
                error: None,
                data: call.data,
            }),
            services.register("slow", slow),
        ];
        debug_assert!(added.iter().all(Result::is_ok), "the names differ");
        services
    }

    /// Has `handler` called for this service, on the connection's own task: one that waits for something
    /// answers [later](Answer::Later).
    ///
    /// # Errors
    ///
    /// [`Duplicate`], if the name is taken.
    pub fn register<A: Into<Answer>>(
        &mut self,
        name: impl Into<Cow<'static, str>>,
        handler: impl Fn(Call<'_>) -> A + Send + Sync + 'static,
    ) -> Result<(), Duplicate> {
        match self.handlers.entry(name.into()) {
            Entry::Occupied(taken) => Err(Duplicate(taken.key().to_string())),
            Entry::Vacant(free) => {
                free.insert(Box::new(move |call| handler(call).into()));
                Ok(())
            }
        }
    }

    /// The answer of a service, if there is one of that name.
    pub(crate) fn get(&self, name: &str) -> Option<&Handler> {
        self.handlers.get(name)
    }
}

impl fmt::Debug for Services {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.handlers.keys()).finish()
    }
}

fn slow(call: Call<'_>) -> Answer {
    let data = call.data.unwrap_or_default();
    let text = data.to_slice();
    let said = std::str::from_utf8(&text).ok().and_then(|text| text.parse().ok());
    let Some(millis) = said.map(Duration::from_millis) else {
        return Reply::error(Reply::INVALID, "Not a number of milliseconds").into();
    };
    Answer::later(async move {
        tokio::time::sleep(millis).await;
        Reply::ok(data)
    })
}
