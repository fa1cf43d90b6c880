//! What is wrong with a graph is said when it is built, by name.

use streamweave::{BuildError, Registry, Weave};

fn built(text: &str) -> Result<(), BuildError> {
    Registry::default().graph(text).map(drop)
}

const NODES: &str = r#"
[[node]]
name = "a"
operator = "generate"
[[node]]
name = "b"
operator = "merge"
inputs = 2
[[node]]
name = "c"
operator = "batch"
size = 2
[[node]]
name = "d"
operator = "count"
"#;

#[test]
fn names_and_types_of_a_description() {
    let name = str::to_owned;
    let edges = |edges: &str| built(&format!("edges = [{edges}]\n{NODES}"));
    for (text, wrong) in [
        (r#""a -> x""#, BuildError::UnknownNode(name("x"))),
        (r#""x -> b""#, BuildError::UnknownNode(name("x"))),
        (r#""a:9 -> b""#, BuildError::UnknownPort(name("a"), name("9"))),
        (r#""a -> b:in""#, BuildError::UnknownPort(name("b"), name("in"))),
        (r#""d -> b""#, BuildError::UnknownPort(name("d"), name("0"))),
        (r#""a -> b", "a -> b:0""#, BuildError::InputTwice(name("b"), name("0"))),
        (r#""a -> b", "a -> c", "a -> d""#, BuildError::InputUnused(name("b"), name("1"))),
        (r#""a -> b:0", "b -> b:1", "b -> c", "c -> d""#, BuildError::Cycle(name("b"))),
        (r#""a -> b:0", "a -> b:1", "b -> c", "c -> d""#, BuildError::NoOrder(name("c"))),
    ] {
        assert_eq!(edges(text).expect_err(text), wrong);
    }
    // The lists of a group-by have an order too.
    let merged = format!("edges = [\"a -> b:0\", \"a -> b:1\", \"b -> c\", \"c -> d\"]\n{NODES}");
    let grouped = merged.replace("\"batch\"\nsize = 2", "\"group-by\"");
    assert_eq!(built(&grouped), Err(BuildError::NoOrder(name("c"))));
    let twice = format!("{NODES}\n[[node]]\nname = \"a\"\noperator = \"count\"");
    assert_eq!(built(&twice), Err(BuildError::DuplicateNode(name("a"))));
    let list = "edges = [\"a -> c\", \"c -> u\"]\n[[node]]\nname = \"u\"\noperator = \"map\"\nto = \"upper\"";
    let kinds = [name("c"), name("a list"), name("u"), name("bytes")];
    let [c, gives, u, takes] = kinds;
    assert_eq!(built(&(list.to_owned() + NODES)), Err(BuildError::Mismatch(c, gives, u, takes)));
}

#[test]
fn operators_and_parameters_of_a_description() {
    let node = |rest: &str| built(&format!("[[node]]\nname = \"n\"\n{rest}"));
    let bad = |why: &str| BuildError::BadParameter("n".to_owned(), why.to_owned());
    let unknown = BuildError::UnknownParameter("n".to_owned(), "sise".to_owned());
    for (text, wrong) in [
        ("operator = \"sieve\"", BuildError::UnknownOperator("sieve".to_owned())),
        ("operator = \"generate\"\nsise = 1", unknown),
        ("", bad("\"operator\" is missing")),
        ("operator = \"batch\"", bad("\"size\" must be a number from 1 on")),
        ("operator = \"batch\"\nsize = 0", bad("\"size\" must be a number from 1 on")),
        ("operator = \"batch\"\nsize = \"x\"", bad("\"size\" must be a number from 0 on")),
        (
            "operator = \"count\"\npolicy = \"again\"",
            bad("policy is \"stop\", \"skip\" or \"retry N\""),
        ),
        (
            "operator = \"filter\"\ncontains = \"x\"\nmultiple_of = 2",
            bad("either \"contains\" or \"multiple_of\""),
        ),
        ("operator = \"map\"\nsuffix = \"x\"\nto = \"upper\"", bad("either \"suffix\" or \"to\"")),
        ("operator = \"window\"\ncount = 1\nmillis = 1", bad("either \"count\" or \"millis\"")),
        ("operator = \"pass\"\nworker = 1", bad("worker is for operators that run on one")),
        ("operator = \"pass\"\nthread = 1", bad("\"thread\" must be true or false")),
        ("operator = \"count\"", BuildError::InputUnused("n".to_owned(), "in".to_owned())),
    ] {
        assert_eq!(node(text), Err(wrong), "{text}");
    }
    assert_eq!(built(""), Err(BuildError::NoSource));
    assert!(matches!(built("edges = [1]"), Err(BuildError::Text(_))));
    assert!(matches!(built("edges = [\"a\"]"), Err(BuildError::Text(_))));
    assert!(matches!(built("= 5"), Err(BuildError::Text(_))));
    assert!(matches!(built("node = 5"), Err(BuildError::BadParameter(..))));
    assert!(matches!(built("bound = 0"), Err(BuildError::BadParameter(..))));
}

#[test]
fn the_typed_builder_says_at_the_end_what_was_wrong_first() {
    let mut weave = Weave::new();
    let numbers = weave.source("numbers", [1_i64]);
    let (one, _) = weave.collect::<i64>("sink");
    let (two, _) = weave.collect::<i64>("sink");
    weave.policy("nobody", streamweave::Policy::Skip);
    weave.connect(&numbers, one);
    weave.connect(&numbers, two);
    assert_eq!(weave.build().err(), Some(BuildError::DuplicateNode("sink".to_owned())));
    let mut weave = Weave::new();
    weave.own_thread("nobody");
    assert_eq!(weave.build().err(), Some(BuildError::UnknownNode("nobody".to_owned())));
}
