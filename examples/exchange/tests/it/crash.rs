//! A process that is killed while it runs a flow, says which orders are durable, and is made again of its log.
//! `cargo xtask long crash` kills a thousand.

use crate::record::WAYS;
use aqueduct_testkit::{Random, scale};
use exchange::{
    Error, Exchange, Log, Mode, Order, Source,
    flow::MARKET,
    generate::Generated,
    log::{Encoding, Folder, Fsync, Keeper, Options, Recovery},
};
use std::{
    env, fs,
    io::{BufRead, BufReader, Write, stdout},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::Ordering,
    time::Duration,
};

const TASK: &str = "EXCHANGE_CRASH_CHILD";
const SAYS: &str = "durable ";
const ORDERS: u64 = 8_000;
/// Orders between two snapshots.
const STRETCH: u64 = 2_500;

/// Says what is durable as soon as it is.
struct Telling {
    keeper: Keeper<Folder>,
    told: u64,
}

impl Telling {
    fn tell(&mut self) {
        let durable = self.keeper.durable().load(Ordering::Relaxed);
        if durable > self.told {
            self.told = durable;
            let mut out = stdout().lock();
            // A whole line at once; one that is cut says nothing.
            out.write_all(format!("{SAYS}{durable}.\n").as_bytes()).expect("a pipe");
            out.flush().expect("a pipe");
        }
    }
}

impl Log for Telling {
    fn record(&mut self, order: &Order) {
        self.keeper.record(order);
        self.tell();
    }

    fn rest(&mut self, idle: bool) -> bool {
        let open = self.keeper.rest(idle);
        self.tell();
        open
    }
}

/// So many orders of a flow.
struct Part<'a>(&'a mut Generated, u64);

impl Source for Part<'_> {
    fn next(&mut self, order: &mut Order) -> Result<bool, Error> {
        let Some(left) = self.1.checked_sub(1) else { return Ok(false) };
        self.1 = left;
        self.0.next(order)
    }
}

/// What a flow comes from, how it goes, and how its log is written.
#[derive(Clone, Copy)]
struct Task {
    seed: u64,
    way: usize,
    fsync: usize,
}

impl Task {
    fn new(random: &mut Random) -> Self {
        Self { seed: random.seed() >> 1, way: random.below(4), fsync: random.below(3) }
    }

    fn options(self) -> Options {
        let fsync = [
            Fsync::Group { every: Duration::from_micros(300), orders: 1_000 },
            Fsync::Group { every: Duration::MAX, orders: 300 },
            Fsync::Never,
        ][self.fsync];
        Options { fsync, encoding: Encoding::of(WAYS[self.way].0), segment: 300_000 }
    }

    fn fresh(self) -> Exchange {
        let accounts = Generated::accounts([3, 1_000][self.way % 2]).expect("sound");
        Exchange::new(accounts, &[MARKET], 1 << 12, ((), (), ()))
    }

    /// As it was left, or new; with what of the flow is still to come.
    fn recovered(self, folder: &Path) -> (Exchange<(), Telling>, Generated) {
        let folder = Folder::open(folder).expect("nobody else has it");
        let mut recovery = Recovery::new(folder).expect("a log that can be read");
        let mut exchange = self.fresh();
        exchange.recover(&mut recovery).expect("what was recorded comes out again");
        let keeper = Keeper::new(recovery.log(self.options()).expect("it goes on"));
        let mut flow = Generated::new(self.seed, ORDERS);
        let mut order = Order::default();
        (0..exchange.orders()).for_each(|_| assert!(flow.next(&mut order).expect("made up")));
        // Nobody listens to us, but for the child.
        let told = if env::var_os(TASK).is_some() { exchange.orders() } else { ORDERS };
        (exchange.with_log(Telling { keeper, told }).0, flow)
    }

