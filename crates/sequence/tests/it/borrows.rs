//! What the compiler must go on accepting; what it refuses stands in the crate `aqueduct`.

use aqueduct_sequence::{ReadError, Sequence, SequenceReader, SequenceRef};

/// A reader is an ordinary borrow: it may stand in a struct.
struct Parser<'a> {
    reader: SequenceReader<'a>,
}

impl<'a> Parser<'a> {
    fn line(&mut self) -> Result<SequenceRef<'a>, ReadError> {
        self.reader.read_to(b'\n')
    }
}

/// All lines live as long as the sequence, not as long as the reader.
fn lines(sequence: &Sequence) -> Vec<SequenceRef<'_>> {
    let mut parser = Parser { reader: sequence.as_ref().reader() };
    let mut lines = Vec::new();
    while let Ok(line) = parser.line() {
        lines.push(line);
    }
    lines
}

async fn held_over_an_await(sequence: Sequence) -> usize {
    let mut reader = sequence.as_ref().reader();
    std::future::ready(()).await;
    reader.read_to(b'\n').map_or(0, SequenceRef::len)
}

#[test]
fn views_live_as_long_as_their_source_and_may_be_held_over_an_await() {
    fn sent<F: Future + Send>(_: F) {}
    let sequence = Sequence::from(b"one\ntwo\n".to_vec());
    assert_eq!(lines(&sequence), [SequenceRef::from(b"one"), b"two".into()]);
    sent(held_over_an_await(sequence));
}
