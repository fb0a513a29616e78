//! The page of promises names tests that exist.

use std::{fs, path::Path};

/// Every row of the table of faults, as the sources state them.
fn rows(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rows(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let named = text
                .split("fault: \"")
                .skip(1)
                .filter_map(|rest| rest.split('"').next());
            found.extend(named.map(str::to_owned));
        }
    }
}

#[test]
fn every_promise_is_shown_by_a_test_that_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/promises.md")).unwrap();
    let mut faults = Vec::new();
    rows(&root.join("cli/tests/faults"), &mut faults);
    let mut named = Vec::new();
    for shown in page
        .lines()
        .filter(|l| l.starts_with('|'))
        .flat_map(|l| l.split('`').skip(1).step_by(2))
    {
        if let Some(row) = shown.strip_prefix("faults: ") {
            assert!(faults.iter().any(|f| f == row), "no row {row:?}");
            named.push(row);
        } else if let Some((file, test)) = shown.split_once(": ") {
            let text =
                fs::read_to_string(root.join(file)).unwrap_or_else(|e| panic!("{file}: {e}"));
            assert!(
                text.contains(&format!("fn {test}(")),
                "{file} has no test {test}"
            );
        }
    }
    let missing: Vec<&String> = faults
        .iter()
        .filter(|f| !named.contains(&f.as_str()))
        .collect();
    assert!(missing.is_empty(), "rows that promise nothing: {missing:?}");
}
