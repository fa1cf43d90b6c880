//! The command line.

use crate::{
    Cluster, Error, Executor, Graph, Metrics, Mode, Registry,
    bench::{self, Settings},
    serve,
};
use aqueduct::meter;
use clap::{Args, Parser, Subcommand, ValueEnum};
use example_common::{Ending, command};
use indicatif::{HumanCount, ProgressBar, ProgressState, ProgressStyle};
use std::{
    env, fmt, fs,
    io::{self, Write},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{self, ExitCode},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};
use tokio::runtime::Builder;

const NAME: &str = "streamweave";
/// Between two looks at a run.
const LOOK: Duration = Duration::from_millis(200);
/// The subcommand of a process of a measurement.
const JOB: &str = "bench-job";
/// Where processes listen, from the first on, where no file says it.
const PORT: usize = 2101;

/// One dataflow graph: in process without copies, or across machines
#[derive(Debug, Parser)]
#[command(name = NAME, version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs a graph until its sources end
    ///
    /// A signal ends the sources, here and in all other processes, and then the run; a second one ends it at once.
    /// With `-n`, one of several processes, each of which is started with the same graph and with an index
    /// of its own. They are neither encrypted nor authenticated, and when one fails, all do.
    #[command(disable_help_flag = true)]
    Run(Arguments),
    /// Says how fast items go through four nodes
    ///
    /// A source, a map that changes nothing, a filter that all pass, and a sink or several, each way in
    /// processes of its own.
    Bench {
        /// Bytes of each item
        #[arg(long, default_value_t = 1024, value_parser = parse_payload)]
        payload: usize,
        /// Sinks that each item goes to
        #[arg(long, default_value_t = 1, value_parser = parse_fan_out)]
        fan_out: usize,
        /// How items travel; all ways in turns unless given
        #[arg(long = "mode")]
        way: Option<bench::Way>,
        /// How long items come, in each round
        #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u64).range(10..=60_000))]
        milliseconds: u64,
        /// How often each way is measured
        #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=1_000))]
        rounds: u64,
    },
    /// One measurement, or a process of it
    #[command(name = JOB, hide = true)]
    Job { job: String },
    /// Writes a graph in the language of graphviz
    Dot {
        /// The graph, in TOML
        graph: PathBuf,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Way {
    /// Nodes call one another, nothing is copied
    InProcess,
    /// As in process, with each item as JSON text on each edge
    Copying,
    /// On timely dataflow
    Distributed,
    /// On timely dataflow; what holds no state runs on all workers only under load
    Hybrid,
}

#[derive(Debug, Args)]
struct Arguments {
    /// The graph, in TOML
    graph: PathBuf,
    /// How it is run
    #[arg(long, default_value = "in-process")]
    mode: Way,
    /// This process among them, from 0 on
    #[arg(short = 'p', long, value_name = "INDEX", default_value_t = 0)]
    process: u16,
    /// How many processes there are
    #[arg(short = 'n', long, value_name = "COUNT", default_value_t = 1,
          value_parser = clap::value_parser!(u16).range(1..=1024))]
    processes: u16,
    /// A file with each process' address on a line; else localhost, from port 2101 on
    #[arg(short = 'h', long, value_name = "HOSTS")]
    hosts: Option<PathBuf>,
    /// Worker threads of each process
    #[arg(short = 'w', long, value_name = "COUNT", default_value_t = 1,
          value_parser = clap::value_parser!(u16).range(1..=1024))]
    workers: u16,
    /// How long processes may take to find one another
    #[arg(long, value_name = "SECONDS", default_value_t = 30,
          value_parser = clap::value_parser!(u64).range(1..=86_400))]
    deadline: u64,
    /// Payloads of so many bytes and more go between processes as LZ4
    #[arg(long, value_name = "BYTES")]
    lz4: Option<usize>,
    /// Items per second above which hybrid runs everywhere
    #[arg(long, value_name = "RATE", default_value_t = 1e6, value_parser = parse_threshold)]
    threshold: f64,
    /// Serve metrics in Prometheus' format at this address
    #[arg(long, value_name = "ADDR")]
    metrics: Option<SocketAddr>,
    /// Print help
    #[arg(long, action = clap::ArgAction::Help)]
    help: (),
}

impl Arguments {
    /// Whether they ask for what one thread does not have.
    fn of_several(&self) -> bool {
        let Self { process, processes, hosts, workers, lz4, .. } = self;
        *process > 0 || *processes > 1 || *workers > 1 || hosts.is_some() || lz4.is_some()
    }
}

/// Runs the command line of this process. `allocations` gives the allocations so far of the thread that asks,
/// where the program counts them.
#[must_use]
pub fn main(allocations: fn() -> u64) -> ExitCode {
    command::end(NAME, execute(Cli::parse().command, allocations))
}

fn execute(command: Command, allocations: fn() -> u64) -> Result<String, Error> {
    match command {
        Command::Run(arguments) => run(&arguments),
        Command::Dot { graph } => Ok(read(&graph)?.dot()),
        Command::Bench { payload, fan_out, way, milliseconds, rounds } => {
            let program =
                env::current_exe().map_err(|error| Error::Io("the program".into(), error))?;
            let start = |job: &str| {
                let mut command = process::Command::new(&program);
                command.args([JOB, job]);
                command
            };
            let ways = way.map_or(bench::ALL.into(), |way| vec![way]);
            let settings = Settings { payload, fan_out, ways, milliseconds, rounds };
            bench::measure(&settings, &start).map(|report| format!("{report}\n"))
        }
        Command::Job { job } => bench::job(&job, allocations),
    }
}

