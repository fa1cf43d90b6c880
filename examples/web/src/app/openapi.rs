//! The description of an application: OpenAPI 3.1, made once.

use crate::model::{Field, Rules, Schema, Shape};
use serde_json::{Map, Value, json};

/// Collects what one operation takes.
#[derive(Debug, Default)]
pub struct Doc {
    parameters: Vec<Value>,
    body: Option<Value>,
    schemas: Map<String, Value>,
    /// A field that cannot be, and why.
    pub(super) unfit: Option<(&'static str, &'static str)>,
}

impl Doc {
    /// The fields of a model are parameters in `place`: `path`, `query` or `header`.
    pub fn parameters(&mut self, place: &str, schema: &'static Schema) {
        for field in schema.fields {
            let described = self.field(field);
            let required = place == "path" || field.default.is_none();
            let name = field.name;
            if place != "query" && matches!(field.shape, Shape::List(_)) {
                self.unfit = Some((name, "a list is read from a query or a body alone"));
            }
            let parameter =
                json!({"name": name, "in": place, "required": required, "schema": described});
            self.parameters.push(parameter);
        }
    }

    /// The body is a model, as JSON.
    pub fn body(&mut self, schema: &'static Schema) {
        let content = json!({"application/json": {"schema": self.model(schema)}});
        self.body = Some(json!({"required": true, "content": content}));
    }

    /// A parameter of the path that `template` does not have.
    pub(super) fn unbound(&self, template: &str) -> Option<&str> {
        // Two of them are a brace.
        let template = template.replace("{{", "").replace("{*", "{");
        let of_path = self.parameters.iter().filter(|parameter| parameter["in"] == "path");
        let mut names = of_path.filter_map(|parameter| parameter["name"].as_str());
        names.find(|name| !template.contains(&format!("{{{name}}}")))
    }

    /// A reference to a model, which is described once.
    fn model(&mut self, schema: &'static Schema) -> Value {
        if !self.schemas.contains_key(schema.name) {
            self.schemas.insert(schema.name.into(), Value::Null);
            let mut properties = Map::new();
            for field in schema.fields {
                let described = self.field(field);
                properties.insert(field.name.into(), described);
            }
            let required: Vec<&str> = schema
                .fields
                .iter()
                .filter(|field| field.default.is_none())
                .map(|field| field.name)
                .collect();
            let mut object =
                json!({"title": schema.name, "type": "object", "properties": properties});
            if !required.is_empty() {
                object["required"] = json!(required);
            }
            if schema.closed {
                object["additionalProperties"] = json!(false);
            }
            self.schemas.insert(schema.name.into(), object);
        }
        json!({"$ref": format!("#/components/schemas/{}", schema.name)})
    }

    fn field(&mut self, field: &'static Field) -> Value {
        if !field.rules.fit(&field.shape) {
            let why = "bounds of an integer are whole, and a multiple is of more than zero";
            self.unfit = Some((field.name, why));
        }
        let mut described = self.shape(&field.shape, &field.rules);
        if let (Some(default), Some(object)) = (field.default, described.as_object_mut()) {
            let default = serde_json::from_str(default).unwrap_or(Value::Null);
            object.insert("default".into(), default);
        }
        described
    }

    fn shape(&mut self, shape: &'static Shape, rules: &Rules) -> Value {
        match shape {
            Shape::Str => text(json!({"type": "string"}), rules),
            Shape::Email => text(json!({"type": "string", "format": "email"}), rules),
            Shape::Url => text(json!({"type": "string", "format": "uri"}), rules),
            Shape::Int => number("integer", rules),
            Shape::Float => number("number", rules),
            Shape::Bool => json!({"type": "boolean"}),
            Shape::List(item) => {
                let item = self.shape(item, rules.each.unwrap_or(&Rules::NONE));
                let mut list = json!({"type": "array", "items": item});
                set(&mut list, "minItems", rules.min_items.map(Value::from));
                set(&mut list, "maxItems", rules.max_items.map(Value::from));
                set(&mut list, "uniqueItems", rules.unique_items.then_some(Value::Bool(true)));
                list
            }
            Shape::Nullable(inner) => {
                json!({"anyOf": [self.shape(inner, rules), {"type": "null"}]})
            }
            Shape::Either(a, b) => json!({"anyOf": [self.shape(a, rules), self.shape(b, rules)]}),
            Shape::Model(schema) => self.model(schema),
        }
    }
}

fn text(mut described: Value, rules: &Rules) -> Value {
    set(&mut described, "minLength", rules.min_length.map(Value::from));
    set(&mut described, "maxLength", rules.max_length.map(Value::from));
    set(&mut described, "pattern", rules.pattern.map(|pattern| pattern().text().into()));
    set(&mut described, "enum", (!rules.one_of.is_empty()).then(|| json!(rules.one_of)));
    described
}

fn number(kind: &str, rules: &Rules) -> Value {
    let mut described = json!({"type": kind});
    let bounds = [
        ("minimum", rules.ge),
        ("exclusiveMinimum", rules.gt),
        ("maximum", rules.le),
        ("exclusiveMaximum", rules.lt),
        ("multipleOf", rules.multiple_of),
    ];
    for (name, bound) in bounds {
        set(&mut described, name, bound.map(|bound| bound().into()));
    }
    described
}

fn set(described: &mut Value, name: &str, value: Option<Value>) {
    if let (Some(value), Some(object)) = (value, described.as_object_mut()) {
        object.insert(name.into(), value);
    }
}

/// The document of an application whose operations are these: a path, a method, and what it takes.
pub(super) fn document<'a>(
    title: &str,
    operations: impl Iterator<Item = (&'a str, &'a str, &'a Doc)>,
) -> Vec<u8> {
    let (mut paths, mut schemas) = (Map::new(), Map::new());
    for (path, method, doc) in operations {
        schemas.extend(doc.schemas.clone());
        let mut operation = json!({"responses": {
            "200": {"description": "Successful Response"},
            "422": {"description": "Validation Error"},
        }});
        set(
            &mut operation,
            "parameters",
            (!doc.parameters.is_empty()).then(|| json!(doc.parameters)),
        );
        set(&mut operation, "requestBody", doc.body.clone());
        // matchit writes `{*rest}` where OpenAPI has no word for it.
        let path = path.replace("{*", "{");
        let item = paths.entry(path).or_insert_with(|| json!({}));
        set(item, &method.to_ascii_lowercase(), Some(operation));
    }
    let document = json!({
        "openapi": "3.1.0",
        "info": {"title": title, "version": env!("CARGO_PKG_VERSION")},
        "paths": paths,
        "components": {"schemas": schemas},
    });
    document.to_string().into_bytes()
}
