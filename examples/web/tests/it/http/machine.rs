//! A conversation against the oracle: of any bytes, in any pieces and in either mode, the same answers.

use super::oracle::{Asked, answers, dump};
use aqueduct::pipe;
use web::{Conversation, Mode, Next, Options, Reply, Request, Service};

/// Answers with what it was asked.
pub fn tell(request: &Request<'_>, reply: &mut Reply<'_>) {
    let mut asked = Asked {
        method: request.method.to_owned(),
        path: request.path.to_owned(),
        query: request.query.to_owned(),
        body: request.body.as_bytes().into_owned(),
        ..Asked::default()
    };
    for (name, value) in &request.headers {
        assert!(request.headers.get(&name.to_ascii_uppercase()).is_some());
        asked.headers.entry(name.to_ascii_lowercase()).or_insert_with(|| value.to_vec());
    }
    reply.header("content-type", "text/plain").body(&dump(&asked));
}

/// What comes back when these pieces are sent, the dates taken out, and whether the connection is closed
/// then. Blocks are `block` bytes long.
pub fn converse<'p>(
    pieces: impl IntoIterator<Item = &'p [u8]>,
    service: &impl Service,
    options: &Options,
    block: usize,
) -> (Vec<u8>, bool) {
    let pipes = aqueduct::Options::builder().pause(0).segments(block, block).build().unwrap();
    let ((mut input, mut received), (mut output, mut sent)) = (pipe(pipes.clone()), pipe(pipes));
    let mut conversation = Conversation::new(options);
    let (mut out, mut over) = (Vec::new(), false);
    for piece in pieces {
        input.write(piece).unwrap();
        input.try_flush().unwrap();
        while !over {
            let next = conversation.advance(service, &mut received, &mut output);
            if let Some(read) = sent.try_read().unwrap() {
                let view = read.into_view();
                view.seq().segments().for_each(|part| out.extend(part));
                let len = view.len();
                view.consume(len);
            }
            match next {
                Next::Read(_) => break,
                Next::Write => {}
                Next::HandOver => panic!("nothing is handed over here"),
                Next::Close => over = true,
            }
        }
    }
    (undated(out), over)
}

/// The same with `D` for every date.
pub fn undated(out: Vec<u8>) -> Vec<u8> {
    const LINE: &[u8] = b"\r\ndate: ";
    let mut rest = &out[..];
    let mut undated = Vec::new();
    while let Some(at) = rest.windows(LINE.len()).position(|part| part == LINE) {
        let (before, behind) = rest.split_at(at + LINE.len());
        undated.extend(before);
        let date = behind.get(..29).filter(|date| date.ends_with(b" GMT"));
        undated.extend(date.map(|_| b'D'));
        rest = &behind[date.map_or(0, <[u8]>::len)..];
    }
    undated.extend(rest);
    undated
}

/// Two bytes that say how it is sent, then what is.
pub fn run_bytes(bytes: &[u8]) -> usize {
    let Some(([how, largest], stream)) = bytes.split_first_chunk() else { return 0 };
    let largest_body = [0, 5, 300, 1 << 20][usize::from(largest % 4)];
    let block = [64, 200, 4096, 65_536][usize::from(largest / 4 % 4)];
    let mode = if largest / 16 % 2 == 0 { Mode::ZeroCopy } else { Mode::Copying };
    let options = Options { mode, largest_body, ..Options::default() };
    let (want, over) = answers(stream, largest_body);
    // A request that has a date in it comes back with it.
    let want = (undated(want), over);
    let got = converse([stream], &tell, &options, block);
    agree("whole", stream, &got, &want);
    let step = 1 + usize::from(how % 97);
    let got = converse(stream.chunks(step), &tell, &options, block);
    agree(&format!("in pieces of {step}"), stream, &got, &want);
    want.0.len()
}

fn agree(how: &str, stream: &[u8], got: &(Vec<u8>, bool), want: &(Vec<u8>, bool)) {
    let show = |(out, over): &(Vec<u8>, bool)| format!("{} (closed: {over})", out.escape_ascii());
    assert!(got == want, "{how}: {}\n{}\n{}", stream.escape_ascii(), show(got), show(want));
}
