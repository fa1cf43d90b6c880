//! Random graphs, and what comes of them by a naive reckoning: each node's whole output from its whole
//! input, node by node.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    path::{Path, PathBuf},
};
use streamweave::{Message, Meta};

/// One item as the oracle sees it.
#[derive(Clone, Debug)]
struct Item {
    text: String,
    key: String,
}

/// An output that nothing is led to yet.
#[derive(Clone, Debug)]
struct Stream {
    port: String,
    items: Vec<Item>,
    /// The order of all items is defined.
    ordered: bool,
    /// Texts still say which source and branch they are of.
    tagged: bool,
}

/// A step: which operator, on which stream, with what parameter.
pub(crate) type Step = (u8, u8, u8);

/// A graph, and what must come to its sinks.
#[derive(Debug, Default)]
pub(crate) struct Random {
    nodes: String,
    edges: Vec<String>,
    names: usize,
    open: Vec<Stream>,
    sinks: Vec<Stream>,
}

fn number(text: &str) -> Option<i64> {
    text.split(' ').next()?.parse().ok()
}

/// The one of two outputs that a key goes to.
fn port_of(key: &str) -> u64 {
    let meta = Meta::default().with_key(key);
    Message { meta, ..Message::default() }.key_hash().rotate_left(32) % 2
}

impl Random {
    pub(crate) fn new(sources: &[(u8, u8)], steps: &[Step]) -> Self {
        let mut graph = Self::default();
        for &(count, keys) in sources {
            graph.source(u64::from(count) * 2, u64::from(keys) + 1);
        }
        for &step in steps {
            graph.step(step);
        }
        for stream in std::mem::take(&mut graph.open) {
            let sink = graph.sinks.len();
            let file = format!("operator = \"file\"\npath = \"@/{sink}\"\nworker = {sink}\n");
            let name = graph.node(&file);
            graph.edges.push(format!("{} -> {name}", stream.port));
            graph.sinks.push(stream);
        }
        graph
    }

    fn node(&mut self, text: &str) -> String {
        self.names += 1;
        let name = format!("n{}", self.names);
        self.nodes += &format!("[[node]]\nname = \"{name}\"\npolicy = \"skip\"\n{text}");
        name
    }

    fn source(&mut self, count: u64, keys: u64) {
        let text = format!("operator = \"generate\"\ncount = {count}\nkeys = {keys}\n");
        let name = self.node(&text.replace("policy = \"skip\"\n", ""));
        let item = |n: u64| Item { text: n.to_string(), key: format!("k{}", n % keys) };
        let items = (0..count).map(item).collect();
        self.open.push(Stream { port: name, items, ordered: true, tagged: true });
        let last = self.open.len() - 1;
        self.tag(last);
    }

    /// Leads a stream to a node, and puts what comes of it in its place.
    fn lead(&mut self, at: usize, text: &str, work: impl Fn(Vec<Item>) -> Vec<Item>) {
        let name = self.node(text);
        let stream = &mut self.open[at];
        self.edges.push(format!("{} -> {name}", stream.port));
        stream.port = name;
        stream.items = work(std::mem::take(&mut stream.items));
    }

    fn tag(&mut self, at: usize) {
        let tag = format!(" t{}", self.names);
        let text = format!("operator = \"map\"\nsuffix = \"{tag}\"\n");
        self.lead(at, &text, |mut items| {
            items.iter_mut().for_each(|item| item.text += &tag);
            items
        });
    }

    /// Leads a stream to a node with two outputs, each tagged.
    fn split(&mut self, at: usize, text: &str, parts: [Vec<Item>; 2]) {
        let name = self.node(text);
        let stream = self.open.remove(at);
        self.edges.push(format!("{} -> {name}", stream.port));
        for (port, items) in parts.into_iter().enumerate() {
            self.open.push(Stream { port: format!("{name}:{port}"), items, ..stream });
            let last = self.open.len() - 1;
            self.tag(last);
        }
    }

    fn step(&mut self, (kind, pick, value): Step) {
        let at = usize::from(pick) % self.open.len();
        let n = i64::from(value % 5) + 1;
        let few = usize::from(value % 50) + 1;
        let thread = if value & 64 == 0 { "" } else { "thread = true\n" };
        let ordered = self.open[at].ordered;
        match kind % 17 {
            0 => self.lead(at, &format!("operator = \"pass\"\n{thread}"), |items| items),
            1 => {
                let text = format!("operator = \"filter\"\nmultiple_of = {n}\n{thread}");
                self.lead(at, &text, |mut items| {
                    items.retain(|item| number(&item.text).is_some_and(|i| i % n == 0));
                    items
                });
            }
            2 => self.lead(at, "operator = \"map\"\nto = \"upper\"\n", |mut items| {
                items.iter_mut().for_each(|item| item.text.make_ascii_uppercase());
                items
            }),
            3 => {
                self.open[at].tagged = false;
                let parts = |item: Item| -> Vec<Item> {
                    let part = |text: &str| Item { text: text.into(), key: item.key.clone() };
                    item.text.split(' ').map(part).collect()
                };
                let text = format!("operator = \"flat-map\"\nsplit = \" \"\n{thread}");
                self.lead(at, &text, |items| items.into_iter().flat_map(parts).collect());
            }
            4 => self.lead(at, &format!("operator = \"key\"\nfield = 0\n{thread}"), |mut items| {
                for item in &mut items {
                    item.key = item.text.split(' ').next().unwrap().to_owned();
                }
                items
            }),
            5 if ordered => {
                let text = format!("operator = \"take\"\ncount = {few}\nworker = {value}\n");
                self.lead(at, &text, |items| items.into_iter().take(few).collect());
            }
            6 if ordered => {
                let text = format!("operator = \"skip\"\ncount = {few}\nworker = {value}\n");
                self.lead(at, &text, |items| items.into_iter().skip(few).collect());
            }
            7 | 8 if ordered => self.batch(at, kind % 17 == 7, n, thread),
            9 => self.reduce(at, value),
            10 => {
                let both = [self.open[at].items.clone(), self.open[at].items.clone()];
                self.split(at, "operator = \"broadcast\"\noutputs = 2\n", both);
            }
            11 if ordered => self.halves(at, "round-robin", |i, _| i % 2 == 1),
            12 | 13 => self.merge(at, thread),
            // One output to two inputs.
            14 => {
                let twin = self.open[at].clone();
                self.open.push(twin);
                let last = self.open.len() - 1;
                self.tag(at);
                self.tag(last);
            }
            15 if ordered => self.group(at, thread),
            16 => self.halves(at, "partition", |_, item| port_of(&item.key) == 1),
            _ => {}
        }
    }

