//! The port beside the same application in FastAPI.

use std::net::SocketAddr;

use aqueduct_testkit::scale;

use crate::client::Client;
use crate::compare::assert_same;
use crate::port::{start_copying, start_port};
use crate::recorded::{Answer, Request, recorded};
use crate::twin::Twin;

/// The answers of whoever listens there, over connections that are kept.
fn ask_all<'a>(
    address: SocketAddr,
    requests: impl IntoIterator<Item = &'a Request>,
) -> Vec<Answer> {
    let mut client = Client::new(address);
    let ask = |request: &Request| match client.ask(request) {
        Ok(answer) => answer,
        Err(error) => panic!("{}: {error}", request.id),
    };
    requests.into_iter().map(ask).collect()
}

/// Every recorded request, its answer there taken as the twin's, and what the address says now.
fn beside_recorded(address: SocketAddr) -> Vec<(Request, Answer, Answer)> {
    let recorded = recorded();
    let answers = ask_all(address, recorded.iter().map(|(request, _)| request));
    let joined = recorded.into_iter().zip(answers);
    joined.map(|((request, twin), port)| (request, twin, port)).collect()
}

#[test]
fn the_record_has_every_kind_of_answer() {
    let recorded = recorded();
    assert!(recorded.len() >= 400);
    for status in [200, 201, 202, 204, 400, 404, 405, 422] {
        assert!(recorded.iter().any(|(_, twin)| twin.status == status), "{status}");
    }
    let mut ids: Vec<&str> = recorded.iter().map(|(request, _)| request.id.as_str()).collect();
    ids.sort_unstable();
    assert!(ids.is_sorted_by(|a, b| a < b), "an id stands twice");
}

/// What was recorded is what FastAPI says today.
#[test]
fn the_record_is_the_twin() {
    if let Some(twin) = Twin::start() {
        assert_same(&beside_recorded(twin.address));
    }
}

#[test]
fn answers_are_those_that_were_recorded() {
    assert_same(&beside_recorded(start_port()));
}

#[test]
fn with_the_copies_the_answers_are_the_same() {
    assert_same(&beside_recorded(start_copying()));
}

/// Requests that nobody has seen before.
#[test]
fn answers_are_those_of_the_running_twin() {
    let Some(twin) = Twin::start() else { return };
    let port = start_port();
    for seed in 1..=scale(3) {
        let requests = twin.requests(seed);
        let twins = ask_all(twin.address, &requests);
        let ports = ask_all(port, &requests);
        let all = requests.into_iter().zip(twins).zip(ports);
        let all: Vec<_> = all.map(|((request, twin), port)| (request, twin, port)).collect();
        assert_same(&all);
    }
}
