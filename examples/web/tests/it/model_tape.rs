//! The tape against what serde_json makes of the same document; where its strings lie; the writer.

use std::borrow::Cow;
use std::ops::Range;

use proptest::prelude::*;
use serde_json::Value as Json;
use web::model::{
    At, Check, Checker, Fault, Int, Items, Tape, ToJson, Value, latin1, params, write_f64,
};

use crate::models::{AUrl, AnInt, Asked, Order, User};

/// Whether `value` is `json`. Objects in `json` have each name once.
fn same(value: Value<'_>, json: &Json) -> bool {
    match (value, json) {
        (Value::Null, Json::Null) => true,
        (Value::Bool(a), Json::Bool(b)) => a == *b,
        (Value::Int(a), Json::Number(b)) => b.is_u64() != a.starts_with('-') && a == b.to_string(),
        (Value::Float(a), Json::Number(b)) => a.parse::<f64>().ok() == b.as_f64(),
        (Value::Text(a), Json::String(b)) => a == b,
        (Value::List(a), Json::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Map(a), Json::Object(b)) => {
            a.merged().count() == b.len()
                && b.iter().all(|(name, b)| a.get(name).is_some_and(|a| same(a, b)))
        }
        _ => false,
    }
}

fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<u64>().prop_map(Json::from),
        any::<f64>().prop_filter("-0 is an integer here", |f| *f != 0.0).prop_map(Json::from),
        ".{0,12}".prop_map(Json::from),
        "[a-z0-9\"\\\\\\n-]{0,8}".prop_map(Json::from),
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Json::from),
            prop::collection::vec((".{0,6}", inner), 0..6)
                .prop_map(|fields| Json::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn a_tape_is_what_serde_json_reads(json in any_json(), pretty: bool, other in any_json()) {
        let text = |json: &Json| {
            let text = if pretty { serde_json::to_string_pretty(json) } else { serde_json::to_string(json) };
            text.expect("a value")
        };
        let mut tape = Tape::default();
        // A tape that was used before.
        tape.json(text(&other).as_bytes()).expect("sound");
        let text = text(&json);
        let value = tape.json(text.as_bytes()).expect("sound");
        prop_assert!(same(value, &json), "{value:?}");
        let mut out = Vec::new();
        value.write_json(&mut out).expect("a Vec takes all");
        let mut tape = Tape::default();
        prop_assert!(same(tape.json(&out).expect("sound"), &json), "{}", out.escape_ascii());
    }

    #[test]
    fn what_is_no_json_is_none_for_serde_json(bytes in "[\\[\\]{}:,\"\\\\0-9a-etruflns. ä\n-]{0,24}") {
        let mut tape = Tape::default();
        let ours = tape.json(bytes.as_bytes()).is_ok();
        prop_assert_eq!(ours, serde_json::from_str::<Json>(&bytes).is_ok());
    }

    #[test]
    fn a_plain_url_is_what_the_parser_makes_of_it(
        url in "https?://([a-z0-9-]{1,5}|xn--[a-z0-9]{1,3}|[0-9]{1,3}|0x[0-9a-f]{1,2})(\\.[a-z0-9-]{0,4}){0,3}(/[a-zA-Z0-9._~%-]{0,4}){0,3}",
    ) {
        let body = format!("{{\"v\":\"{url}\"}}");
        let (mut tape, mut checker) = (Tape::default(), Checker::new(false));
        let value = tape.json(body.as_bytes()).expect("sound");
        let ours = AUrl::check_at(value, &At::root("body"), &mut checker).map(|m| m.v.to_string());
        prop_assert_eq!(ours, url::Url::parse(&url).ok().map(String::from));
    }

    #[test]
    fn a_float_is_read_as_it_was_written(value: f64) {
        prop_assume!(value.is_finite());
        let mut out = Vec::new();
        write_f64(&mut out, value).expect("finite");
        let text = String::from_utf8(out).expect("ASCII");
        prop_assert_eq!(text.parse::<f64>().map(f64::to_bits), Ok(value.to_bits()));
        prop_assert!(text.contains(['.', 'e']), "{}", text);
    }

    #[test]
    fn an_integer_of_any_length_is_written_back(text in "-?[1-9][0-9]{0,60}") {
        let body = format!("{{\"v\":{text}}}");
        let (mut tape, mut checker) = (Tape::default(), Checker::new(false));
        let value = tape.json(body.as_bytes()).expect("sound");
        let model = AnInt::check_at(value, &At::root("body"), &mut checker).expect("an integer");
        prop_assert_eq!(model.v.small(), text.parse::<i64>().ok());
        let mut out = Vec::new();
        model.v.write_json(&mut out).expect("a Vec takes all");
        prop_assert_eq!(out, text.as_bytes());
    }
}

