//! Formats the values of `set` as a session file has them: in TOML.

use serde_json::Value;

/// Formats a value as TOML. A string with `#`, such as `song.mp4 #2`, stays unquoted: `Load::set` reads such a value as text,
/// quotes included.
///
/// # Errors
/// A sentence for `null`, which TOML does not have.
pub fn format(value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) if text.contains('#') => Ok(text.clone()),
        other => toml(other),
    }
}

fn toml(value: &Value) -> Result<String, String> {
    match value {
        Value::Null => Err("null is not a value of a session".to_owned()),
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

/// Quotes a string. The escapes that JSON uses are valid in TOML.
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
            assert_eq!(format(&value).as_deref(), Ok(wanted));
        }
        assert!(format(&json!([null])).is_err());
    }
}
