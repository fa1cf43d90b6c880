//! HTTP as one reads it in the standard: whole, on flat bytes, with nothing in mind but the rules.

use std::{collections::BTreeMap, str};

pub const LARGEST_HEAD: usize = 16 << 10;

/// A request as the oracle understands it.
#[derive(Debug, Default)]
pub struct Asked {
    pub method: String,
    pub path: String,
    pub query: String,
    /// In lower case; of several the first.
    pub headers: BTreeMap<String, Vec<u8>>,
    pub body: Vec<u8>,
    pub old: bool,
    pub keep: bool,
    pub expects: bool,
}

/// What a stream of requests is answered with, up to its end or to the last answer before the connection
/// is closed; and whether it is.
pub fn answers(mut stream: &[u8], largest: usize) -> (Vec<u8>, bool) {
    let mut out = Vec::new();
    loop {
        let (mut leave, mut bodiless) = (false, false);
        let next = request(stream, largest, (&mut leave, &mut bodiless));
        if leave {
            out.extend(b"HTTP/1.1 100 Continue\r\n\r\n");
        }
        match next {
            Err(Stop::Incomplete) => return (out, false),
            Err(Stop::Fault(status)) => {
                let reason = reason(status);
                let body = format!("{{\"detail\":\"{reason}\"}}");
                out.extend(
                    format!(
                        "HTTP/1.1 {status} {reason}\r\ndate: D\r\nconnection: close\r\n\
                         content-type: application/json\r\n"
                    )
                    .bytes(),
                );
                let len = body.len();
                out.extend(match bodiless {
                    true => format!("content-length: {len}\r\n\r\n").into_bytes(),
                    false => format!("content-length: {len:>10}\r\n\r\n{body}").into_bytes(),
                });
                return (out, true);
            }
            Ok((asked, len)) => {
                let connection = match (asked.keep, asked.old) {
                    (false, _) => "connection: close\r\n",
                    (true, true) => "connection: keep-alive\r\n",
                    (true, false) => "",
                };
                let body = dump(&asked);
                out.extend(
                    format!(
                        "HTTP/1.1 200 OK\r\ndate: D\r\n{connection}content-type: text/plain\r\n\
                         content-length: {}\r\n\r\n",
                        body.len()
                    )
                    .bytes(),
                );
                if asked.method != "HEAD" {
                    out.extend(body);
                }
                if !asked.keep {
                    return (out, true);
                }
                stream = &stream[len..];
            }
        }
    }
}

/// What the test's service answers.
pub fn dump(asked: &Asked) -> Vec<u8> {
    let Asked { method, path, query, headers, body, .. } = asked;
    let mut dump = format!("{method} {path} {query}\n").into_bytes();
    for (name, value) in headers {
        dump.extend(format!("{name}: {}\n", String::from_utf8_lossy(value)).bytes());
    }
    dump.extend(body);
    dump
}