#[test]
fn floats_are_written_as_python_does() {
    let cases = [
        (0.0, "0.0"),
        (-0.0, "-0.0"),
        (1.0, "1.0"),
        (0.1, "0.1"),
        (1e15, "1000000000000000.0"),
        (1e16, "1e+16"),
        (0.0001, "0.0001"),
        (0.00001, "1e-05"),
        (1.5e300, "1.5e+300"),
        (5e-324, "5e-324"),
        (123_456_789.123_456_79, "123456789.12345679"),
        (9_999_999_999_999_998.0, "9999999999999998.0"),
        (f64::MAX, "1.7976931348623157e+308"),
        (-2.5e-7, "-2.5e-07"),
    ];
    for (value, want) in cases {
        let mut out = Vec::new();
        write_f64(&mut out, value).expect("finite");
        assert_eq!(String::from_utf8_lossy(&out), want);
    }
    assert!(write_f64(&mut Vec::new(), f64::NAN).is_err());
    assert!(write_f64(&mut Vec::new(), f64::NEG_INFINITY).is_err());
}

/// Places are Python's for these; words are the parser's own.
#[test]
fn a_fault_says_where() {
    let cases = [
        ("{\"w\":", 5),
        ("{\"ä\":1,\n\"b\":x}", 12),
        ("[1 2]", 3),
        ("{\"a\":1}x", 7),
        ("", 0),
        ("{\"a\" 1}", 5),
        ("{'a':1}", 1),
    ];
    for (body, want) in cases {
        match Tape::default().json(body.as_bytes()) {
            Err(Fault::Syntax { at, error }) => {
                assert_eq!(at, want, "{body}: {error}");
                assert!(!error.is_empty() && !error.contains(" at line "), "{error}");
            }
            other => panic!("{body}: {other:?}"),
        }
    }
    assert_eq!(Tape::default().json(b"\"\xff\"").err(), Some(Fault::NotText));
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let deep = |levels| [&open.repeat(levels), "1", &close.repeat(levels)].concat();
        assert!(Tape::default().json(deep(128).as_bytes()).is_ok());
        let fault = Tape::default().json(deep(129).as_bytes()).err();
        let error = "recursion limit exceeded".to_owned();
        assert_eq!(fault, Some(Fault::Syntax { at: open.len() * 128, error }));
    }

    let mut checker = Checker::new(false);
    checker.invalid_json(5, "Expecting value");
    let mut out = Vec::new();
    checker.write_detail(&mut out).expect("a Vec takes all");
    let want = r#"{"detail":[{"type":"json_invalid","loc":["body",5],"msg":"JSON decode error","input":{},"ctx":{"error":"Expecting value"}}]}"#;
    assert_eq!(String::from_utf8_lossy(&out), want);
}

#[test]
fn a_missing_body_and_one_that_is_no_json_are_fastapis() {
    let mut checker = Checker::new(false);
    checker.missing(&At::root("body"), Value::Null);
    let text = Value::Text("{\"w\":1}");
    assert!(AnInt::check_at(text, &At::root("body"), &mut checker).is_none());
    let want = r#"{"type":"missing","loc":["body"],"msg":"Field required","input":null},{"type":"model_attributes_type","loc":["body"],"msg":"Input should be a valid dictionary or object to extract fields from","input":"{\"w\":1}"}"#;
    assert_eq!(String::from_utf8_lossy(checker.errors()), want);
    checker.begin(false);
    assert!(checker.is_clean());
}

const ORDER: &str = r#"{"customer": {"name": "Änn", "email": "ann@x.org", "age": 7, "website": "http://x.org",
  "address": {"street": "S 1", "city": "C", "zip": "12345"}, "tags": ["red", "", "blue"]},
  "lines": [{"sku": "ABC-1234", "count": 2, "note": "soon"}, {"sku": "XYZ-0000", "count": "3"}],
  "ref": "r-7"}"#;

