//! The page of every kind of report: partial, empty, hostile, and without sensible figures.

use std::env;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use regex::Regex;

use super::*;
use crate::report::{Floor, Operation, Port, PortFigures, SCHEMA};
use crate::stats::Summary;

/// Names that would be markup, requests or the plots' own markers if they were not escaped.
const HOSTILE: [&str; 10] = [
    "pool.get",
    "pool.<script src=\"//x.example/a.js\"></script>",
    "\"><img src=x onerror=alert(1)>",
    "' onload='alert(1)",
    "</svg></style></title><link rel=stylesheet href=https://x.example/a.css>",
    "&lt;b&gt; & <b>",
    "url(https://x.example/a.png)",
    "\"#000005\"",
    "\u{0}\n\t\u{202e}\u{fffd}",
    "a name that is far longer than any label of a plot may be, and longer than the window, too",
];

fn name() -> impl Strategy<Value = String> {
    prop_oneof![select(&HOSTILE[..]).prop_map(str::to_owned), ".{0,40}"]
}

fn word() -> impl Strategy<Value = &'static str> {
    select(&HOSTILE[..])
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => 0.1..1e4,
        1 => proptest::num::f64::ANY,
        1 => select(vec![0.0, -0.0, 1e-300, 1e-9, 1e15, f64::MAX, f64::MIN, f64::NAN]),
        1 => select(vec![f64::INFINITY, f64::NEG_INFINITY, f64::MIN_POSITIVE]),
    ]
}

fn summary() -> impl Strategy<Value = Summary> {
    (number(), number()).prop_map(|(min, median)| Summary { min, median })
}

prop_compose! {
    fn operation()(
        (id, target) in (name(), prop_oneof![Just(String::new()), name()]),
        unit in prop_oneof![Just("ns"), word()],
        better in prop_oneof![Just("lower"), Just("higher"), word()],
        ours in summary(),
        peers in proptest::collection::btree_map(word(), summary(), 0..4),
        floor in proptest::option::of((word(), number())),
        met in any::<bool>(),
        limits in vec(number(), 0..3),
        notes in proptest::collection::btree_map(word(), word(), 0..4),
    ) -> Operation {
        let floor = floor.map(|(name, median)| Floor { name, median });
        Operation { id, unit, better, ours, peers, floor, target, met, limits, notes }
    }
}

prop_compose! {
    fn mode()(numbers in [number(), number(), number(), number(), number(), number(), number()],
              peak_rss_bytes in any::<u64>()) -> PortFigures {
        let [throughput, p50_ns, p99_ns, bytes_copied_per_op, copies_per_op, inlined_per_op,
             allocations_per_op] = numbers;
        PortFigures { throughput, p50_ns, p99_ns, bytes_copied_per_op, copies_per_op,
                      inlined_per_op, allocations_per_op, peak_rss_bytes }
    }
}

prop_compose! {
    fn port()(id in name(), workload in name(), unit in name(), copying in mode(),
              zero_copy in mode()) -> Port {
        Port { id, workload, unit, copying, zero_copy }
    }
}

prop_compose! {
    fn claim()(document in word(), claim in name(), measured in name(), how in name(),
               verdict in prop_oneof![Just("holds"), Just("does not hold"), word()]) -> Claim {
        Claim { document, claim, measured, verdict, how }
    }
}

prop_compose! {
    fn any_report()(
        (cpu, kernel, rustc, commit, rmw_ns) in (name(), name(), name(), name(), number()),
        operations in vec(operation(), 0..6),
        ports in vec(port(), 0..3),
        claims in vec(claim(), 0..4),
    ) -> Report {
        let machine = Machine { cpu, cores: 2, kernel, rustc, commit, rmw_ns };
        Report { schema: SCHEMA, machine, operations, ports, claims }
    }
}

fn report(operations: Vec<Operation>) -> Report {
    let name = || "x".to_owned();
    let machine = Machine {
        cpu: name(),
        cores: 2,
        kernel: name(),
        rustc: name(),
        commit: name(),
        rmw_ns: 4.8,
    };
    Report { schema: SCHEMA, machine, operations, ports: vec![], claims: vec![] }
}

