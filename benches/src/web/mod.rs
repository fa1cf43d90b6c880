//! The web framework beside its peers: each server on a thread of its own, asked in turn by one load.
//!
//! What a request costs is the CPU time of the server's thread. How long it takes is seen by the
//! load, which keeps [`CONNECTIONS`] requests on their way.

pub mod copies;
pub mod fastapi;
pub mod load;
pub mod peers;
pub mod user;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use ::web::{Options, demo::demo, serve};
use hdrhistogram::Histogram;

use crate::clock::{cpu_of, latencies};
use crate::measure::{Effort, Measured, OURS, Rounds, turn};
use crate::ports::Mode;
use crate::running::{Running, Stopped};
use crate::stats::median;
use crate::target::{Bound, Target};
use fastapi::FastApi;
use load::{Exchange, Load};

/// Starts our server with the demonstration application.
///
/// # Errors
///
/// When there is no port or no thread.
pub fn ours(mode: Mode) -> io::Result<Running> {
    let mode = match mode {
        Mode::Copying => ::web::Mode::Copying,
        Mode::ZeroCopy => ::web::Mode::ZeroCopy,
    };
    Running::start(async move |listener, stopped: Stopped| {
        let service = Arc::new(demo(mode).map_err(io::Error::other)?.finish());
        // Whether it is told or the sender is gone.
        let stop = async { drop(stopped.await) };
        serve(listener, service, Options { mode, ..Options::default() }, stop).await
    })
}

/// Connections of a load.
pub const CONNECTIONS: usize = 32;

/// The key of FastAPI under uvicorn.
pub const FASTAPI: &str = "fastapi";

/// Rounds in which every server has its turn.
const ROUNDS: usize = 31;

/// FastAPI is asked so many times less: it takes that much longer.
const FEWER: u64 = 8;

/// A row: a request, and the name that its figures have in the report.
#[derive(Debug)]
pub struct Route {
    /// The id of what it costs; `.p50` and `.p99` follow it for how long it takes.
    pub id: &'static str,
    /// What is asked and answered.
    pub exchange: Exchange,
}

/// The rows.
pub const ROUTES: [Route; 3] = [
    Route {
        id: "web.get",
        exchange: Exchange {
            request: "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
            status: "HTTP/1.1 200",
            body: r#"{"message":"Hello, World"}"#,
        },
    },
    Route {
        id: "web.path",
        exchange: Exchange {
            request: "GET /users/7 HTTP/1.1\r\nHost: localhost\r\n\r\n",
            status: "HTTP/1.1 200",
            body: r#"{"user_id":7,"name":"User 7"}"#,
        },
    },
    Route {
        id: "web.post",
        exchange: Exchange {
            request: concat!(
                "POST /users HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n",
                "Content-Length: 192\r\n\r\n",
                r#"{"name":"Ada Lovelace","email":"ada@example.com","age":36,"#,
                r#""website":"https://example.com/ada","address":{"street":"12 St James Square","#,
                r#""city":"London","zip":"10115"},"tags":["math","engines"]}"#,
            ),
            status: "HTTP/1.1 201",
            body: concat!(
                r#"{"name":"Ada Lovelace","email":"ada@example.com","age":36,"active":true,"#,
                r#""website":"https://example.com/ada","address":{"street":"12 St James Square","#,
                r#""city":"London","zip":"10115","country":"DE"},"tags":["math","engines"]}"#,
            ),
        },
    },
];

/// The requests of all rows, for loads that send them in turn.
#[must_use]
pub fn exchanges() -> [Exchange; 3] {
    ROUTES.map(|route| route.exchange)
}

/// What is known of each round, all in microseconds.
const FIGURES: [(&str, &[Bound]); 3] =
    [("", &[Bound::Faster(1.0, "axum")]), (".p50", &[]), (".p99", &[])];

/// What was found.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Three rows for each route.
    pub rows: Vec<Measured>,
    /// What else is to be said of them, line by line.
    pub notes: Vec<String>,
    /// The most memory that FastAPI held.
    pub fastapi_peak_rss: Option<u64>,
}

enum Server {
    Thread(Running),
    Process(FastApi),
}

struct Entrant {
    key: &'static str,
    note: &'static str,
    server: Server,
}

/// How many rounds this takes.
#[must_use]
pub fn rounds(wanted: impl Fn(&str) -> bool) -> usize {
    ROUNDS * chosen(wanted).count()
}

