//! The relay as a program: threads, signals, and what is said at the end.

use std::{net::SocketAddr, time::Duration};

use aqueduct::meter;
use clap::Args;
use example_common::{Program, command};
use serde_json::json;

use super::{Mode, Options, Totals, Xor, serve};
use crate::Error;
use crate::cli::{parse_seconds, parse_size};
use crate::summary::{line, significant};

/// The command line of `patterns relay`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Where clients connect; port 0 is any, and said
    #[arg(long, value_name = "ADDR")]
    listen: SocketAddr,
    /// Where their bytes go
    #[arg(long, value_name = "ADDR")]
    to: SocketAddr,
    /// How they get there
    #[arg(long, value_enum, default_value = "pipe")]
    mode: Mode,
    /// Change every byte, both ways: `xor` with 255, `xor:KEY` with another number below 256
    #[arg(long, value_name = "HOW", value_parser = parse_transform)]
    transform: Option<Xor>,
    /// Bytes held at most for each direction of a connection, with KiB, MiB or GiB where wanted
    #[arg(long, value_name = "SIZE", default_value = "256KiB", value_parser = parse_size)]
    cap: usize,
    /// Cut off who says nothing, either way, for S seconds
    #[arg(long, value_name = "S", value_parser = parse_seconds)]
    idle: Option<Duration>,
    /// When interrupted, let connections go on for S seconds at most
    #[arg(long, value_name = "S", default_value = "5", value_parser = parse_seconds)]
    grace: Duration,
    /// Threads, each with an accept loop of its own
    #[arg(long, value_name = "N", default_value_t = 1,
          value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: u16,
    /// Print what was done as JSON
    #[arg(long)]
    json: bool,
}

fn parse_transform(text: &str) -> Result<Xor, String> {
    let wanted = || format!("expected xor, or xor: and a number below 256, found {text:?}");
    match text.strip_prefix("xor").ok_or_else(wanted)? {
        "" => Ok(Xor(0xff)),
        key => {
            let key = key.strip_prefix(':').ok_or_else(wanted)?;
            key.parse().map(Xor).map_err(|_| wanted())
        }
    }
}

/// Relays until a signal ends it, and gives what is to be said then.
pub(crate) fn run(arguments: &Arguments) -> Result<String, Error> {
    let failed = |name: &str| {
        let name = name.to_owned();
        move |source| Error::Io { name, source }
    };
    let options = Options {
        transform: arguments.transform,
        cap: arguments.cap,
        idle: arguments.idle,
        grace: arguments.grace,
        ..Options::new(arguments.to, arguments.mode)
    };
    options.check().map_err(failed("relay"))?;
    let program = Program::listen("", arguments.listen);
    let program = program.map_err(failed(&arguments.listen.to_string()))?;
    let (before, cpu) = (meter::process(), command::cpu_time());
    let done = program.run(arguments.threads.into(), async |listener, mut stopped| {
        serve(listener, options.clone(), stopped.changed()).await
    });
    let mut totals = Totals::default();
    done.map_err(failed("relay"))?.into_iter().for_each(|more| totals += more);
    let copied = meter::process() - before;
    let done = Done { arguments, totals, copied: copied.bytes, cpu: command::cpu_time() - cpu };
    Ok(if arguments.json { done.json() } else { done.table() })
}

/// What was done, to be said.
struct Done<'a> {
    arguments: &'a Arguments,
    totals: Totals,
    /// Bytes copied in this process.
    copied: u64,
    cpu: Duration,
}

impl Done<'_> {
    fn mode(&self) -> String {
        command::name(self.arguments.mode)
    }

    /// So much for each byte forwarded.
    fn per_byte(&self, of: f64) -> f64 {
        of / self.totals.bytes().max(1) as f64
    }

    fn copied_per_byte(&self) -> f64 {
        self.per_byte(self.copied as f64)
    }

    fn cpu_us_per_mib(&self) -> f64 {
        self.per_byte(self.cpu.as_secs_f64() * 1e6) * f64::from(1 << 20)
    }

    fn table(&self) -> String {
        let Totals { connections, aborted, unreachable, to_target, to_clients, lines, .. } =
            self.totals;
        let mut out = format!("relay to {}, {}\n\n", self.arguments.to, self.mode());
        let seen = self.arguments.mode.sees_bytes();
        let lines = if seen { lines.to_string() } else { "not seen".to_owned() };
        for (what, figure) in [
            ("connections", connections.to_string()),
            ("aborted", aborted.to_string()),
            ("target unreachable", unreachable.to_string()),
            ("bytes to the target", to_target.to_string()),
            ("bytes to clients", to_clients.to_string()),
            ("lines", lines),
            ("bytes copied / byte", significant(self.copied_per_byte())),
            ("CPU, ms", significant(self.cpu.as_secs_f64() * 1e3)),
            ("CPU, us / MiB", significant(self.cpu_us_per_mib())),
        ] {
            line(&mut out, format_args!("{what:<20}{figure:>16}"));
        }
        out
    }

    fn json(&self) -> String {
        let totals = self.totals;
        let object = json!({
            "mode": self.mode(),
            "connections": totals.connections,
            "aborted": totals.aborted,
            "unreachable": totals.unreachable,
            "bytes_to_target": totals.to_target,
            "bytes_to_clients": totals.to_clients,
            "lines": self.arguments.mode.sees_bytes().then_some(totals.lines),
            "bytes_copied_per_byte": self.copied_per_byte(),
            "cpu_ms": self.cpu.as_secs_f64() * 1e3,
            "cpu_us_per_mib": self.cpu_us_per_mib(),
        });
        format!("{object}\n")
    }
}