pub fn reason(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        408 => "Request Timeout",
        413 => "Request Entity Too Large",
        417 => "Expectation Failed",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        505 => "HTTP Version Not Supported",
        _ => panic!("{status} is no fault"),
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Stop {
    Incomplete,
    Fault(u16),
}

const BAD: Stop = Stop::Fault(400);

/// Says meanwhile whether it leaves to send the body, and whether a refusal of it has none.
fn request(
    stream: &[u8],
    largest: usize,
    (leave, bodiless): (&mut bool, &mut bool),
) -> Result<(Asked, usize), Stop> {
    let blank = if stream.starts_with(b"\r\n") { 2 } else { 0 };
    let end = section(stream, blank)?;
    let text = &stream[blank..end - 2];
    let lines: Vec<&[u8]> = split(text);
    let Some((first, rest)) = lines.split_first() else { return Err(BAD) };
    let (method, asked_for, old) = first_line(first)?;
    let headers = fields(rest, 100)?;
    let mut asked = Asked { method, old, ..Asked::default() };
    (asked.path, asked.query) = target(&asked.method, &asked_for)?;
    let (mut hosts, mut length, mut encoding, mut tokens) = (0, None, None, Vec::new());
    for (name, value) in headers {
        match name.as_str() {
            "host" => hosts += 1,
            "expect" if value.eq_ignore_ascii_case(b"100-continue") => asked.expects = true,
            "expect" => return Err(Stop::Fault(417)),
            "connection" => tokens
                .extend(value.split(|b| *b == b',').map(|t| t.trim_ascii().to_ascii_lowercase())),
            "content-length" if length.replace(value.clone()).is_some() => return Err(BAD),
            "transfer-encoding" if encoding.replace(value.clone()).is_some() => return Err(BAD),
            _ => {}
        }
        asked.headers.entry(name).or_insert(value);
    }
    if hosts > 1 || (hosts == 0 && !old) {
        return Err(BAD);
    }
    asked.keep =
        !tokens.contains(&b"close".to_vec()) && (!old || tokens.contains(&b"keep-alive".to_vec()));
    let rest = &stream[end..];
    let used = match (length, encoding) {
        (None, None) => 0,
        (Some(length), None) => {
            let digits = !length.is_empty() && length.iter().all(u8::is_ascii_digit);
            let length = str::from_utf8(&length).ok().filter(|_| digits).ok_or(BAD)?;
            let length: u64 = length.parse().map_err(|_| BAD)?;
            *bodiless = asked.method == "HEAD";
            if length > largest as u64 {
                return Err(Stop::Fault(413));
            }
            *leave = asked.expects && !old && length > 0;
            let length = usize::try_from(length).unwrap();
            asked.body = rest.get(..length).ok_or(Stop::Incomplete)?.to_vec();
            length
        }
        (None, Some(encoding)) if !old && encoding.eq_ignore_ascii_case(b"chunked") => {
            *leave = asked.expects;
            *bodiless = asked.method == "HEAD";
            chunks(rest, largest, &mut asked.body)?
        }
        _ => return Err(BAD),
    };
    Ok((asked, end + used))
}

/// Where the section ends that begins at `start`, with its empty line.
fn section(stream: &[u8], start: usize) -> Result<usize, Stop> {
    let within = &stream[..stream.len().min(LARGEST_HEAD)];
    let mut line = start;
    for at in start..within.len() {
        if within[at] != b'\n' {
            continue;
        }
        if at == start || within[at - 1] != b'\r' {
            return Err(BAD);
        }
        if at - line == 1 {
            return Ok(at + 1);
        }
        line = at + 1;
    }
    Err(if within.len() == LARGEST_HEAD { Stop::Fault(431) } else { Stop::Incomplete })
}

/// The lines of a section without their ends.
fn split(text: &[u8]) -> Vec<&[u8]> {
    let mut lines: Vec<_> = text.split(|b| *b == b'\n').collect();
    lines.pop(); // behind the last end
    lines.into_iter().map(|line| line.strip_suffix(b"\r").unwrap_or(line)).collect()
}

fn token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn first_line(line: &[u8]) -> Result<(String, String, bool), Stop> {
    let words: Vec<&[u8]> = line.split(|b| *b == b' ').collect();
    let &[method, target, version] = &words[..] else { return Err(BAD) };
    if method.is_empty() || !method.iter().all(|b| token(*b)) {
        return Err(BAD);
    }
    if target.is_empty() || target.iter().any(u8::is_ascii_control) {
        return Err(BAD);
    }
    let target = str::from_utf8(target).map_err(|_| BAD)?;
    let old = match version {
        b"HTTP/1.1" => false,
        b"HTTP/1.0" => true,
        [b'H', b'T', b'T', b'P', b'/', b'0'..=b'9', b'.', b'0'..=b'9'] => {
            return Err(Stop::Fault(505));
        }
        _ => return Err(BAD),
    };
    let method = String::from_utf8(method.to_vec()).unwrap();
    Ok((method, target.to_owned(), old))
}

fn target(method: &str, target: &str) -> Result<(String, String), Stop> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let lower = path.to_ascii_lowercase();
    let path = if path.starts_with('/') || (target == "*" && method == "OPTIONS") {
        path
    } else if lower.starts_with("http://") || lower.starts_with("https://") {
        let rest = &path[lower.find("://").unwrap() + 3..];
        match rest.find('/') {
            Some(0) => return Err(BAD),
            None if rest.is_empty() => return Err(BAD),
            Some(at) => &rest[at..],
            None => "/",
        }
    } else {
        return Err(BAD);
    };
    Ok((path.to_owned(), query.to_owned()))
}

fn fields(lines: &[&[u8]], most: usize) -> Result<Vec<(String, Vec<u8>)>, Stop> {
    let mut fields = Vec::new();
    for line in lines {
        let colon = line.iter().position(|b| *b == b':').ok_or(BAD)?;
        let (name, value) = (&line[..colon], &line[colon + 1..]);
        let controls = value.iter().any(|b| b.is_ascii_control() && *b != b'\t');
        if name.is_empty() || !name.iter().all(|b| token(*b)) || controls {
            return Err(BAD);
        }
        if fields.len() == most {
            return Err(Stop::Fault(431));
        }
        let blank = |b: &u8| *b == b' ' || *b == b'\t';
        let from = value.iter().position(|b| !blank(b)).unwrap_or(value.len());
        let to = value.iter().rposition(|b| !blank(b)).map_or(from, |at| at + 1);
        let name = str::from_utf8(name).unwrap().to_ascii_lowercase();
        fields.push((name, value[from..to].to_vec()));
    }
    Ok(fields)
}

fn chunks(stream: &[u8], largest: usize, body: &mut Vec<u8>) -> Result<usize, Stop> {
    let (mut at, mut extensions) = (0, 0);
    let byte = |at: usize| stream.get(at).copied().ok_or(Stop::Incomplete);
    let expect = |at: usize, want: u8| if byte(at)? == want { Ok(()) } else { Err(BAD) };
    loop {
        let start = at;
        let mut size = 0_u64;
        while let Some(digit) = char::from(byte(at)?).to_digit(16) {
            size = size << 4 | u64::from(digit);
            at += 1;
            if at - start > 16 {
                return Err(BAD);
            }
        }
        if at == start {
            return Err(BAD);
        }
        if byte(at)? == b';' {
            at += 1;
            while byte(at)? != b'\r' {
                extensions += 1;
                if extensions > 16 << 10 || (byte(at)?.is_ascii_control() && byte(at)? != b'\t') {
                    return Err(BAD);
                }
                at += 1;
            }
        }
        expect(at, b'\r')?;
        expect(at + 1, b'\n')?;
        at += 2;
        if size == 0 {
            let end = section(&stream[at..], 0)?;
            fields(&split(&stream[at..at + end - 2]), 16)?;
            return Ok(at + end);
        }
        if size > (largest - body.len()) as u64 {
            return Err(Stop::Fault(413));
        }
        let size = usize::try_from(size).unwrap();
        body.extend(stream.get(at..at + size).ok_or(Stop::Incomplete)?);
        at += size;
        expect(at, b'\r')?;
        expect(at + 1, b'\n')?;
        at += 2;
    }
}