    /// Leads a stream to a router with two outputs.
    fn halves(&mut self, at: usize, router: &str, second: impl Fn(usize, &Item) -> bool) {
        let half = |port: bool| -> Vec<Item> {
            let items = self.open[at].items.iter().enumerate();
            let own = items.filter(|(i, item)| second(*i, item) == port);
            own.map(|(_, item)| item.clone()).collect()
        };
        let halves = [half(false), half(true)];
        self.split(at, &format!("operator = \"{router}\"\noutputs = 2\n"), halves);
    }

    /// Groups come in any order, and the items of each in theirs.
    fn group(&mut self, at: usize, thread: &str) {
        self.lead(at, "operator = \"group-by\"\n", |items| items);
        self.open[at].ordered = false;
        self.lead(at, &format!("operator = \"unbatch\"\n{thread}"), |items| items);
    }

    fn batch(&mut self, at: usize, batch: bool, n: i64, thread: &str) {
        let kind = if batch { "batch\"\nsize" } else { "window\"\ncount" };
        self.lead(at, &format!("operator = \"{kind} = {n}\n"), |items| items);
        // A batch has the key of its first.
        let keys = |items: Vec<Item>| {
            let batch = |batch: &[Item]| {
                let key = batch[0].key.clone();
                let item = |item: &Item| Item { text: item.text.clone(), key: key.clone() };
                batch.iter().map(item).collect::<Vec<_>>()
            };
            items.chunks(n as usize).flat_map(batch).collect()
        };
        self.lead(at, &format!("operator = \"unbatch\"\n{thread}"), keys);
    }

    fn reduce(&mut self, at: usize, value: u8) {
        let count = value.is_multiple_of(2);
        let text =
            format!("operator = \"reduce\"\nto = \"{}\"\n", ["sum", "count"][usize::from(count)]);
        self.open[at].ordered = false;
        self.open[at].tagged = false;
        self.lead(at, &text, |items| {
            let mut keys = BTreeMap::new();
            for item in items {
                let add = if count { Some(1) } else { number(&item.text) };
                if let Some(add) = add {
                    *keys.entry(item.key).or_insert(0) += add;
                }
            }
            let total = |(key, total): (String, i64)| Item { text: total.to_string(), key };
            keys.into_iter().map(total).collect()
        });
    }

    fn merge(&mut self, at: usize, thread: &str) {
        if self.open.len() < 2 {
            return;
        }
        let one = self.open.remove(at);
        let two = self.open.remove(at % self.open.len());
        let name = self.node(&format!("operator = \"merge\"\ninputs = 2\n{thread}"));
        let tagged = one.tagged && two.tagged;
        let items = one.items.into_iter().chain(two.items).collect();
        for (port, from) in [one.port, two.port].into_iter().enumerate() {
            self.edges.push(format!("{from} -> {name}:{port}"));
        }
        self.open.push(Stream { port: name, items, ordered: false, tagged });
    }

    /// The graph in TOML, with its files in a folder.
    pub(crate) fn text(&self, folder: &Path) -> String {
        let folder = folder.to_str().expect("a name in UTF-8");
        let text = format!("bound = 32\nedges = {:?}\n{}", self.edges, self.nodes);
        text.replace('@', folder)
    }

    /// Fails unless the folder holds what the oracle reckons.
    pub(crate) fn check(&self, folder: &Path, mode: &str) {
        for (at, sink) in self.sinks.iter().enumerate() {
            let text = fs::read_to_string(folder.join(at.to_string())).expect("written");
            let got: Vec<&str> = text.lines().collect();
            let want: Vec<&str> = sink.items.iter().map(|item| item.text.as_str()).collect();
            let what = || format!("{mode}, sink {at} of {}", self.text(folder));
            assert_eq!(sorted(&got), sorted(&want), "{}", what());
            if sink.tagged {
                let keys = sink.items.iter().map(|item| (&*item.text, &*item.key)).collect();
                assert_eq!(grouped(&got, &keys), grouped(&want, &keys), "order: {}", what());
            }
        }
    }
}

fn sorted<'a>(lines: &[&'a str]) -> Vec<&'a str> {
    let mut lines = lines.to_vec();
    lines.sort_unstable();
    lines
}

/// Lines by source and branch, which their tags say, and by key.
fn grouped<'a>(
    lines: &[&'a str],
    keys: &HashMap<&'a str, &'a str>,
) -> BTreeMap<(&'a str, &'a str), Vec<&'a str>> {
    let mut groups = BTreeMap::new();
    for line in lines {
        let tags = line.split_once(' ').map_or("", |(_, tags)| tags);
        groups.entry((tags, keys[line])).or_insert_with(Vec::new).push(*line);
    }
    groups
}

/// A folder of a test's own, gone with it.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let name = format!("{name}-{}", std::process::id());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&folder).expect("made");
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
