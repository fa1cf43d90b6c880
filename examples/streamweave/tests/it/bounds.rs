//! No more than there may be, and nothing held up.

use crate::{
    peers::{SOON, pair},
    processes::Process,
    random::Folder,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{
    fs,
    io::Write,
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    thread,
    time::{Duration, Instant},
};
use streamweave::{
    BuildError, Cluster, Codec, Executor, Graph, Item, Json, Message, Mode, Payload, Registry,
    State, Typed, Weave, fuzzed,
};

/// A slow sink on one worker, and how many items were under way at most.
fn slow(bound: usize, thread: bool, seen: &Arc<[AtomicU64; 3]>) -> Graph {
    let (at_map, at_sink) = (seen.clone(), seen.clone());
    let mut weave = Weave::new();
    let numbers = weave.source("numbers", 0..1500_i64);
    let (map, mapped) = weave.map("map", move |n: i64| {
        at_map[0].fetch_add(1, SeqCst);
        n
    });
    let sink = weave.sink("sink", move |n: i64| {
        if n % 128 == 0 {
            thread::sleep(Duration::from_millis(5));
        }
        let under_way = at_sink[0].load(SeqCst) - at_sink[1].fetch_add(1, SeqCst);
        at_sink[2].fetch_max(under_way, SeqCst);
        Ok(())
    });
    weave.place("sink", 1);
    weave.connect(&numbers, map);
    weave.connect(&mapped, sink);
    if thread {
        weave.own_thread("sink");
    }
    weave.build().expect("sound").with_bound(bound)
}

#[test]
fn no_more_than_the_bound_is_under_way_whatever_it_is() {
    for bound in [1, 2, 3, 48, 100] {
        let most = |run: &dyn Fn(&Arc<[AtomicU64; 3]>)| {
            let seen = Arc::new([(); 3].map(|()| AtomicU64::new(0)));
            run(&seen);
            assert_eq!(seen[1].load(SeqCst), 1500);
            seen[2].load(SeqCst)
        };
        let within = |mode: Mode| {
            most(&|seen| {
                Executor::new(slow(bound, true, seen), mode.clone()).run().expect("it runs")
            })
        };
        // One more is in the hands of the thread that waits for room.
        for mode in [Mode::InProcess, Mode::Copying] {
            let got = within(mode);
            assert!(got <= bound as u64 + 1, "{got} in process, not {bound}");
        }
        let got = within(Mode::Distributed(Cluster::alone(2)));
        assert!(got <= bound as u64, "{got} on two workers, not {bound}");
        let got = most(&|seen| {
            let mut both = pair(|| slow(bound, false, seen), Mode::Distributed);
            both.iter_mut().for_each(|executor| executor.start().expect("ready"));
            both.iter_mut().for_each(|executor| executor.wait().expect("it runs"));
        });
        assert!(got <= bound as u64, "{got} between two processes, not {bound}");
        assert!(bound < 40 || got >= bound as u64 / 4, "{got} are too few to say anything");
    }
}

#[test]
fn numbers_that_nothing_has_so_many_of_are_refused() {
    for (node, name) in [
        ("operator = \"broadcast\"\noutputs = 9000000000000000000", "outputs"),
        ("operator = \"merge\"\ninputs = 9000000000000000000", "inputs"),
        ("operator = \"generate\"\nrate = 0", "rate"),
        ("operator = \"generate\"\nkeys = 9000000000", "keys"),
        ("operator = \"generate\"\nsize = 9000000000", "size"),
    ] {
        let wrong = Registry::default().graph(&format!("[[node]]\nname = \"n\"\n{node}"));
        let Err(BuildError::BadParameter(node, why)) = wrong else { panic!("{wrong:?}") };
        assert!(node == "n" && why.contains(name), "{why}");
    }
    let folder = Folder::new("count");
    let path = folder.0.join("graph.toml");
    fs::write(&path, "").expect("written");
    let (status, _, said) = Process::start(&path, &["-n", "99999999999999"]).wait(SOON);
    assert!(!status.success() && said.contains("--processes"), "{said}");
}

/// A value that holds others of its kind.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Tree(Vec<Tree>);

/// Graphs, values as JSON, and what peers send with an item.
#[test]
fn t20_a_million_deep_on_a_small_stack_is_an_error() {
    const DEEP: usize = 1_000_000;
    let nested = |open: &str, close: &str, levels| {
        [&open.repeat(levels), "1", &close.repeat(levels)].concat()
    };
    let read = move || {
        for (before, open, close) in [
            ("edges = ", "[", ""),
            ("edges = ", "{a=", "}"),
            ("", "a.", ""),
            ("edges = {", "a.", "=1}"),
            ("[", "a.", ""),
        ] {
            for levels in [60, 79, 80, DEEP] {
                let text = format!("{before}{}", nested(open, close, levels));
                assert!(Registry::default().graph(&text).is_err(), "{before}{open} {levels}");
            }
        }
        for (open, close) in [("[", ""), ("[", "]"), (r#"{"a":"#, "}"), (r#"["\"[",{"a":"#, "}]")] {
            let payload = Payload::from(nested(open, close, DEEP).into_bytes());
            assert!(Typed::<Value>::from_payload(payload.clone()).is_err(), "{open}");
            assert!(Typed::<Tree>::from_payload(payload).is_err(), "{open}");
        }
        for (open, close, levels) in
            [("[", "]", 20), (r#"{"a":"#, "}", 20), (r#"["\"[",{"]":"#, "}]", 10)]
        {
            let values = |levels| Json::decode::<Value>(nested(open, close, levels).as_bytes());
            assert!(values(levels).is_ok() && values(levels + 1).is_err(), "{open}");
        }
        let item = fuzzed::write(&[(0, Message::default())], usize::MAX);
        for word in [1_u64, 0x0101_0101_0101_0101, 0x5b5b_5b5b_5b5b_5b5b] {
            let meta = word.to_le_bytes().repeat(DEEP);
            let mut item = [&item[..], &meta].concat();
            item[12..16].fill(0);
            item[16..20].copy_from_slice(&(meta.len() as u32).to_le_bytes());
            assert!(fuzzed::read(item).is_err(), "{word:x}");
        }
    };
    let small = thread::Builder::new().stack_size(64 << 10).spawn(read).expect("it starts");
    small.join().expect("a stack that is large enough");
}

/// One that is skipped is skipped whole.
#[test]
fn a_line_without_an_end_is_refused_whole() {
    let folder = Folder::new("endless");
    let at = folder.0.display();
    for (last, policy, want) in
        [("\nb\n", "skip", Some("a\nb\n")), ("", "skip", Some("a\n")), ("", "stop", None)]
    {
        fs::write(folder.0.join("in"), format!("a\n{}{last}", "x".repeat(40 << 20)))
            .expect("written");
        let text = format!(
            "edges = [\"in -> out\"]\n[[node]]\nname = \"in\"\noperator = \"lines\"\npath = \"{at}/in\"\n\
             policy = \"{policy}\"\n[[node]]\nname = \"out\"\noperator = \"file\"\npath = \"{at}/out\"\n"
        );
        let graph = Registry::default().graph(&text).expect("sound");
        let mut executor = Executor::new(graph, Mode::InProcess);
        let result = executor.run();
        assert_eq!((result.is_ok(), executor.metrics().failures("in")), (want.is_some(), Some(1)));
        if let Some(want) = want {
            assert_eq!(fs::read_to_string(folder.0.join("out")).expect("written"), want);
        }
    }
}

/// A client that says nothing holds up no other source of its worker.
#[test]
fn a_silent_client_holds_up_no_other_source() {
    let folder = Folder::new("silent");
    let port = TcpListener::bind("127.0.0.1:0").expect("free").local_addr().expect("bound");
    let text = format!(
        "edges = [\"in -> out\", \"numbers -> count\"]\n[[node]]\nname = \"in\"\noperator = \"tcp-lines\"\n\
         listen = \"{port}\"\nconnections = 1\n[[node]]\nname = \"out\"\noperator = \"file\"\n\
         path = \"{}/out\"\n[[node]]\nname = \"numbers\"\noperator = \"generate\"\ncount = 5000\n\
         [[node]]\nname = \"count\"\noperator = \"count\"\n",
        folder.0.display()
    );
    let graph = Registry::default().graph(&text).expect("sound");
    let mut executor = Executor::new(graph, Mode::Distributed(Cluster::alone(1)));
    let metrics = executor.metrics();
    executor.start().expect("ready");
    let begun = Instant::now();
    let mut client = loop {
        match TcpStream::connect(port) {
            Ok(client) => break client,
            Err(error) => assert!(begun.elapsed() < SOON, "{error}"),
        }
    };
    while metrics.items("count") < Some(5000) {
        assert!(begun.elapsed() < SOON, "{:?} of 5000", metrics.items("count"));
        thread::sleep(Duration::from_millis(1));
    }
    client.write_all(b"last\n").expect("heard");
    drop(client);
    assert_eq!(executor.state(), State::Running);
    executor.wait().expect("it runs");
    assert_eq!(fs::read_to_string(folder.0.join("out")).expect("written"), "last\n");
}
