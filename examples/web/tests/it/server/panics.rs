//! Users' code that panics, at every one of its calls: its client gets a 500 or is cut off, the others go on.

use super::{GET, HELLO, HELLO_LEN, MODES, Served, answer, hello};
use aqueduct::{Pool, Slice};
use aqueduct_testkit::{Countdown, Tracked, for_every_k};
use std::{
    io::{self, Read, Write},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};
use tokio::net::TcpStream;
use web::{App, Handover, Hook, Nothing, Options, Reply, Request, Service};

const LEN: usize = 3_000;

struct Ticking(Countdown, Arc<[AtomicUsize; 2]>);

impl Hook for Ticking {
    fn before(&self, _: &Request<'_>, _: &mut Reply<'_>) -> bool {
        self.1[0].fetch_add(1, Ordering::Relaxed);
        self.0.tick();
        true
    }

    fn after(&self, _: &Request<'_>, _: u16, _: Duration) {
        self.1[1].fetch_add(1, Ordering::Relaxed);
        self.0.tick();
    }
}

struct Body(Slice, Countdown, #[allow(dead_code, reason = "dropped")] Tracked);

impl Handover for Body {
    fn poll_send(
        &mut self,
        context: &mut Context<'_>,
        socket: &TcpStream,
    ) -> Poll<io::Result<u64>> {
        self.1.tick();
        loop {
            ready!(socket.poll_write_ready(context))?;
            match socket.try_write(&self.0[..self.0.len().min(2_000)]) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                sent => {
                    let sent = sent?;
                    self.0.advance(sent);
                    self.1.tick();
                    return Poll::Ready(Ok(sent as u64));
                }
            }
        }
    }
}

/// A service every call of which may panic, with two hooks around it.
fn service(countdown: &Countdown, hooks: &Arc<[AtomicUsize; 2]>) -> impl Service {
    let owned = |countdown: &Countdown| Slice::from_owner(countdown.value(vec![b'o'; LEN]));
    let mut app = App::new("Panics")
        .hook(Ticking(countdown.clone(), Arc::clone(hooks)))
        .hook(Ticking(countdown.clone(), Arc::clone(hooks)));
    let own = countdown.clone();
    app.get::<Nothing>("/slice", move |_, reply| {
        own.tick();
        reply.header("x", "y").slice(owned(&own));
        own.tick();
    })
    .unwrap();
    let own = countdown.clone();
    app.get::<Nothing>("/json", move |_, reply| {
        reply.json(|out| {
            own.tick();
            out.write_all(&[b'1'; LEN])?;
            own.tick();
            Ok(())
        });
    })
    .unwrap();
    let own = countdown.clone();
    app.get::<Nothing>("/stream", move |_, reply| {
        let (each, held) = (own.clone(), own.value(Vec::new()));
        reply.stream((0..4).map(move |_| {
            let _held = &held;
            each.tick();
            owned(&each)
        }));
        own.tick();
    })
    .unwrap();
    let own = countdown.clone();
    app.get::<Nothing>("/hand", move |_, reply| {
        let body = Body(owned(&own), own.clone(), own.value(Vec::new()));
        reply.hand_over(LEN as u64, body);
        own.tick();
    })
    .unwrap();
    let app = app.finish();
    move |request: &Request<'_>, reply: &mut Reply<'_>| match request.path {
        "/" => hello(request, reply),
        _ => app.call(request, reply),
    }
}

/// All that comes, up to the end or the reset.
fn told(served: &Served, path: &str) -> Vec<u8> {
    let mut socket = served.connect();
    let line = format!("GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    socket.write_all(line.as_bytes()).unwrap();
    let mut told = Vec::new();
    if let Err(error) = socket.read_to_end(&mut told) {
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    }
    crate::http::machine::undated(told)
}

#[test]
fn t15_users_code_that_panics_costs_its_client_alone() {
    const PATHS: [&str; 4] = ["/slice", "/json", "/stream", "/hand"];
    const FAILED: &[u8] = b"HTTP/1.1 500 ";
    for mode in MODES {
        let options = || Options { mode, pool: Pool::new(), ..Options::default() };
        let never = service(&Countdown::new(-1), &Arc::default());
        let never = Served::with(never, options());
        let usual = PATHS.map(|path| told(&never, path));
        let calls = for_every_k(|countdown| {
            let hooks = Arc::<[AtomicUsize; 2]>::default();
            let served = Served::with(service(countdown, &hooks), options());
            let mut other = served.connect();
            let mut cut_off = 0;
            for (path, usual) in PATHS.iter().zip(&usual) {
                let told = told(&served, path);
                cut_off += usize::from(told != *usual);
                let whole = told.starts_with(FAILED) && told.ends_with(b"Internal Server Error");
                let is_part = usual.starts_with(&told) && told.len() < usual.len();
                assert!(told == *usual || whole || is_part, "{path}: {}", told.escape_ascii());
                other.write_all(GET).unwrap();
                assert_eq!(answer(&mut other, HELLO_LEN), HELLO);
            }
            assert!(cut_off <= 1, "{cut_off} were cut off");
            drop((other, served));
            let [before, after] = hooks.each_ref().map(|count| count.load(Ordering::Relaxed));
            assert_eq!(before, after, "each hook is told how it ended");
            let since = Instant::now();
            while countdown.made_and_dropped().0 != countdown.made_and_dropped().1 {
                assert!(since.elapsed() < Duration::from_secs(10), "something is kept");
            }
        });
        assert!(calls > 40, "{mode:?}: {calls}");
    }
}
