//! Every answer is pydantic's, byte for byte: tests/twin/models.py wrote down what it said.

use serde_json::Value as Json;
use web::model::{At, Check, Checker, Model, Tape, ToJson, Value, params};

use crate::models;

fn answer(checked: Option<impl ToJson>, checker: &Checker) -> (bool, String) {
    assert_eq!(checked.is_some(), checker.is_clean());
    let mut out = Vec::new();
    match &checked {
        Some(model) => model.write_json(&mut out),
        None => checker.write_detail(&mut out),
    }
    .expect("a Vec takes all");
    (checked.is_some(), String::from_utf8(out).expect("JSON is text"))
}

fn body<'a, T: Check<'a> + ToJson>(value: Value<'a>, copying: bool) -> (bool, String) {
    let mut checker = Checker::new(copying);
    let checked = T::check_at(value, &At::root("body"), &mut checker);
    answer(checked, &checker)
}

fn query<'a, T: Model<'a> + ToJson>(
    fields: web::model::Fields<'a>,
    copying: bool,
) -> (bool, String) {
    let mut checker = Checker::new(copying);
    let checked = params::<T>("query", |name, list| fields.param(name, list), &mut checker);
    answer(checked, &checker)
}

fn ours(model: &str, source: &str, input: &str, copying: bool) -> (bool, String) {
    let mut tape = Tape::default();
    if source == "query" {
        return query::<models::Asked<'_>>(tape.query(input), copying);
    }
    let value = tape.json(input.as_bytes()).expect("the twin could read it");
    match model {
        "User" => body::<models::User<'_>>(value, copying),
        "Item" => body::<models::Item<'_>>(value, copying),
        "Patch" => body::<models::Patch<'_>>(value, copying),
        "Order" => body::<models::Order<'_>>(value, copying),
        "Strict" => body::<models::Strict<'_>>(value, copying),
        "AnInt" => body::<models::AnInt<'_>>(value, copying),
        "Ruled" => body::<models::Ruled<'_>>(value, copying),
        "Signed" => body::<models::Signed<'_>>(value, copying),
        "AFloat" => body::<models::AFloat>(value, copying),
        "Range" => body::<models::Range>(value, copying),
        "Tenth" => body::<models::Tenth>(value, copying),
        "Least" => body::<models::Least>(value, copying),
        "ABool" => body::<models::ABool>(value, copying),
        "AText" => body::<models::AText<'_>>(value, copying),
        "AList" => body::<models::AList<'_>>(value, copying),
        "Numbers" => body::<models::Numbers<'_>>(value, copying),
        "Choice" => body::<models::Choice<'_>>(value, copying),
        "AnEmail" => body::<models::AnEmail<'_>>(value, copying),
        "AUrl" => body::<models::AUrl<'_>>(value, copying),
        "Unions" => body::<models::Unions<'_>>(value, copying),
        other => panic!("no model {other}"),
    }
}

#[test]
fn every_answer_is_the_twins() {
    let (mut cases, mut wrong) = (0, 0);
    for line in include_str!("../twin/models.jsonl").lines() {
        let case: Json = serde_json::from_str(line).expect("a line of JSON");
        let text = |key: &str| case[key].as_str().expect("text");
        let want = (case["ok"].as_bool().expect("a bool"), text("answer").to_owned());
        for copying in [false, true] {
            let got = ours(text("model"), text("source"), text("input"), copying);
            if got != want {
                wrong += 1;
                eprintln!(
                    "{} {:?}\n  got  {}\n  want {}",
                    text("model"),
                    text("input"),
                    got.1,
                    want.1
                );
            }
        }
        cases += 1;
    }
    assert!(cases >= 400, "{cases} cases");
    assert_eq!(wrong, 0, "answers differ");
}
