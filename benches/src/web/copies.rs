//! What our server copies of a request, counted without sockets: of one that comes in one piece.

use std::borrow::Cow;
use std::io;

use ::web::model::ToJson;
use ::web::{App, Conversation, Mode, Next, Options, Path, Raw, Reply, Service, Wait};
use aqueduct::{Reader, Slice, Writer, meter, pipe};

/// How often it comes; what is made once for all is a hundredth of a byte for each of its bytes.
pub const TIMES: u64 = 100;

/// Letters of the text of [`copies`]: all else is a hundredth of it.
const LETTERS: usize = 8_000;

/// Bytes copied for so many times the same request.
///
/// # Errors
///
/// When it is answered with anything but 200.
pub fn copied(mode: Mode, service: &impl Service, request: String) -> io::Result<u64> {
    let request = Slice::from(request.into_bytes());
    let mut conversation = Conversation::new(&Options { mode, ..Options::default() });
    let pipes = aqueduct::Options::builder().pause(0).build().map_err(io::Error::other)?;
    let (mut received, mut answers) = (pipe(pipes.clone()), pipe(pipes));
    let before = meter::thread();
    for _ in 0..TIMES {
        received.0.push(request.clone()).map_err(|refused| refused.error)?;
        received.0.try_flush()?;
        advance(&mut conversation, service, &mut received.1, &mut answers)?;
    }
    Ok((meter::thread() - before).bytes / TIMES)
}

fn advance(
    conversation: &mut Conversation,
    service: &impl Service,
    received: &mut Reader,
    (answers, said): &mut (Writer, Reader),
) -> io::Result<()> {
    let next = conversation.advance(service, received, answers);
    let view = said.try_read()?.ok_or_else(|| io::Error::other("no answer"))?.into_view();
    if next != Next::Read(Wait::Request) || !view.seq().starts_with(b"HTTP/1.1 200 ") {
        return Err(io::Error::other(format!("{next:?} after {:?}", view.seq())));
    }
    let len = view.len();
    view.consume(len);
    Ok(())
}

web::model! { struct Named<'a> { name: Cow<'a, str> } }

fn json(Path(named): Path<Named<'_>>, reply: &mut Reply<'_>) {
    reply.json(|out| named.write_json(out));
}

fn handed_over((Path(named), raw): (Path<Named<'_>>, Raw<'_>), reply: &mut Reply<'_>) {
    reply.slice(raw.request.body.slice(named.name.as_bytes()));
}

/// How often a text is copied on its way from the path of a request to the answer: in JSON, and handed
/// over as it is.
///
/// # Errors
///
/// As [`copied`].
pub fn copies(mode: Mode) -> io::Result<[f64; 2]> {
    let mut app = App::new("Copies").mode(mode);
    app.get::<Path<Named<'_>>>("/json/{name}", json).map_err(io::Error::other)?;
    app.get::<(Path<Named<'_>>, Raw<'_>)>("/slice/{name}", handed_over)
        .map_err(io::Error::other)?;
    let service = app.finish();
    let of = |route: &str| {
        let text = "x".repeat(LETTERS);
        let request = format!("GET /{route}/{text} HTTP/1.1\r\nhost: a\r\n\r\n");
        let bytes = copied(mode, &service, request)?;
        #[expect(clippy::cast_precision_loss, reason = "a few times the length of a text")]
        io::Result::Ok(bytes as f64 / LETTERS as f64)
    };
    Ok([of("json")?, of("slice")?])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Into the buffer, the path, the field, what the handler answers, and the answer.
    #[test]
    fn the_copying_mode_makes_the_documents_five() {
        let [with, without] =
            [Mode::Copying, Mode::ZeroCopy].map(|mode| copies(mode).expect("200"));
        assert!(with.iter().all(|times| (5.0..5.05).contains(times)), "{with:?}");
        assert!((1.0..1.01).contains(&without[0]), "{without:?}");
        assert_eq!(without[1], 0.0);
    }
}
