//! Document 001 on files that are sent: its web server.

use super::patterns::{claim, faster};
use super::{percent, port, ratio};
use crate::measure::{Measured as Rows, OURS};
use crate::ports::{Measured, SERVE};
use crate::report::Claim;
use crate::serve::{CLIENTS, FILE, MODES, READ_ALL, RECEIVER, SENDER, WALL};
use crate::stats::{Summary, median_ratio};

/// What the document wants a transfer to hold.
const CHUNK: u64 = 64 << 10;

pub(super) fn all(ports: &[Measured], rows: &[Rows]) -> Vec<Claim> {
    let mut claims = Vec::new();
    if let Some(figures) = Figures::of(rows) {
        claims.extend([speed(&figures), cpu(&figures), bandwidth()]);
    }
    if let Some(serve) = port(ports, SERVE) {
        claims.extend([
            faster("file transfer: 2-5x faster, to ten at once", 100.0..=400.0, serve),
            faster(
                "file transfer: 20-50% faster, as operations that move a lot of data",
                20.0..=50.0,
                serve,
            ),
            memory(serve),
            ten_files(serve),
        ]);
    }
    claims
}

/// The rows of one file to one client.
struct Figures<'a> {
    sender: &'a Rows,
    receiver: &'a Rows,
    wall: &'a Rows,
}

impl<'a> Figures<'a> {
    fn of(rows: &'a [Rows]) -> Option<Self> {
        let row = |id| rows.iter().find(|row| row.id == id);
        Some(Self { sender: row(SENDER)?, receiver: row(RECEIVER)?, wall: row(WALL)? })
    }

    /// What every mode took.
    fn modes(&self) -> String {
        let modes = MODES.map(|(key, note, _)| {
            let [sender, receiver, wall] = [self.sender, self.receiver, self.wall]
                .map(|row| Summary::of(rounds(row, key)).median);
            let name = if key == OURS { note } else { key };
            format!("{name} {wall:.0} us ({sender:.0} sender, {receiver:.0} receiver)")
        });
        modes.join(", ")
    }
}

fn rounds<'a>(row: &'a Rows, key: &str) -> &'a [f64] {
    row.rounds(key).map_or(&[], |rounds| &rounds.ns)
}

const HOW: &str = "a file of 64 MiB that is in the system's cache, over loopback to one client that reads \
     it and never sleeps: wall time and CPU time of both ends for each MiB, medians of the rounds";

fn speed(figures: &Figures<'_>) -> Claim {
    let times = |key, slower| median_ratio(rounds(figures.wall, slower), rounds(figures.wall, key));
    let (sent, mapped) = (times(OURS, READ_ALL), times("mapped", READ_ALL));
    claim(
        "file transfer: 2-5x faster",
        (2.0..=5.0).contains(&sent),
        format!(
            "sendfile {sent:.2}x, a map {mapped:.2}x, sendfile against copying through pooled blocks \
             {:.2}x; {}",
            times(OURS, "pooled"),
            figures.modes()
        ),
        &format!(
            "{HOW}; judged by sendfile against reading it whole, of which nearly half is the fresh memory \
             of an array for each file: blocks that are used again take the same two copies without"
        ),
    )
}

fn cpu(figures: &Figures<'_>) -> Claim {
    let left = |row: &Rows| median_ratio(rounds(row, OURS), rounds(row, READ_ALL));
    let (sender, receiver) = (left(figures.sender), left(figures.receiver));
    claim(
        "file transfer: with sendfile the CPU barely touches data",
        sender <= 0.1,
        format!(
            "the sender takes {:.0}% of the CPU time that reading it whole takes, and the receiver \
             {:.0}%; {}",
            percent(sender),
            percent(receiver),
            figures.modes()
        ),
        &format!("{HOW}; holds if the sender takes a tenth at most"),
    )
}

