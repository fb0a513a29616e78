//! Holds the layers of the crate: imports between its top-level modules go down only, and the default build pulls in no
//! networking crate. `ARCHITECTURE.md` shows the same table with what each module does.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// The layers from the top down. A module may import modules of the layers below its own and those before the arrow of
/// [`SIDEWAYS`] that name it.
const LAYERS: [&[&str]; 8] = [
    &[
        "bounce",
        "deliver",
        "slice",
        "compare",
        "crops",
        "interchange",
        "player",
    ],
    &["report"],
    &["engine"],
    &["plan"],
    &["session"],
    &["media", "encode", "measure"],
    &["dsp", "storage", "diagnostics", "riff"],
    &[
        "units",
        "timecode",
        "layout",
        "block",
        "cancel",
        "curve",
        "error",
        "simd",
        "sync",
        "text_table",
    ],
];

/// The only imports within a layer; they form no cycle.
const SIDEWAYS: [(&str, &str); 10] = [
    ("deliver", "bounce"),
    ("bounce", "slice"),
    ("diagnostics", "dsp"),
    ("block", "layout"),
    ("cancel", "error"),
    ("curve", "units"),
    ("timecode", "units"),
    ("units", "error"),
    ("layout", "units"),
    ("text_table", "error"),
];

/// Returns the top-level modules that non-test code of a file imports from the crate.
fn imports(text: &str) -> BTreeSet<String> {
    let code: String = text
        .split("#[cfg(test)]\nmod tests {")
        .next()
        .unwrap_or("")
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n");
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let path = &code[at + "crate::".len()..];
        match path.strip_prefix('{') {
            Some(group) => found.extend(first_segments(group)),
            None => found.extend(word(path)),
        }
    }
    found
}

/// Returns the identifier that a text starts with.
fn word(text: &str) -> Option<String> {
    let end = text
        .find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(text.len());
    (end > 0).then(|| text[..end].to_owned())
}

/// Returns the first path segment of each entry of a braced import, given what follows its opening brace.
fn first_segments(group: &str) -> Vec<String> {
    let (mut depth, mut entry, mut found) = (1, String::new(), Vec::new());
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => found.extend(word(std::mem::take(&mut entry).trim())),
            _ if depth == 1 => entry.push(c),
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    found.extend(word(entry.trim()));
    found
}

/// Collects the imports of every file below a folder, by top-level module.
fn collect(folder: &Path, module: Option<&str>, into: &mut BTreeMap<String, BTreeSet<String>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        // Unit tests may look anywhere.
        if stem == "tests" || stem == "lib" {
            continue;
        }
        let module = module.unwrap_or(&stem).to_owned();
        if path.is_dir() {
            collect(&path, Some(&module), into);
        } else if path.extension().is_some_and(|e| e == "rs") {
            into.entry(module)
                .or_default()
                .extend(imports(&fs::read_to_string(&path).unwrap()));
        }
    }
}

#[test]
fn imports_go_down_only() {
    let layer = |module: &str| LAYERS.iter().position(|layer| layer.contains(&module));
    let mut modules = BTreeMap::new();
    collect(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        None,
        &mut modules,
    );
    assert!(
        modules["engine"].contains("plan"),
        "imports are not recognised"
    );
    let mut wrong = Vec::new();
    for (module, imported) in &modules {
        let Some(own) = layer(module) else {
            wrong.push(format!("{module} stands in no layer"));
            continue;
        };
        for other in imported.iter().filter(|other| *other != module) {
            let down = layer(other).is_some_and(|below| below > own);
            if layer(other).is_some() && !down && !SIDEWAYS.contains(&(module, other)) {
                wrong.push(format!("{module} imports {other}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Crates that open network connections.
const NETWORK: [&str; 8] = [
    "object_store",
    "reqwest",
    "hyper",
    "tokio",
    "rustls",
    "ring",
    "mio",
    "socket2",
];

#[test]
fn the_default_build_has_no_networking_crate() {
    let mut tree = std::process::Command::new(env!("CARGO"));
    tree.args([
        "tree",
        "--package",
        "soundtrack",
        "--locked",
        "--offline",
        "--edges",
        "normal,build",
        "--prefix",
        "none",
        "--format",
        "{p}",
    ]);
    let output = tree
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).unwrap();
    let crates: Vec<&str> = text
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert!(crates.contains(&"symphonia"));
    let found: Vec<_> = crates
        .iter()
        .filter(|name| NETWORK.contains(name))
        .collect();
    assert!(found.is_empty(), "{found:?}");
}