fn text(path: &Path) -> Result<String, Error> {
    fs::read_to_string(path).map_err(|error| Error::Io(path.to_owned(), error))
}

fn read(path: &Path) -> Result<Graph, Error> {
    Ok(Registry::default().graph(&text(path)?)?)
}

fn cluster(arguments: &Arguments) -> Result<Cluster, Error> {
    let count = usize::from(arguments.processes);
    let addresses: Vec<String> = match &arguments.hosts {
        Some(path) => text(path)?.lines().take(count).map(|line| line.trim().to_owned()).collect(),
        None => (0..count).map(|at| format!("localhost:{}", PORT + at)).collect(),
    };
    if addresses.len() < count {
        let why = format!("{} addresses are not enough for {count} processes", addresses.len());
        return Err(Error::Cluster(why));
    }
    Ok(Cluster {
        workers: arguments.workers.into(),
        deadline: Duration::from_secs(arguments.deadline),
        pack_from: arguments.lz4.unwrap_or(usize::MAX),
        ..Cluster::new(arguments.process.into(), addresses)?
    })
}

fn run(arguments: &Arguments) -> Result<String, Error> {
    let graph = read(&arguments.graph)?;
    let mode = match arguments.mode {
        Way::InProcess => Mode::InProcess,
        Way::Copying => Mode::Copying,
        Way::Distributed => Mode::Distributed(cluster(arguments)?),
        Way::Hybrid => Mode::Hybrid(cluster(arguments)?, arguments.threshold),
    };
    if matches!(mode, Mode::InProcess | Mode::Copying) && arguments.of_several() {
        let why = "-p, -n, -h, -w and --lz4 are for the modes distributed and hybrid";
        return Err(Error::Cluster(why.to_owned()));
    }
    let names: Vec<String> = graph.names().map(str::to_owned).collect();
    let mut executor = Executor::new(graph, mode);
    let metrics = executor.metrics();
    if let Some(address) = arguments.metrics {
        let served = serve::metrics(address, metrics.clone());
        let at = served.map_err(|error| Error::Io(address.to_string().into(), error))?;
        // For who asked for any port; nobody may be reading.
        let _ = writeln!(io::stderr(), "metrics at http://{at}/metrics");
    }
    let (begun, before) = (Instant::now(), meter::process());
    on_signals(executor.stopper()).map_err(|error| Error::Io("signals".into(), error))?;
    executor.start()?;
    let line = line(metrics.clone());
    let ended = executor.wait();
    line.finish_and_clear();
    ended?;
    let (time, copied) = (begun.elapsed(), meter::process() - before);
    let mut summary = String::new();
    for name in names {
        let (items, failures) = (metrics.items(&name), metrics.failures(&name));
        let (items, failures) = (items.unwrap_or(0), failures.unwrap_or(0));
        let rate = items as f64 / time.as_secs_f64();
        summary += &format!("{name}: {items} items, {rate:.0}/s");
        summary += &if failures > 0 { format!(", {failures} failures\n") } else { "\n".to_owned() };
    }
    let (copies, bytes) = (copied.copies, copied.bytes);
    Ok(summary + &format!("{:.3} s, {copies} copies of {bytes} bytes\n", time.as_secs_f64()))
}

/// The first signal ends sources, and so the run in order; the second one ends the program.
fn on_signals(stop: impl Fn() + Send + 'static) -> io::Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let within = runtime.enter();
    let mut ending = Ending::catch()?;
    drop(within);
    let signals = move || {
        runtime.block_on(ending.come());
        stop();
        runtime.block_on(ending.come());
        command::end(NAME, Err::<&str, _>(Error::Aborted));
        process::exit(1);
    };
    thread::Builder::new().name("weave-signals".to_owned()).spawn(signals).map(drop)
}

/// Shows itself on a terminal only: what went through nodes so far, and how much a second since the last look.
fn line(metrics: Arc<Metrics>) -> ProgressBar {
    let last = Arc::new(Mutex::new((Instant::now(), 0)));
    let rates = move |_: &ProgressState, line: &mut dyn fmt::Write| {
        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
        let (now, total) = (Instant::now(), metrics.total());
        let rate = (total - last.1) as f64 / (now - last.0).as_secs_f64();
        *last = (now, total);
        // It is written to memory.
        let _ = write!(line, "{} through nodes, {rate:.0}/s", HumanCount(total));
    };
    let style = ProgressStyle::with_template("{spinner} {elapsed_precise} {rates}");
    let style = style.unwrap_or_else(|_| ProgressStyle::default_spinner());
    let line = ProgressBar::new_spinner().with_style(style.with_key("rates", rates));
    line.enable_steady_tick(LOOK);
    line
}

fn parse_threshold(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|rate: &f64| *rate >= 0.0).ok_or("a number from 0 on".into())
}

fn parse_payload(text: &str) -> Result<usize, String> {
    // Larger ones would be frames that timely does not take.
    text.parse()
        .ok()
        .filter(|payload| (1..=16 << 20).contains(payload))
        .ok_or("1 to 16777216".into())
}

fn parse_fan_out(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|sinks| (1..=1_000).contains(sinks)).ok_or("1 to 1000".into())
}
