//! The rows of the report, in its order.

mod deref;
mod exchange;
mod handles;
mod pipe;
mod pool;
mod ring;
mod sequence;
mod share;
mod two_threads;

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::measure::{NS, OURS, Row, Subject, Work};
use crate::target::{Bound, Target};

pub(crate) use exchange::{BINCODE, DECODE, ENCODE, IN_MEMORY, TRUSTED};
pub(crate) use pool::age_heap;

/// The row that scales absolute targets to the machine.
pub const ANCHOR: &str = "anchor.rmw";

/// All rows.
#[must_use]
pub fn all() -> Vec<Row> {
    let mut rows = vec![anchor()];
    rows.extend(pool::rows());
    rows.extend(handles::rows());
    rows.extend(share::rows());
    rows.push(deref::row());
    rows.extend(sequence::rows());
    rows.extend(pipe::rows());
    rows.extend(two_threads::rows());
    rows.extend(ring::rows());
    rows.extend(exchange::rows());
    rows
}

/// Our entry of a row, with the name that `counted` knows it by: the row's without its family,
/// where that is enough.
#[must_use]
pub fn ours(name: &str) -> Option<Subject> {
    let row = all().into_iter().find(|row| counted_name(&row.id) == Some(name))?;
    (row.build)().into_iter().find(|subject| subject.key == OURS)
}

/// The name of a row among the operations whose instructions are counted, if it is one.
#[must_use]
pub fn counted_name(id: &str) -> Option<&str> {
    let short = id.strip_prefix("pool.").or_else(|| id.strip_prefix("slice.")).unwrap_or(id);
    let by_size = short.starts_with("get_freeze_drop.") || short.starts_with("live64.");
    match short {
        "live64_default.65536" | "cross_thread.4096" | "deref_mixed" | ANCHOR => None,
        _ if ["share.", "sequence.", "pipe.", "ring.", "exchange."]
            .iter()
            .any(|family| id.starts_with(family)) =>
        {
            None
        }
        _ if by_size && !short.ends_with(".4096") => None,
        _ => Some(short),
    }
}

/// A row whose entrants are made by a function.
fn row(id: impl Into<String>, target: &'static [Bound], build: fn() -> Vec<Subject>) -> Row {
    Row { id: id.into(), target: Target(target), floor: "", unit: NS, build: Box::new(build) }
}

fn anchor() -> Row {
    row(ANCHOR, &[], || {
        let word = AtomicU64::new(0);
        let add = Work::each(move || {
            black_box(&word).fetch_add(1, Ordering::Relaxed);
        });
        vec![Subject::new(OURS, add).note("one locked add")]
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ids_are_unique() {
        let ids: BTreeSet<_> = all().into_iter().map(|row| row.id).collect();
        assert_eq!(ids.len(), all().len());
    }

    #[test]
    fn targets_name_entrants_of_their_row() {
        for row in all() {
            let keys: Vec<_> = (row.build)().iter().map(|subject| subject.key).collect();
            for bound in row.target.0 {
                if let Bound::Faster(_, key) | Bound::Within(_, key) | Bound::OverFloor(_, key) =
                    bound
                {
                    assert!(keys.contains(key), "{}: {key} is not in {keys:?}", row.id);
                }
            }
            assert!(row.floor.is_empty() || keys.contains(&row.floor), "{}", row.id);
            assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), keys.len(), "{}", row.id);
        }
    }

    #[test]
    fn counted_names() {
        let names: Vec<_> =
            all().iter().filter_map(|row| counted_name(&row.id).map(str::to_owned)).collect();
        assert_eq!(
            names,
            [
                "get_freeze_drop.4096",
                "live64.4096",
                "clone_drop",
                "local.clone_drop",
                "slice_drop.1000",
                "slice_drop.16",
                "split_to.64",
                "copy_drop.16",
                "from_vec_clone.4096",
            ]
        );
    }
}
