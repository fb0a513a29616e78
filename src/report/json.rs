//! Writes reports as JSON.

use super::Report;
use serde::Serialize;

/// Version of the JSON forms of reports, comparisons and deliveries, their key `version`. New keys do not change it; it is
/// raised when a key is removed or changes its meaning.
pub const JSON_VERSION: u32 = 1;

/// A document with its version as the first key.
#[derive(Serialize)]
pub(crate) struct Versioned<'a, T: Serialize> {
    version: u32,
    #[serde(flatten)]
    document: &'a T,
}

impl<'a, T: Serialize> Versioned<'a, T> {
    pub(crate) fn new(document: &'a T) -> Self {
        Self {
            version: JSON_VERSION,
            document,
        }
    }
}

impl Report {
    /// Returns the report as one JSON document, on a single line if it contains an overview. Its first key is `version`,
    /// [`JSON_VERSION`].
    #[must_use]
    pub fn to_json(&self) -> String {
        let document = Versioned::new(self);
        let text = if self.overview.is_some() {
            serde_json::to_string(&document)
        } else {
            serde_json::to_string_pretty(&document)
        };
        // Serialization cannot fail: every key is a string and every value has a JSON form.
        text.unwrap_or_default()
    }
}
