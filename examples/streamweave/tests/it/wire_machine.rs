//! Any bytes as a peer may send them, against a naive reading of their lengths; and any text as a graph.

use streamweave::{Registry, fuzzed};

const HEAD: usize = 32;

/// A byte that says which: text of a graph, or items. Gives how many nodes or items there are.
pub fn run_bytes(bytes: &[u8]) -> usize {
    let Some((what, bytes)) = bytes.split_first() else { return 0 };
    if what & 1 == 1 {
        let Ok(text) = std::str::from_utf8(bytes) else { return 0 };
        let graph = Registry::default().graph(text);
        return graph.map_or(0, |graph| graph.dot().len().min(graph.names().count()));
    }
    let Ok(items) = fuzzed::read(bytes.to_vec()) else { return 0 };
    let payloads = naive(bytes);
    assert_eq!(payloads.len(), items.len(), "items that nobody sent, or that are lost");
    for ((edge, message), (naive_edge, payload)) in items.iter().zip(payloads) {
        assert_eq!(*edge, naive_edge);
        let got = message.payload.to_bytes().unwrap();
        assert!(payload.is_none_or(|payload| got == *payload), "another payload");
    }
    // What was read is written and read as the same, however it is packed.
    let pack_from = if what & 2 == 0 { usize::MAX } else { 0 };
    let again = fuzzed::read(fuzzed::write(&items, pack_from)).unwrap();
    assert_eq!(again.len(), items.len());
    for ((edge, one), (edge_again, two)) in items.iter().zip(&again) {
        assert_eq!((edge, one.sequence, one.timestamp), (edge_again, two.sequence, two.timestamp));
        assert_eq!((one.meta.key(), one.meta.source()), (two.meta.key(), two.meta.source()));
        assert_eq!((one.id(), one.meta.partition()), (two.id(), two.meta.partition()));
        assert!(one.payload.to_bytes().unwrap() == two.payload.to_bytes().unwrap());
    }
    items.len()
}

/// Edge and payload of each item; of packed ones the edge alone.
fn naive(bytes: &[u8]) -> Vec<(u32, Option<&[u8]>)> {
    let (mut at, mut items) = (8, Vec::new());
    while at < bytes.len() {
        let word =
            |n: usize| u32::from_le_bytes(bytes[at + 4 * n..at + 4 * n + 4].try_into().unwrap());
        let start = at + HEAD + word(2) as usize;
        let end = start + word(3) as usize;
        items.push((word(0), (word(1) & 2 == 0).then(|| &bytes[start..end])));
        at = end;
    }
    items
}
