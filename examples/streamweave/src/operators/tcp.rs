//! Lines of clients, who may be anybody: what is wrong with one of them is its own affair.

use super::ends::Lines;
use crate::{
    BuildError, Failure, Make, Next, Node, Parameters, Policy, Source, operators::simple::BYTES,
};
use std::{
    net::{SocketAddr, TcpListener, TcpStream},
    sync::Arc,
    time::{Duration, Instant},
};

pub(crate) const ALL: &[(&str, Make)] = &[("tcp-lines", tcp_lines)];

/// Listens, and gives the lines of `connections` clients, one client after the other. One whose connection
/// breaks, who sends a line that is too long, or none for `idle` seconds is let go as a failure, which ends
/// the run only under a policy that is said.
fn tcp_lines(parameters: &mut Parameters) -> Result<Node, BuildError> {
    let (listen, name) = (parameters.needed_text("listen")?, parameters.name().to_owned());
    let connections = parameters.number("connections")?.unwrap_or(u64::MAX);
    let idle = parameters.number("idle")?.map(Duration::from_secs);
    let make = move || -> Result<Box<dyn Source>, Failure> {
        let said = |error| Failure::new(format!("{listen}: {error}"));
        let listener = TcpListener::bind(&listen).map_err(said)?;
        listener.set_nonblocking(true)?;
        let name = name.clone();
        Ok(Box::new(Clients { listener, connections, idle, client: None, name, next: 0 }))
    };
    let node = Node::source(parameters.name(), BYTES, Arc::new(make));
    Ok(Node { thread: true, policy: Policy::Skip, ..node })
}

struct Clients {
    listener: TcpListener,
    connections: u64,
    idle: Option<Duration>,
    client: Option<Client>,
    name: String,
    /// The first sequence number of the next client.
    next: u64,
}

struct Client {
    address: SocketAddr,
    lines: Lines<TcpStream>,
    /// It gave a line since it was last silent.
    spoke: bool,
    silent: Instant,
}

impl Client {
    fn next(&mut self, idle: Option<Duration>) -> Result<Next, Failure> {
        let next = self.lines.next()?;
        match (&next, idle) {
            (Next::Item(_), _) => self.spoke = true,
            (Next::Idle, _) if self.spoke => (self.spoke, self.silent) = (false, Instant::now()),
            (Next::Idle, Some(idle)) if self.silent.elapsed() >= idle => {
                return Err(Failure::new(format!("no line in {} s", idle.as_secs())));
            }
            _ => {}
        }
        Ok(next)
    }
}

impl Source for Clients {
    fn next(&mut self) -> Result<Next, Failure> {
        if let Some(client) = &mut self.client {
            let next = client.next(self.idle);
            if !matches!(next, Ok(Next::End) | Err(_)) {
                return next;
            }
            let address = client.address;
            self.next = client.lines.sequence;
            self.client = None;
            if let Err(failure) = next {
                return Err(Failure::new(format!("{address}: {failure}")).lost());
            }
        }
        if self.connections == 0 {
            return Ok(Next::End);
        }
        // Whoever was gone before, or is one too many for the system, is not waited for.
        let Ok((socket, address)) = self.listener.accept() else { return Ok(Next::Idle) };
        socket.set_nonblocking(true)?;
        self.connections -= 1;
        let lines = Lines::new(socket, &self.name, self.next);
        self.client = Some(Client { address, lines, spoke: false, silent: Instant::now() });
        Ok(Next::Idle)
    }
}