/// Who sends a file copies nothing by itself: it is the system that copies into the process and out of it.
fn bandwidth() -> Claim {
    // Read whole, it is copied into the array, into the socket and out of it, each byte read and written
    // once; by sendfile, out of the system's cache.
    let (with, without) = (2.0 * 3.0, 2.0 * 1.0);
    let saved = percent(1.0 - without / with);
    claim(
        "file transfer: 83% less memory bandwidth (its first example, 1MB vs 6MB)",
        saved >= 83.0,
        format!("{saved:.0}% less: {without:.0} bytes against {with:.0} for each one sent"),
        "counted by what is called, not measured: the copies that the system makes over loopback, of which \
         the receiver's is left; the meter sees none in either mode",
    )
}

fn memory(measured: &Measured) -> Claim {
    let of_each = |grew: u64| grew / CLIENTS as u64;
    let (with, without) = (of_each(measured.copying_grew), of_each(measured.zero_copy_grew));
    claim(
        "file transfer: memory drops from the file's 500 MB to 64 KB",
        with >= FILE as u64 && without <= CHUNK,
        format!(
            "{} KiB against {} KiB for each client, of a file of {} KiB",
            with >> 10,
            without >> 10,
            FILE >> 10
        ),
        "the server's process and its load, with ten clients at once: the most memory of its own, without \
         the pages of files, less what it held before; by sendfile; holds if it is the file's bytes at \
         least, and 64 KiB at most",
    )
}

fn ten_files(measured: &Measured) -> Claim {
    let files = ratio(measured.copying_grew, FILE as u64);
    claim(
        "file transfer: 10 users at once take the memory of ten files (5 GB)",
        (9.0..=12.0).contains(&files),
        format!("{files:.2} files read whole; {:.4} by sendfile", {
            ratio(measured.zero_copy_grew, FILE as u64)
        }),
        "the same; holds from nine files to twelve, as a heap also keeps what was just freed",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Rounds;
    use crate::report::{Port, PortFigures};
    use crate::target::Target;

    fn row(id: &str, ours: f64, read_all: f64) -> Rows {
        let subjects = MODES.map(|(key, ..)| {
            let us = if key == OURS { ours } else { read_all };
            Rounds { key, note: "", ns: vec![us; 3] }
        });
        Rows {
            id: id.into(),
            target: Target(&[]),
            floor: "",
            unit: "us/MiB",
            subjects: subjects.into(),
        }
    }

    #[test]
    fn speed_and_cpu_are_judged_apart() {
        for (sender, wall, verdicts) in [
            (9.0, 50.0, ["holds", "holds"]),
            (11.0, 19.0, ["does not hold", "does not hold"]),
            (5.0, 51.0, ["does not hold", "holds"]),
        ] {
            let rows =
                [row(SENDER, sender, 100.0), row(RECEIVER, 70.0, 35.0), row(WALL, wall, 100.0)];
            let figures = Figures::of(&rows).expect("all three");
            let claims = [speed(&figures), cpu(&figures)];
            assert_eq!(claims.clone().map(|claim| claim.verdict), verdicts, "{sender} {wall}");
            for claim in claims {
                let want = format!("sendfile {wall:.0} us ({sender:.0} sender, 70 receiver)");
                assert!(claim.measured.contains(&want), "{}", claim.measured);
                assert!(claim.measured.contains("read-all 100 us"), "{}", claim.measured);
            }
            assert!(Figures::of(&rows[1..]).is_none());
        }
    }

    #[test]
    fn memory_is_that_of_each_client() {
        let measured = |with: u64, without| Measured {
            copying_grew: with * FILE as u64,
            zero_copy_grew: without,
            rows: vec![],
            port: Port {
                id: SERVE.into(),
                workload: String::new(),
                unit: String::new(),
                copying: PortFigures::default(),
                zero_copy: PortFigures::default(),
            },
        };
        let verdicts = |measured| [memory(&measured).verdict, ten_files(&measured).verdict];
        assert_eq!(verdicts(measured(10, 640 << 10)), ["holds"; 2]);
        assert_eq!(verdicts(measured(10, 650 << 10)), ["does not hold", "holds"]);
        assert_eq!(verdicts(measured(8, 0)), ["does not hold"; 2]);
        let claim = memory(&measured(10, 640 << 10));
        assert!(claim.measured.contains("65536 KiB against 64 KiB"), "{}", claim.measured);
    }
}
