//! Requests on their way to a handler of the web framework. What an answer's head takes is the same for
//! each of them, so an operation is a byte of a request: how many bytes a request has is what differs.

use std::borrow::Cow;
use std::error::Error;
use std::hint::black_box;

use ::web::{App, Header, Json, Mode, Path, Query, Reply};

use super::Ran;
use crate::web::copies::{TIMES, copied};

/// Bytes of the largest head, which a GET is; a little less.
const HEAD: usize = 16_000;

web::model! { struct Named<'a> { name: Cow<'a, str> } }
web::model! { struct Asked<'a> { q: Cow<'a, str> } }
web::model! { struct Token<'a> { token as "x-token": Cow<'a, str> } }
web::model! { struct Note<'a> { text: Cow<'a, str> [min_length = 1], more: Cow<'a, str> } }

type Get<'a> = (Path<Named<'a>>, Query<Asked<'a>>, Header<Token<'a>>);

fn get((path, query, header): Get<'_>, reply: &mut Reply<'_>) {
    black_box((path, query, header));
    reply.empty();
}

fn post(Json(note): Json<Note<'_>>, reply: &mut Reply<'_>) {
    black_box(note);
    reply.empty();
}

/// GETs whose path, query and header share so many bytes.
pub(super) fn gets(mode: Mode, bytes: u64) -> Result<Ran, Box<dyn Error>> {
    let bytes = usize::try_from(bytes)?.min(HEAD);
    let [path, query] = [bytes / 3; 2].map(letters);
    let header = letters(bytes - path.len() - query.len());
    let request =
        format!("GET /names/{path}?q={query} HTTP/1.1\r\nhost: a\r\nx-token: {header}\r\n\r\n");
    converse(mode, request, bytes)
}

/// POSTs of two strings that share so many bytes.
pub(super) fn posts(mode: Mode, bytes: u64) -> Result<Ran, Box<dyn Error>> {
    let bytes = usize::try_from(bytes)?;
    let (text, more) = (letters(bytes / 2), letters(bytes - bytes / 2));
    let body = format!(r#"{{"text": "{text}", "more": "{more}"}}"#);
    // As many digits for every length.
    let head =
        "POST /notes HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length:";
    converse(mode, format!("{head} {:08}\r\n\r\n{body}", body.len()), bytes)
}

fn letters(count: usize) -> String {
    ('a'..='z').cycle().take(count).collect()
}

/// Has each request answered, and counts what was copied from the first to the last.
fn converse(mode: Mode, request: String, bytes: usize) -> Result<Ran, Box<dyn Error>> {
    let mut app = App::new("Witnessed").mode(mode);
    app.get::<Get<'_>>("/names/{name}", get)?;
    app.post::<Json<Note<'_>>>("/notes", post)?;
    let copied = TIMES * copied(mode, &app.finish(), request)?;
    let operations = TIMES * bytes as u64;
    Ok(Ran { operations, payload: operations, copied })
}
