//! A value of `set` as a session file would have it.

use serde_json::Value;

/// The value as TOML; a text as it is where TOML has no short form for it.
pub fn text(value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) if text.contains('#') => Ok(text.clone()),
        other => toml(other),
    }
}

fn toml(value: &Value) -> Result<String, String> {
    match value {
        Value::Null => Err("null is no value of a session".to_owned()),
        Value::Array(items) => Ok(format!(
            "[{}]",
            items
                .iter()
                .map(toml)
                .collect::<Result<Vec<_>, _>>()?
                .join(", ")
        )),
        Value::Object(fields) => {
            let field =
                |(key, value): (&String, &Value)| Ok(format!("{} = {}", quoted(key), toml(value)?));
            Ok(format!(
                "{{ {} }}",
                fields
                    .iter()
                    .map(field)
                    .collect::<Result<Vec<_>, String>>()?
                    .join(", ")
            ))
        }
        Value::String(text) => Ok(quoted(text)),
        other => Ok(other.to_string()),
    }
}

/// The escapes of JSON that are used here are TOML's too.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_those_of_a_session_file() {
        for (value, wanted) in [
            (json!("de"), "\"de\""),
            (json!("a \"b\"\n"), r#""a \"b\"\n""#),
            (json!("song #2"), "song #2"),
            (json!(-3.25), "-3.25"),
            (json!(true), "true"),
            (
                json!(["0s -inf", "4s 0 sine"]),
                r#"["0s -inf", "4s 0 sine"]"#,
            ),
            (json!({ "hall": -12 }), r#"{ "hall" = -12 }"#),
        ] {
            assert_eq!(text(&value).as_deref(), Ok(wanted));
        }
        assert!(text(&json!([null])).is_err());
    }
}