    fn go_on(self, exchange: &mut Exchange<(), Telling>, flow: &mut Generated) {
        let (mode, threads): (Mode, bool) = WAYS[self.way];
        while exchange.orders() < ORDERS {
            let stretch = STRETCH - exchange.orders() % STRETCH;
            exchange.run(&mut Part(flow, stretch), mode, threads).expect("no file");
            let state = exchange.state().expect("small");
            let seq = exchange.orders();
            exchange.parts().1.keeper.snapshot(seq, &state).expect("a sound disk");
        }
    }

    fn child(self, folder: &Path) -> Child {
        let mut command = Command::new(env::current_exe().expect("we are one"));
        command.args(["--exact", "crash::the_child", "--nocapture", "--test-threads=1"]);
        let Self { seed, way, fsync } = self;
        command.env(TASK, format!("{seed} {way} {fsync} {}", folder.display()));
        command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it starts")
    }
}

/// The child's side: not a test where nobody asked for one.
#[test]
fn the_child() {
    let Ok(task) = env::var(TASK) else { return };
    let words: Vec<&str> = task.splitn(4, ' ').collect();
    let [seed, way, fsync, folder] = words[..] else { panic!("no such task: {task}") };
    let number = |word: &str| word.parse().expect("a number");
    let (way, fsync) = (number(way), number(fsync));
    let task = Task { seed: seed.parse().expect("a number"), way, fsync };
    let (mut exchange, mut flow) = task.recovered(Path::new(folder));
    task.go_on(&mut exchange, &mut flow);
}

/// Runs a child until it said that this order is durable, or ended, and kills it a little later. What it said
/// last.
fn killed(task: Task, folder: &Path, at: u64, random: &mut Random) -> u64 {
    let mut child = task.child(folder);
    let mut said = 0;
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let mut next = || {
        lines.by_ref().map_while(Result::ok).find_map(|line| {
            let said = line.split(SAYS).nth(1)?.strip_suffix('.')?;
            Some(said.parse::<u64>().expect("a number"))
        })
    };
    while said < at {
        let Some(durable) = next() else { break };
        said = durable;
    }
    std::thread::sleep(Duration::from_micros(random.below(3_000) as u64));
    child.kill().expect("it is ours");
    // What it said while it was being killed is in the pipe.
    while let Some(durable) = next() {
        said = durable;
    }
    let _ = child.wait().expect("it ends");
    said
}

#[test]
fn a_crash_loses_nothing_that_was_acknowledged() {
    let mut random = Random::unlike_others();
    let mut in_the_middle = 0;
    let points = scale(10).max(20);
    for point in 0..points {
        let task = Task::new(&mut random);
        let mut exchange = task.fresh();
        let (mode, threads) = WAYS[random.below(4)];
        exchange.run(&mut Generated::new(task.seed, ORDERS), mode, threads).expect("no file");
        let expected = exchange.state().expect("small");
        let folder = Fresh::new(point);
        let mut acknowledged = 0;
        for _ in 0..=random.below(2) {
            let at = acknowledged + random.below(4_000) as u64;
            acknowledged = killed(task, &folder.0, at, &mut random).max(acknowledged);
            let (exchange, _) = task.recovered(&folder.0);
            assert!(exchange.orders() >= acknowledged, "{} of {acknowledged}", exchange.orders());
            in_the_middle += usize::from(exchange.orders() < ORDERS);
        }
        let (mut exchange, mut flow) = task.recovered(&folder.0);
        task.go_on(&mut exchange, &mut flow);
        assert!(exchange.state().expect("small") == expected, "point {point}");
        drop(exchange);
        let mut whole = task.fresh();
        let log = Folder::open(&folder.0).expect("nobody else has it");
        whole.recover(&mut Recovery::whole(log).expect("sound")).expect("sound");
        assert!(whole.state().expect("small") == expected, "the whole log of point {point}");
    }
    assert!(in_the_middle * 2 > points, "only {in_the_middle} were killed in the middle");
}

struct Fresh(PathBuf);

impl Fresh {
    fn new(point: usize) -> Self {
        let name = format!("crash-{point}-{}", std::process::id());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&path);
        Self(path)
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
