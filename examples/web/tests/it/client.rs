//! A plain HTTP/1.1 client that shares no line with the port.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::recorded::{Answer, Request};

/// Nothing here takes longer, unless it hangs.
const PATIENCE: Duration = Duration::from_secs(20);

/// One connection, kept alive and opened anew when the server hung up in between.
#[derive(Debug)]
pub(crate) struct Client {
    address: SocketAddr,
    connection: Option<BufReader<TcpStream>>,
}

impl Client {
    pub(crate) fn new(address: SocketAddr) -> Client {
        Client { address, connection: None }
    }

    /// Sends the request and waits for its answer.
    pub(crate) fn ask(&mut self, request: &Request) -> io::Result<Answer> {
        let bytes = encode(request);
        let kept = self.connection.take();
        if let Some(Ok(answer)) = kept.map(|connection| self.ask_on(connection, request, &bytes)) {
            return Ok(answer);
        }
        let connection = connect(self.address)?;
        self.ask_on(connection, request, &bytes)
    }

    fn ask_on(
        &mut self,
        mut connection: BufReader<TcpStream>,
        request: &Request,
        bytes: &[u8],
    ) -> io::Result<Answer> {
        connection.get_mut().write_all(bytes)?;
        let response = read_response(&mut connection, &request.method)?;
        if response.keeps_alive {
            self.connection = Some(connection);
        }
        Ok(response.answer)
    }
}

/// A connection without delays of its own.
pub(crate) fn connect(address: SocketAddr) -> io::Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(BufReader::new(stream))
}

/// The request in the bytes of HTTP, with a length if it has a body or could have one.
pub(crate) fn encode(request: &Request) -> Vec<u8> {
    let mut out = encode_head(request);
    let usual = ["POST", "PUT", "PATCH"].contains(&request.method.as_str());
    if usual || !request.body.is_empty() {
        out.extend(format!("content-length: {}\r\n", request.body.len()).bytes());
    }
    out.extend(b"\r\n");
    out.extend(&request.body);
    out
}

/// All lines of the head but for the body's length and the empty line.
pub(crate) fn encode_head(request: &Request) -> Vec<u8> {
    let line = format!("{} {} HTTP/1.1\r\nhost: localhost\r\n", request.method, request.target);
    let mut out = line.into_bytes();
    for (name, value) in &request.headers {
        out.extend(name.bytes());
        out.extend(b": ");
        out.extend(value.chars().map(|letter| u8::try_from(letter).expect("Latin-1")));
        out.extend(b"\r\n");
    }
    out
}

/// An answer, and whether another may follow on its connection.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) answer: Answer,
    pub(crate) keeps_alive: bool,
}

/// Reads one response to a request of this method; interim ones are passed over.
pub(crate) fn read_response(from: &mut impl BufRead, method: &str) -> io::Result<Response> {
    let head = loop {
        let head = read_head(from)?;
        if head.status >= 200 {
            break head;
        }
    };
    let empty = method == "HEAD" || head.status == 204 || head.status == 304;
    let length = head.get("content-length").map(str::parse::<usize>).transpose();
    let length = length.map_err(|_| broken("content-length is no number"))?;
    let mut keeps_alive = head.get("connection") != Some("close");
    let mut body = Vec::new();
    if empty {
        // Nothing follows, whatever the head says.
    } else if head.get("transfer-encoding") == Some("chunked") {
        body = read_chunks(from)?;
    } else if let Some(length) = length {
        body.resize(length, 0);
        from.read_exact(&mut body)?;
    } else {
        from.read_to_end(&mut body)?;
        keeps_alive = false;
    }
    let content_type = head.get("content-type").map(str::to_owned);
    Ok(Response { answer: Answer { status: head.status, content_type, body }, keeps_alive })
}

/// Status line and headers.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) status: u16,
    /// Names in small letters.
    headers: Vec<(String, String)>,
}

impl Head {
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Reads up to the empty line.
pub(crate) fn read_head(from: &mut impl BufRead) -> io::Result<Head> {
    let line = read_line(from)?;
    let status = line.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok());
    let status = status.ok_or_else(|| broken(&line))?;
    let mut headers = Vec::new();
    loop {
        let line = read_line(from)?;
        if line.is_empty() {
            return Ok(Head { status, headers });
        }
        let (name, value) = line.split_once(':').ok_or_else(|| broken(&line))?;
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
}

fn read_chunks(from: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = read_line(from)?;
        let size = usize::from_str_radix(&line, 16).map_err(|_| broken(&line))?;
        let start = body.len();
        body.resize(start + size, 0);
        from.read_exact(&mut body[start..])?;
        // The end of the chunk, and of all without trailers.
        let end = read_line(from)?;
        if !end.is_empty() {
            return Err(broken(&end));
        }
        if size == 0 {
            return Ok(body);
        }
    }
}

/// A line without its CRLF, which must be there.
fn read_line(from: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    from.read_line(&mut line)?;
    if line.is_empty() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    line.strip_suffix("\r\n").map(str::to_owned).ok_or_else(|| broken(&line))
}

fn broken(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("no HTTP: {what:?}"))
}
