//! Checks JSON documents against a schema: the keywords of JSON Schema 2020-12 that the schemas of this project use.

use serde_json::Value;

/// A schema with its definitions.
pub struct JsonSchema {
    root: Value,
}

impl JsonSchema {
    /// Reads a schema.
    ///
    /// # Panics
    /// For a text that is not JSON.
    pub fn new(text: &str) -> Self {
        Self {
            root: serde_json::from_str(text).unwrap(),
        }
    }

    /// Returns what is wrong with a document, with the path of the value; nothing for a valid one.
    ///
    /// # Panics
    /// For a definition that does not exist, and for a keyword that is not known, which must not pass unchecked.
    pub fn errors(&self, definition: &str, document: &Value) -> Vec<String> {
        let schema = &self.root["$defs"][definition];
        assert!(schema.is_object(), "no definition {definition}");
        let mut errors = Vec::new();
        self.check(schema, document, "", &mut errors);
        errors
    }

    /// Returns what is wrong with a document by the schema as a whole.
    pub fn errors_of_any(&self, document: &Value) -> Vec<String> {
        let mut errors = Vec::new();
        self.check(&self.root, document, "", &mut errors);
        errors
    }

    fn check(&self, schema: &Value, value: &Value, path: &str, errors: &mut Vec<String>) {
        for (keyword, wanted) in schema.as_object().unwrap() {
            match keyword.as_str() {
                "$schema" | "$defs" | "title" | "description" => {}
                "$ref" => {
                    let name = wanted.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
                    let target = &self.root["$defs"][name];
                    assert!(target.is_object(), "no definition {name}");
                    self.check(target, value, path, errors);
                }
                "anyOf" => {
                    let fits = |choice: &Value| {
                        let mut found = Vec::new();
                        self.check(choice, value, path, &mut found);
                        found.is_empty()
                    };
                    if !wanted.as_array().unwrap().iter().any(fits) {
                        errors.push(format!("{path}: fits none of the choices"));
                    }
                }
                "type" => {
                    let names: Vec<&str> = match wanted {
                        Value::String(name) => vec![name],
                        names => names
                            .as_array()
                            .unwrap()
                            .iter()
                            .map(|n| n.as_str().unwrap())
                            .collect(),
                    };
                    if !names.iter().any(|name| is_of_type(value, name)) {
                        errors.push(format!("{path}: {value} is not {names:?}"));
                    }
                }
                "const" if value != wanted => {
                    errors.push(format!("{path}: {value} is not {wanted}"))
                }
                "const" => {}
                "enum" => {
                    if !wanted.as_array().unwrap().contains(value) {
                        errors.push(format!("{path}: {value} is not one of {wanted}"));
                    }
                }
                "required" => {
                    for key in wanted.as_array().unwrap() {
                        let key = key.as_str().unwrap();
                        if value.is_object() && value.get(key).is_none() {
                            errors.push(format!("{path}: {key} is missing"));
                        }
                    }
                }
                "properties" => {
                    for (key, schema) in wanted.as_object().unwrap() {
                        if let Some(value) = value.get(key) {
                            self.check(schema, value, &format!("{path}/{key}"), errors);
                        }
                    }
                }
                "additionalProperties" => {
                    assert_eq!(wanted, &Value::Bool(false));
                    let known = schema["properties"].as_object().unwrap();
                    for key in value.as_object().into_iter().flat_map(|o| o.keys()) {
                        if !known.contains_key(key) {
                            errors.push(format!("{path}: {key} is not in the schema"));
                        }
                    }
                }
                "items" => {
                    for (n, item) in value.as_array().into_iter().flatten().enumerate() {
                        self.check(wanted, item, &format!("{path}/{n}"), errors);
                    }
                }
                "minItems" | "maxItems" => {
                    let length = value.as_array().map_or(0, Vec::len) as u64;
                    let limit = wanted.as_u64().unwrap();
                    let is_wrong = if keyword == "minItems" {
                        length < limit
                    } else {
                        length > limit
                    };
                    if value.is_array() && is_wrong {
                        errors.push(format!("{path}: {length} items"));
                    }
                }
                other => panic!("{path}: the keyword {other} is not known here"),
            }
        }
    }
}

fn is_of_type(value: &Value, name: &str) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("no type {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_keyword_finds_its_fault() {
        let schema = JsonSchema::new(
            r##"{"$defs":{"a":{"type":"object","required":["n"],"additionalProperties":false,"properties":{
            "n":{"type":["integer","null"]},"s":{"enum":["x","y"]},"v":{"const":1},
            "l":{"type":"array","items":{"$ref":"#/$defs/b"},"minItems":1,"maxItems":2},
            "c":{"anyOf":[{"type":"null"},{"type":"string"}]}}},"b":{"type":"number"}}}"##,
        );
        let errors = |value: Value| schema.errors("a", &value).len();
        assert_eq!(
            errors(json!({ "n": null, "s": "x", "v": 1, "l": [0.5, 2], "c": null })),
            0
        );
        for wrong in [
            json!([]),
            json!({}),
            json!({ "n": 0.5 }),
            json!({ "n": 1, "z": 1 }),
            json!({ "n": 1, "s": "z" }),
            json!({ "n": 1, "v": 2 }),
            json!({ "n": 1, "l": ["x"] }),
            json!({ "n": 1, "l": [] }),
            json!({ "n": 1, "l": [1, 2, 3] }),
            json!({ "n": 1, "c": 1 }),
        ] {
            assert_eq!(errors(wrong.clone()), 1, "{wrong}");
        }
    }
}