fn row(id: &str, met: bool) -> Operation {
    Operation {
        id: id.into(),
        unit: "ns",
        better: "lower",
        ours: Summary { min: 2.25, median: 2.5 },
        peers: [("bytes", Summary { min: 20.0, median: 25.0 })].into(),
        floor: Some(Floor { name: "one copy", median: 1.5 }),
        target: "<= 3 ns".into(),
        met,
        limits: vec![3.0],
        notes: [("bytes", "counts nothing")].into(),
    }
}

fn text(report: &Report) -> String {
    page(report).expect("it can be drawn").into_string()
}

/// What the page consists of: elements that load nothing, attributes that load nothing, links within
/// it, and a style without addresses.
fn asks_nobody(page: &str) {
    let elements: BTreeSet<&str> =
        "!DOCTYPE html head meta title style body main header section h1 \
        h2 h3 p a dl div dt dd code ul li span strong details summary table thead tbody tr th td \
        svg rect circle line polyline text"
            .split(' ')
            .collect();
    let attributes: BTreeSet<&str> =
        "lang charset http-equiv content name class id role aria-label \
        href tabindex scope colspan width height viewBox x y x1 y1 x2 y2 dx dy cx cy r points fill \
        stroke stroke-width opacity text-anchor font-family font-size font-weight transform"
            .split(' ')
            .collect();
    let tag = Regex::new(r#"<(/?)([^\s>/]*)((?:[^">]|"[^"]*")*)>"#).expect("a pattern");
    let attribute = Regex::new(r#"([^\s="]+)="([^"]*)""#).expect("a pattern");
    let mut text = 0;
    let mut rest = String::new();
    for found in tag.captures_iter(page) {
        assert!(elements.contains(&found[2]), "{}", &found[0]);
        for pair in attribute.captures_iter(&found[3]) {
            assert!(attributes.contains(&pair[1]), "{}", &found[0]);
            assert!(&pair[1] != "href" || pair[2].starts_with("#row-"), "{}", &found[0]);
            let labels = ["aria-label", "content"];
            assert!(labels.contains(&&pair[1]) || !pair[2].contains("//"), "{}", &found[0]);
        }
        let whole = found.get(0).expect("a match has a whole");
        rest += &page[text..whole.start()];
        text = whole.end();
    }
    rest += &page[text..];
    assert!(!rest.contains('<'), "a tag that is none");
    let style = include_str!("page.css");
    assert!(!["url", "http", "@import", "//"].iter().any(|word| style.contains(word)));
    for element in ["svg", "table", "section", "main"] {
        let count = |mark: &str| page.matches(&format!("{mark}{element}")).count();
        assert_eq!(count("<"), count("</"), "{element}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_report_has_a_page_that_asks_nobody(report in any_report()) {
        asks_nobody(&text(&report));
    }
}

#[test]
fn what_asks_somebody_is_found() {
    for page in ["<img>", "<p src=\"x\"></p>", "<a href=\"//x\"></a>", "<p", "<svg>"] {
        let found = std::panic::catch_unwind(|| asks_nobody(page));
        assert!(found.is_err(), "{page}");
    }
}

#[test]
fn an_empty_report_has_a_page() {
    let page = text(&report(vec![]));
    asks_nobody(&page);
    assert!(page.contains("No row of this run has a target."));
    assert!(!page.contains("<svg"));
}

#[test]
fn the_verdict_links_to_what_was_missed() {
    let rows = || vec![row("pool.a", true), row("pool.b", false)];
    let page = text(&report(rows()));
    assert!(page.contains("1 of 2 targets met."));
    assert!(page.contains("<a href=\"#row-1\">pool.b</a>") && page.contains("id=\"row-1\""));
    assert!(text(&report(vec![row("pool.a", true)])).contains("All 1 targets met."));
}

#[test]
fn every_figure_is_drawn_and_tabled() {
    let page = text(&report(vec![row("pool.a", true)]));
    // Two sizes of the plot, one table.
    assert_eq!(page.matches("<svg").count(), 2);
    assert_eq!(page.matches("\nbytes *\n").count(), 2, "it has a note");
    for word in ["pool.a", "aqueduct", "one copy", "2.50", "25.00", "1.50"] {
        let drawn = page.split("<svg").skip(1).filter(|svg| svg.contains(&format!("\n{word}\n")));
        assert_eq!(drawn.count(), 2, "{word}");
        assert!(page.contains(&format!(">{word}<")), "{word}");
    }
    assert!(
        page.contains(">bytes<") && page.contains(">20.00<") && page.contains(">counts nothing<")
    );
    assert!(page.contains("ns, lower is better"), "the axis has its unit");
    assert!(page.contains("var(--ours)") && page.contains("var(--target)"));
    assert!(!page.contains("\"#0000"), "no marker is left");
}

#[test]
fn rows_of_one_family_and_unit_share_a_plot() {
    let mut other = row("pipe.b", true);
    other.unit = "us/MB";
    let rows = vec![row("pipe.a", true), row("pool.a", true), other, row("pipe.c", true)];
    let page = text(&report(rows));
    assert_eq!(page.matches("<h2>").count(), 3 + 1, "and one above them all");
    assert_eq!(page.matches("<svg").count(), 6);
}

#[test]
fn the_first_screen_says_what_a_copy_costs_and_who_is_quickest() {
    let mut share = row("share.4096", true);
    let price = |median| Summary { min: median, median };
    share.peers = [("copied", price(63.0)), ("copied-cold", price(321.0))].into();
    let (mut won, mut lost) = (row("slice.clone_drop", true), row("ring.event", true));
    won.peers = [("bytes", price(27.5)), ("copying", price(0.1))].into();
    lost.peers = [("disruptor", price(1.25))].into();
    let page = text(&report(vec![share, won, lost]));
    let summary = page.split("All operations").next().expect("the first part");
    let cells = summary.split("<td ").skip(1).filter_map(|cell| cell.split_once('>'));
    let best = cells.filter(|(class, _)| class.contains("best"));
    let best: Vec<_> = best.filter_map(|(_, cell)| cell.split('<').next()).collect();
    assert_eq!(best, ["2.50", "2.50 ns", "1.25 ns"]);
    for figure in [">4096<", "share 4096 bytes", ">63.00<", ">321.0<", ">27.50 ns<"] {
        assert!(summary.contains(figure), "{figure}");
    }
}

#[test]
fn every_claim_stands_once_under_its_document() {
    let claim = |document| Claim {
        document,
        claim: "faster".into(),
        measured: "slower".into(),
        verdict: "does not hold",
        how: "with a clock".into(),
    };
    let mut report = report(vec![]);
    report.claims = ["001", "000", "001"].map(claim).into();
    let page = text(&report);
    assert_eq!(page.matches("<h3>").count(), 2);
    for words in [">does not hold<", "\u{201c}faster\u{201d}", ">slower<", ">with a clock.<"] {
        assert_eq!(page.matches(words).count(), 3, "{words}");
    }
    assert!(page.contains("0 of the documents\u{2019} 3 claims hold."));
}

#[test]
fn what_cannot_be_plotted_is_tabled() {
    let mut row = row("pool.a", true);
    row.ours = Summary { min: f64::INFINITY, median: f64::NAN };
    row.peers = [("bytes", Summary { min: -1.0, median: 1e300 })].into();
    (row.floor, row.limits) = (None, vec![f64::NAN]);
    let page = text(&report(vec![row]));
    assert!(page.contains("No figure of this run can be plotted."));
    assert!(page.contains(">1.00e300<") && page.contains(">\u{2013}<"));
}

#[test]
fn the_page_goes_beside_files_only() {
    let folder = env::temp_dir().join(format!("copy-cost-page-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    for (name, page) in [("a.json", Some("a.html")), ("b", Some("b.html")), ("c.html", None)] {
        let json = folder.join(name);
        assert_eq!(beside(&json), None, "there is no such file");
        fs::write(&json, "{}").expect("a file");
        assert_eq!(beside(&json), page.map(|page| folder.join(page)));
    }
    assert_eq!(beside(Path::new("/dev/null")), None);
    write(&report(vec![row("pool.a", true)]), &folder.join("a.html")).expect("a page");
    let written = fs::read_to_string(folder.join("a.html")).expect("the page");
    assert!(written.starts_with("<!DOCTYPE html>"));
    fs::remove_dir_all(folder).expect("it was made");
}
