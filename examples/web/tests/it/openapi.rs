//! The description of the demonstration application against the tables of the README.

use crate::app::{ask, line};
use regex::Regex;
use serde_json::{Value, json};
use web::{Mode, demo::demo};

const README: &str = include_str!("../../README.md");

/// Rules by the README's names and by OpenAPI's.
const RULES: [(&str, &str); 11] = [
    ("min_length", "minLength"),
    ("max_length", "maxLength"),
    ("pattern", "pattern"),
    ("ge", "minimum"),
    ("gt", "exclusiveMinimum"),
    ("le", "maximum"),
    ("lt", "exclusiveMaximum"),
    ("multiple_of", "multipleOf"),
    ("min_items", "minItems"),
    ("max_items", "maxItems"),
    ("unique_items", "uniqueItems"),
];

/// Rows of the README's tables that begin so.
fn rows(begin: &str) -> Vec<Vec<&'static str>> {
    let begin = Regex::new(begin).unwrap();
    let rows = README.lines().filter(|line| begin.is_match(line));
    rows.map(|line| line.trim_matches('|').split('|').map(str::trim).collect()).collect()
}

/// The kinds that a schema allows: itself, or each of several.
fn kinds(schema: &Value) -> Vec<&Value> {
    let several = schema["anyOf"].as_array();
    several.map_or_else(|| vec![schema], |several| several.iter().flat_map(kinds).collect())
}

/// Counts what `text` says of fields, `` `name: kind = default` (rules) ``, and what `find` gives of
/// them: whether each is required, and its schema.
fn compare(text: &str, find: impl Fn(&str) -> Option<(bool, Value)>) -> [usize; 2] {
    let field = Regex::new(r"`([a-z_-]+): ([^`=]+?)(?: = ([^`]+))?`(?: (?:[a-z-]+ )?\(([^)]*)\))?")
        .unwrap();
    let mut found = [0; 2];
    for field in field.captures_iter(text) {
        let [name, kind] = [1, 2].map(|i| &field[i]);
        let (default, rules) = (field.get(3), field.get(4).map_or("", |rules| rules.as_str()));
        let (required, schema) = find(name).unwrap_or_else(|| panic!("{name} is not described"));
        assert_eq!(required, default.is_none(), "{name}: required");
        if let Some(default) = default {
            let default: Value = serde_json::from_str(default.as_str()).expect("JSON");
            // A float's is written as one or not.
            assert_eq!(schema["default"], default, "{name}: default");
        }
        found[0] += 1;
        found[1] += of_kind(name, kind, &schema);
        let (own, each) = rules.split_once("each ").unwrap_or((rules, ""));
        found[1] += of_rules(name, own, kinds(&schema)[0]);
        found[1] += of_rules(name, each, &schema["items"]);
    }
    found
}

/// How many things `kind` says.
fn of_kind(name: &str, kind: &str, schema: &Value) -> usize {
    let allowed = kinds(schema);
    if kind.contains('"') {
        let words: Vec<&str> = kind.split(" or ").map(|word| word.trim_matches('"')).collect();
        assert_eq!(schema["enum"], json!(words), "{name}");
        return 1;
    }
    let words: Vec<&str> = kind.split(" or ").collect();
    assert_eq!(allowed.len(), words.len(), "{name}: {kind} is {schema}");
    for (word, schema) in words.iter().zip(allowed) {
        let (key, want) = match *word {
            "str" => ("type", "string"),
            "int" => ("type", "integer"),
            "float" => ("type", "number"),
            "bool" => ("type", "boolean"),
            "null" => ("type", "null"),
            "email" => ("format", "email"),
            "url" => ("format", "uri"),
            list if list.starts_with("list[") => ("type", "array"),
            model => ("$ref", &*format!("#/components/schemas/{model}")),
        };
        assert_eq!(schema[key], want, "{name}: {schema}");
    }
    words.len()
}