fn inside(outer: &Range<*const u8>, text: &str) -> bool {
    let inner = text.as_bytes().as_ptr_range();
    outer.start <= inner.start && inner.end <= outer.end
}

#[test]
fn every_borrowed_string_lies_in_the_body() {
    let body = ORDER.replace("\"\"", "\"green\"");
    let range = body.as_bytes().as_ptr_range();
    let (mut tape, mut checker) = (Tape::default(), Checker::new(false));
    let before = aqueduct::meter::thread();
    let value = tape.json(body.as_bytes()).expect("sound");
    let order = Order::check_at(value, &At::root("body"), &mut checker).expect("valid");
    assert_eq!((aqueduct::meter::thread() - before).bytes, 0);

    let customer = &order.customer;
    let address = customer.address.as_ref().expect("there is one");
    let mut texts = vec![customer.name.clone(), address.street.clone(), address.city.clone()];
    texts.extend(customer.tags.iter());
    texts.extend(order.lines.iter().map(|line| line.sku));
    texts.extend(order.lines.iter().filter_map(|line| line.note));
    assert_eq!(texts, ["Änn", "S 1", "C", "red", "green", "blue", "ABC-1234", "XYZ-0000", "soon"]);
    for text in &texts {
        assert!(matches!(text, Cow::Borrowed(text) if inside(&range, text)), "{text}");
    }
    assert!(inside(&range, &customer.email));
    assert_eq!(order.lines.iter().map(|line| line.count).sum::<i64>(), 5);

    // The other mode gives the same, in strings of its own, and counts them.
    let mut copying = Checker::new(true);
    let before = aqueduct::meter::thread();
    let copy = Order::check_at(value, &At::root("body"), &mut copying).expect("valid");
    let copied = aqueduct::meter::thread() - before;
    assert!(matches!(copy.customer.name, Cow::Owned(_)));
    // Name, e-mail, URL, three of the address (one by default, which is nobody's copy), the ref.
    let fields = "Änn".len() + "ann@x.org".len() + "http://x.org".len() + "S 1C12345".len() + 3;
    assert_eq!((copied.bytes, copied.copies), (fields as u64, 7));
    let skus: Vec<_> = copy.lines.iter().map(|line| line.sku).collect();
    assert!(skus.iter().all(|sku| matches!(sku, Cow::Owned(_))));
    let json = |order: &Order<'_>| {
        let mut out = Vec::new();
        order.write_json(&mut out).expect("a Vec takes all");
        out
    };
    assert_eq!(json(&copy), json(&order));
}

#[test]
fn strings_with_escapes_are_kept_beside_the_body() {
    let body = r#"{"name": "a\tb\u00e9", "e\u006dail": "a@b.c", "x": ["\\\"", -1.5e3, "\ud83d\ude00"], "age": 12}"#;
    let (mut tape, mut checker) = (Tape::default(), Checker::new(false));
    let user =
        User::check_at(tape.json(body.as_bytes()).expect("sound"), &At::root("body"), &mut checker);
    let user = user.expect("valid");
    assert_eq!((&*user.name, &*user.email, user.age), ("a\tbé", "a@b.c", 12));
    assert!(!inside(&body.as_bytes().as_ptr_range(), &user.name));
    assert!(inside(&body.as_bytes().as_ptr_range(), &user.email));
}

#[test]
fn parameters_are_borrowed_where_they_can_be() {
    let query = "tag=red&tag=a%20b&skip=7&q=abc";
    let (mut tape, mut checker) = (Tape::default(), Checker::new(false));
    let fields = tape.query(query);
    let asked: Asked<'_> =
        params("query", |name, list| fields.param(name, list), &mut checker).expect("valid");
    assert_eq!(asked.tag.iter().collect::<Vec<_>>(), ["red", "a b"]);
    assert_eq!((asked.skip, asked.q.as_deref(), &*asked.sort), (Int::Small(7), Some("abc"), "asc"));
    let range = query.as_bytes().as_ptr_range();
    assert!(inside(&range, &asked.tag.iter().next().expect("red")));
    assert!(asked.nums.is_empty() && Items::none().is_empty());

    assert_eq!(Tape::default().path("/a+b"), "/a+b");
    assert_eq!(Tape::default().path("/%C3%a4%2fb+%4"), "/ä/b+%4");
    assert_eq!(latin1(b"\xe4bc"), "äbc");
    assert!(matches!(latin1(b"abc"), Cow::Borrowed("abc")));
}
