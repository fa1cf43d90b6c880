//! The parser against the oracle, however bytes come.

use super::{
    machine::{converse, run_bytes, tell},
    oracle::answers,
};
use aqueduct_testkit::replay;
use proptest::prelude::*;
use std::hint::black_box;
use web::{Mode, Options};

/// Pieces that requests are put together from: right ones, nearly right ones, wrong ones.
const WORDS: [&str; 56] = [
    "GET / HTTP/1.1\r\nhost: a\r\n\r\n",
    "POST /users?a=b&c=%20 HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello",
    "POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "HEAD /h HTTP/1.0\r\n\r\n",
    "GET /k HTTP/1.0\r\nconnection: Keep-Alive\r\n\r\n",
    "GET ",
    "POST ",
    "HEAD ",
    "OPTIONS ",
    "/",
    "/a/b?x=1",
    "*",
    "http://h/p?q",
    "https://h",
    "?",
    " HTTP/1.1\r\n",
    " HTTP/1.0\r\n",
    " HTTP/2.0\r\n",
    " HTTP/1.1\n",
    " FTP/1.1\r\n",
    "host: example\r\n",
    "Host: other\r\n",
    "content-length: 3\r\n",
    "Content-Length: 5\r\n",
    "content-length: +3\r\n",
    "content-length: 3, 3\r\n",
    "content-length: 99999999999999999999\r\n",
    "content-length: 9223372036854775808\r\n",
    "content-length:\r\n",
    "content-length : 3\r\n",
    "transfer-encoding: chunked\r\n",
    "transfer-encoding: gzip, chunked\r\n",
    "Transfer-Encoding: CHUNKED \r\n",
    "expect: 100-continue\r\n",
    "expect: more\r\n",
    "connection: close\r\n",
    "connection: a, keep-alive\r\n",
    " folded\r\n",
    "x:\t \u{e9} y\t\r\n",
    "bad\0: 1\r\n",
    "x: a\rb\r\n",
    "\r\n",
    "\n",
    "\r",
    "abc",
    "0\r\n\r\n",
    "5\r\nhello\r\n",
    "1;name=value\r\nx\r\n",
    "00000000000000000\r\n",
    "ffffffffffffffff\r\n",
    "0\r\ntrailer: 1\r\n\r\n",
    "0\r\n bad\r\n\r\n",
    "3\nabc\r\n",
    "A\r\n0123456789\r\n",
    "-1\r\n",
    " ",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn streams_of_words_are_answered_as_the_oracle_says(
        how in any::<[u8; 2]>(),
        words in prop::collection::vec(0..WORDS.len(), 1..14),
    ) {
        let mut bytes = how.to_vec();
        words.iter().for_each(|word| bytes.extend(WORDS[*word].bytes()));
        run_bytes(&bytes);
    }

    #[test]
    fn requests_with_a_byte_changed_are_answered_as_the_oracle_says(
        how in any::<[u8; 2]>(),
        which in prop::collection::vec(0..5_usize, 1..4),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
    ) {
        let mut bytes = how.to_vec();
        which.iter().for_each(|word| bytes.extend(WORDS[*word].bytes()));
        for (at, byte) in changes {
            let at = 2 + at.index(bytes.len() - 2);
            bytes[at] = byte;
        }
        run_bytes(&bytes);
    }
}

#[test]
fn the_corpus_of_http_passes() {
    let files = replay("http", |bytes| {
        black_box(run_bytes(bytes));
    });
    assert!(files >= 20, "only {files} files in the corpus");
}

/// Whole requests of every kind.
pub const VALID: [&str; 12] = [
    "GET / HTTP/1.1\r\nhost: a\r\n\r\n",
    "\r\nGET /after/a/blank/line HTTP/1.1\r\nhost: a\r\n\r\n",
    "GET /a%20b?q=1&r=%C3%A9 HTTP/1.1\r\nHost: a\r\nUser-Agent: one/1.0\r\nX-Empty:\r\n\r\n",
    "POST /users HTTP/1.1\r\nhost: a\r\ncontent-length: 11\r\n\r\nhello world",
    "POST /none HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n",
    "PUT /c HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n06;x=y\r\n world\r\n0\r\nt: 1\r\n\r\n",
    "PUT /empty HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "HEAD /h?x HTTP/1.1\r\nhost: a\r\n\r\n",
    "POST /e HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 3\r\n\r\nabc",
    "POST /e HTTP/1.1\r\nhost: a\r\nExpect: 100-Continue\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "GET /old HTTP/1.0\r\nconnection: keep-alive\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n",
];

/// Cut at every byte, sent byte by byte, and all of them at once: the same answers.
#[test]
fn t19_requests_in_pieces_are_answered_as_whole_ones() {
    for mode in [Mode::ZeroCopy, Mode::Copying] {
        let options = Options { mode, ..Options::default() };
        let mut all = Vec::new();
        for request in VALID {
            let request = request.as_bytes();
            let want = answers(request, 1 << 20);
            assert!(!want.0.is_empty() && !want.1, "{}", request.escape_ascii());
            assert_eq!(converse([request], &tell, &options, 4096), want);
            assert_eq!(converse(request.chunks(1), &tell, &options, 64), want);
            for cut in 1..request.len() {
                let (first, second) = request.split_at(cut);
                assert_eq!(converse([first, second], &tell, &options, 4096), want, "{cut}");
                // And nothing is answered before it is there.
                let early = converse([first], &tell, &options, 4096).0;
                assert!(early.len() < want.0.len() && want.0.starts_with(&early), "{cut}");
            }
            all.extend(request);
        }
        let want = answers(&all, 1 << 20);
        for step in [1, 2, 3, 7, 64, 1000, all.len()] {
            assert_eq!(converse(all.chunks(step), &tell, &options, 200), want, "{step}");
        }
    }
}