/// How many rules there are.
fn of_rules(name: &str, rules: &str, schema: &Value) -> usize {
    let rule = Regex::new(r"([a-z_]+)(?: (`[^`]+`|[0-9.]+))?(?:[,;]|$)").unwrap();
    let known = rule.captures_iter(rules).filter_map(|rule| {
        let (_, key) = RULES.iter().find(|(rule_name, _)| *rule_name == &rule[1])?;
        let want = match rule.get(2).map(|argument| argument.as_str()) {
            None => json!(true),
            Some(text) if text.starts_with('`') => json!(text.trim_matches('`')),
            Some(number) => json!(number.parse::<f64>().expect("a number")),
        };
        Some((*key, want))
    });
    let mut count = 0;
    for (key, want) in known {
        let same = schema[key] == want || schema[key].as_f64().is_some_and(|got| want == got);
        assert!(same, "{name}: {key} is {} and not {want}", schema[key]);
        count += 1;
    }
    count
}

fn described(answer: &str) -> Value {
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    assert!(head.contains("\r\ncontent-type: application/json\r\n"), "{head}");
    serde_json::from_str(body).expect("JSON")
}

#[test]
fn openapi_describes_each_model_and_each_rule_of_the_readme() {
    let service = demo(Mode::ZeroCopy).unwrap().finish();
    let document = described(&ask(&service, &line("GET", "/openapi.json")));
    assert_eq!(document["openapi"], "3.1.0");
    let (models, mut found) = (rows(r"^\| `[A-Z]"), [0; 2]);
    let schemas = document["components"]["schemas"].as_object().expect("there are");
    assert_eq!((models.len(), schemas.len()), (7, 7));
    for row in models {
        let schema = &schemas[row[0].trim_matches('`')];
        assert_eq!(
            (&schema["title"], &schema["type"]),
            (&json!(row[0].trim_matches('`')), &json!("object"))
        );
        let closed = row[0] == "`Strict`";
        assert_eq!(schema["additionalProperties"] == false, closed);
        let required =
            |name: &str| schema["required"].as_array().is_some_and(|r| r.contains(&json!(name)));
        let [fields, rules] =
            compare(row[1], |name| Some((required(name), schema["properties"].get(name)?.clone())));
        assert_eq!(
            fields,
            schema["properties"].as_object().expect("there are").len(),
            "{}",
            row[0]
        );
        found = [found[0] + fields, found[1] + rules];
    }
    assert!(found[0] == 29 && found[1] > 60, "{found:?}");
}

#[test]
fn openapi_describes_each_route_of_the_readme() {
    let service = demo(Mode::ZeroCopy).unwrap().finish();
    let document = described(&ask(&service, &line("GET", "/openapi.json")));
    let (routes, mut found) = (rows(r"^\| [0-9]+ \|"), [0; 2]);
    let route = Regex::new(r"^`([A-Z]+) ([^`]+)`(.*)$").unwrap();
    assert_eq!(routes.len(), 17);
    for row in routes {
        let parts = route.captures(row[1]).expect("a route");
        let path = parts[2].replace(":path}", "}");
        let operation = &document["paths"][&path][parts[1].to_ascii_lowercase()];
        assert!(operation["responses"]["200"].is_object(), "{}", row[1]);
        let parameters = operation["parameters"].as_array().map_or(&[][..], Vec::as_slice);
        let [fields, rules] = compare(&parts[3], |name| {
            let found = parameters.iter().find(|parameter| parameter["name"] == name)?;
            let place = found["in"].as_str().expect("a place");
            let said = if path.contains(&format!("{{{name}}}")) { "path" } else { place };
            assert_eq!(said, place, "{name}");
            Some((found["required"] == true, found["schema"].clone()))
        });
        // The rest of a path has no rules, so it is not repeated behind the route.
        let rest = usize::from(parts[2].contains(":path}"));
        assert_eq!(fields + rest, parameters.len(), "{}", row[1]);
        let body = parts[3].split_once("body `").map(|(_, rest)| rest.split('`').next().unwrap());
        let want = body.map(|model| json!(format!("#/components/schemas/{model}")));
        let got = &operation["requestBody"]["content"]["application/json"]["schema"]["$ref"];
        assert_eq!(*got, want.unwrap_or(Value::Null), "{}", row[1]);
        found = [found[0] + fields, found[1] + rules];
    }
    let methods = document["paths"].as_object().expect("there are").values();
    assert_eq!(methods.map(|path| path.as_object().expect("methods").len()).sum::<usize>(), 17);
    assert_eq!(found, [16, 31]);
}