/// Measures the routes of which a row is wanted; `tick` is called after every round with its row.
///
/// # Errors
///
/// The system's; and those of the load, where a server gives another answer than FastAPI would.
pub fn measure(
    wanted: impl Fn(&str) -> bool,
    effort: Effort,
    mut tick: impl FnMut(&'static str),
) -> io::Result<Outcome> {
    let mut outcome = Outcome::default();
    if chosen(&wanted).count() == 0 {
        return Ok(outcome);
    }
    let entrants = entrants(&mut outcome.notes)?;
    let mut own_costs = Vec::new();
    for route in chosen(&wanted) {
        let rows = route_rows(&route, &entrants, effort, &mut own_costs, || tick(route.id))?;
        outcome.rows.extend(rows.into_iter().filter(|row| wanted(&row.id)));
    }
    let own = median(own_costs);
    outcome.notes.push(format!("web: the load itself took {own:.2} us of CPU per request"));
    outcome.fastapi_peak_rss = entrants.iter().find_map(|entrant| match &entrant.server {
        Server::Process(fastapi) => Some(fastapi.peak_rss()),
        Server::Thread(_) => None,
    });
    Ok(outcome)
}

/// CPU microseconds per request of our server when it answers `volumes` requests, one after the other.
///
/// # Errors
///
/// The system's; and those of the load.
pub fn by_volume(server: &Running, volumes: &[u64]) -> io::Result<Vec<f64>> {
    let mut load = Load::connect(server.address(), CONNECTIONS, &exchanges())?;
    let mut latencies = latencies();
    load.run(volumes[0], &mut latencies)?;
    let mut costs = Vec::new();
    for &volume in volumes {
        let before = server.cpu_ns()?;
        load.run(volume, &mut latencies)?;
        costs.push(per_request(server.cpu_ns()? - before, volume));
    }
    Ok(costs)
}

fn chosen(wanted: impl Fn(&str) -> bool) -> impl Iterator<Item = Route> {
    let wanted = move |id: &str| FIGURES.iter().any(|(figure, _)| wanted(&format!("{id}{figure}")));
    ROUTES.into_iter().filter(move |route| wanted(route.id))
}

/// Everybody who can be started here; who cannot is named in `notes`.
fn entrants(notes: &mut Vec<String>) -> io::Result<Vec<Entrant>> {
    let entrant = |key, note, server| Entrant { key, note, server: Server::Thread(server) };
    let mut entrants = vec![
        entrant(OURS, "", ours(Mode::ZeroCopy)?),
        entrant("copying", "ours, with the document's copies", ours(Mode::Copying)?),
        entrant("axum", "Json of owned text, checked by hand", peers::axum()?),
        entrant("hyper", "no router; borrowed text, checked by hand", peers::hyper()?),
    ];
    match FastApi::start() {
        Ok(fastapi) => entrants.push(Entrant {
            key: FASTAPI,
            note: "uvicorn with uvloop and httptools, one worker",
            server: Server::Process(fastapi),
        }),
        Err(why) => notes.push(format!("web: FastAPI is skipped: {why}")),
    }
    Ok(entrants)
}

/// The rounds of one route. What the load took of CPU itself, in microseconds per request, goes into
/// `own_costs`.
fn route_rows(
    route: &Route,
    entrants: &[Entrant],
    effort: Effort,
    own_costs: &mut Vec<f64>,
    mut tick: impl FnMut(),
) -> io::Result<[Measured; 3]> {
    let mut latencies = latencies();
    let mut loads = Vec::new();
    for entrant in entrants {
        let exchanges = [route.exchange];
        let mut load = Load::connect(entrant.server.address(), CONNECTIONS, &exchanges)?;
        load.run(2 * entrant.requests(effort), &mut latencies)?;
        loads.push(load);
    }
    let mut samples = vec![Vec::with_capacity(ROUNDS); entrants.len()];
    for round in 0..ROUNDS {
        for place in 0..entrants.len() {
            let i = turn(round, place, entrants.len());
            let requests = entrants[i].requests(effort);
            let (sample, own) =
                sample(&entrants[i].server, &mut loads[i], requests, &mut latencies)?;
            samples[i].push(sample);
            own_costs.push(own);
        }
        tick();
    }
    let rounds_of = |figure: usize| {
        let each = entrants.iter().zip(&samples);
        each.map(move |(entrant, samples)| Rounds {
            key: entrant.key,
            note: entrant.note,
            ns: samples.iter().map(|sample: &[f64; 3]| sample[figure]).collect(),
        })
    };
    Ok([0, 1, 2].map(|figure| {
        let (name, target) = FIGURES[figure];
        Measured {
            id: format!("{}{name}", route.id),
            target: Target(target),
            floor: "",
            unit: "us",
            subjects: rounds_of(figure).collect(),
        }
    }))
}

/// The three figures of one server in one round, and what the load took itself.
fn sample(
    server: &Server,
    load: &mut Load,
    requests: u64,
    latencies: &mut Histogram<u64>,
) -> io::Result<([f64; 3], f64)> {
    latencies.reset();
    let mut answered = Ok(());
    let before = server.cpu_ns()?;
    let own = cpu_of(|| answered = load.run(requests, latencies));
    answered?;
    let spent = server.cpu_ns()? - before;
    #[expect(clippy::cast_precision_loss, reason = "a request takes far less than 2^53 ns")]
    let quantile = |share| latencies.value_at_quantile(share) as f64 / 1e3;
    let sample = [per_request(spent, requests), quantile(0.5), quantile(0.99)];
    Ok((sample, per_request(own, requests)))
}

/// Microseconds per request.
#[expect(clippy::cast_precision_loss, reason = "both stay far below 2^53")]
fn per_request(ns: u64, requests: u64) -> f64 {
    ns as f64 / 1e3 / requests as f64
}

impl Server {
    fn address(&self) -> SocketAddr {
        match self {
            Server::Thread(running) => running.address(),
            Server::Process(fastapi) => fastapi.address(),
        }
    }

    fn cpu_ns(&self) -> io::Result<u64> {
        match self {
            Server::Thread(running) => running.cpu_ns(),
            Server::Process(fastapi) => fastapi.cpu_ns(),
        }
    }
}

impl Entrant {
    fn requests(&self, effort: Effort) -> u64 {
        match self.server {
            Server::Thread(_) => effort.requests,
            Server::Process(_) => effort.requests / FEWER,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_of_the_body_is_what_the_request_says() {
        for Route { id, exchange } in ROUTES {
            let (head, body) = exchange.request.split_once("\r\n\r\n").expect("a head");
            let said = head.split_once("Content-Length: ").map_or("0", |(_, length)| length);
            assert_eq!(said, body.len().to_string(), "{id}");
        }
    }

    #[test]
    fn peers_answer_what_is_expected() {
        for start in [peers::axum, peers::hyper] {
            let server = start().expect("a port and a thread");
            let mut load = Load::connect(server.address(), 3, &exchanges()).expect("it listens");
            let mut latencies = latencies();
            load.run(30, &mut latencies).expect("the answers of the application");
            assert_eq!(latencies.len(), 30);
        }
    }

    #[test]
    fn peers_refuse_what_breaks_a_rule() {
        let exchange = ROUTES[2].exchange;
        let wrong = exchange.request.replace("10115", "1011x");
        let refused = Exchange { request: wrong.leak(), status: "HTTP/1.1 422", body: "" };
        for start in [peers::axum, peers::hyper] {
            let server = start().expect("a port and a thread");
            let mut load = Load::connect(server.address(), 1, &[refused]).expect("it listens");
            load.run(2, &mut latencies()).expect("it is refused");
        }
    }

    #[test]
    fn a_row_is_chosen_by_any_of_its_figures() {
        let ids = |only: &str| {
            chosen(|id| id == only).map(|route| route.id).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(ids("web.get"), "web.get");
        assert_eq!(ids("web.path.p99"), "web.path");
        assert_eq!(ids("web"), "");
    }

    #[test]
    fn each_route_has_a_row_for_each_figure() {
        let entrants = [Entrant {
            key: "hyper",
            note: "",
            server: Server::Thread(peers::hyper().expect("a port and a thread")),
        }];
        let effort = Effort { requests: 40, ..Effort::QUICK };
        let mut ticks = 0;
        let rows = route_rows(&ROUTES[1], &entrants, effort, &mut Vec::new(), || ticks += 1)
            .expect("it answers");
        assert_eq!(ticks, ROUNDS);
        assert_eq!(
            rows.each_ref().map(|row| &*row.id),
            ["web.path", "web.path.p50", "web.path.p99"]
        );
        let rounds = |row: usize| &rows[row].rounds("hyper").expect("it took part").ns;
        assert_eq!(rounds(0).len(), ROUNDS);
        assert!(rounds(0).iter().all(|&us| us > 0.0));
        assert!(rounds(1).iter().zip(rounds(2)).all(|(p50, p99)| p50 <= p99));
    }
}
