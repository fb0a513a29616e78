//! Changes one operator, value or return at a time, and expects a test to fail for each: `.ci/mutants --help`.

mod weave;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, UNIX_EPOCH};
use std::{env, fmt, fs, thread};

use weave::{Mutant, Woven};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const HELP: &str = "\
Changes one operator, value or return of src/ at a time, and expects a test to fail for each. All mutants are compiled at
once, each behind a switch, in a copy below the target folder; a mutant meets only the tests that run through it.

  .ci/mutants                     the lines that differ from the branch main
  .ci/mutants --since BASE        the lines that differ from BASE
  .ci/mutants --all               everything
  .ci/mutants --only media,plan   these modules, or a file such as media/wav.rs
  --draw N, --seed N              a random sample of so many (seed 1)
  --again                         what no test noticed in the last run
  --longest N                     leaves out tests that take longer than so many seconds (5)
  --list                          lists the mutants";

/// The tests that state values, quick ones first; the others read files of other programs, or the same values in other ways.
const TESTS: [&str; 8] = [
    "values",
    "mixing",
    "measuring",
    "session",
    "laws",
    "formats",
    "crops",
    "model",
];

/// The switch that every mutant asks. A site that is reached for the first time is traced, then only loads remain.
const SWITCH: &str = r#"
use std::{env, fs::File, io::Write, sync::OnceLock};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
static ACTIVE: AtomicU32 = AtomicU32::new(0);
static REACHED: [AtomicBool; COUNT] = [const { AtomicBool::new(false) }; COUNT];
#[inline]
pub fn pick(site: u32) -> u32 {
    if !REACHED[site as usize].load(Relaxed) {
        reach(site);
    }
    ACTIVE.load(Relaxed).wrapping_sub(site)
}
#[cold]
fn reach(site: u32) {
    static TRACE: OnceLock<Option<File>> = OnceLock::new();
    let trace = TRACE.get_or_init(|| {
        let active = env::var("MUTANT").ok().and_then(|number| number.parse().ok());
        ACTIVE.store(active.unwrap_or(0), Relaxed);
        env::var("MUTANT_TRACE").ok().and_then(|path| File::options().append(true).create(true).open(path).ok())
    });
    if let Some(mut file) = trace.as_ref() {
        let _ = file.write_all(&site.to_le_bytes());
    }
    REACHED[site as usize].store(true, Relaxed);
}
"#;

/// Exits with 1 if a mutant was not noticed or something failed, and with 2 if the arguments are wrong.
fn main() -> ExitCode {
    let args = match Args::parse(env::args().skip(1)) {
        Ok(Some(args)) => args,
        Ok(None) => {
            println!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("{error} (see .ci/mutants --help)");
            return ExitCode::from(2);
        }
    };
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<()> {
    let home =
        PathBuf::from(env::var("CARGO_TARGET_DIR").unwrap_or("target".into())).join("mutants");
    let tree = home.join("tree");
    fs::create_dir_all(home.join("tmp"))?;
    let home = home.canonicalize()?;
    copy_sources(&tree)?;
    let (mutants, binaries) = build(&home)?;
    let chosen = args.choose(&mutants, &home)?;
    if args.list {
        chosen.iter().for_each(|mutant| println!("{}", mutant.name));
        return Ok(());
    }
    let tests = trace(&home, &binaries, args.longest)?;
    let killed = in_two_threads(&chosen, "mutants", |mutant| {
        let is_killed = is_killed(&home, mutant, &tests)?;
        if !is_killed {
            eprintln!("not noticed: {}", mutant.name);
        }
        Ok(is_killed)
    })?;
    print_table(&chosen, &killed);
    let survivors: Vec<&str> = chosen
        .iter()
        .zip(&killed)
        .filter(|(_, killed)| !**killed)
        .map(|(mutant, _)| mutant.name.as_str())
        .collect();
    fs::write(home.join("survivors"), survivors.join("\n"))?;
    println!("\n{}", survivors.join("\n"));
    if survivors.is_empty() {
        Ok(())
    } else {
        Err(format!("{} mutants were not noticed", survivors.len()).into())
    }
}

struct Args {
    since: Option<String>,
    only: Vec<String>,
    draw: Option<usize>,
    seed: u64,
    longest: u64,
    again: bool,
    list: bool,
}

impl Args {
    /// Returns `None` if the help is asked for.
    fn parse(mut words: impl Iterator<Item = String>) -> Result<Option<Self>> {
        let mut args = Self {
            since: Some("main".into()),
            only: Vec::new(),
            draw: None,
            seed: 1,
            longest: 5,
            again: false,
            list: false,
        };
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or(format!("{word} needs a value"));
            let number = |value: String| {
                let parsed = value.parse::<u32>();
                parsed.map_err(|_| format!("{word} needs a whole number, not {value:?}"))
            };
            match word.as_str() {
                "--since" => args.since = Some(value()?),
                "--all" => args.since = None,
                "--only" => {
                    (args.since, args.only) =
                        (None, value()?.split(',').map(str::to_owned).collect())
                }
                "--draw" => args.draw = Some(number(value()?)? as usize),
                "--longest" => args.longest = number(value()?)?.into(),
                "--seed" => args.seed = number(value()?)?.into(),
                "--again" => (args.since, args.again) = (None, true),
                "--list" => args.list = true,
                "--help" | "-h" => return Ok(None),
                _ => return Err(format!("{word:?} is no option").into()),
            }
        }
        Ok(Some(args))
    }

    fn choose<'a>(&self, mutants: &'a [Mutant], home: &Path) -> Result<Vec<&'a Mutant>> {
        let changed = self.since.as_deref().map(changed_lines).transpose()?;
        let survivors = self
            .again
            .then(|| fs::read_to_string(home.join("survivors")))
            .transpose()?;
        let is_chosen = |mutant: &&Mutant| {
            let path = mutant
                .file
                .trim_start_matches("src/")
                .trim_end_matches(".rs");
            let below = |name: &String| {
                path.strip_prefix(name.trim_end_matches(".rs"))
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            };
            (self.only.is_empty() || self.only.iter().any(below))
                && changed
                    .as_ref()
                    .is_none_or(|lines| lines.contains(&(mutant.file.clone(), mutant.line)))
                && survivors
                    .as_ref()
                    .is_none_or(|names| names.lines().any(|name| name == mutant.name))
        };
        let mut chosen: Vec<_> = mutants.iter().filter(is_chosen).collect();
        if let Some(draw) = self.draw {
            chosen.sort_by_key(|mutant| random(self.seed, mutant.number));
            chosen.truncate(draw);
            chosen.sort_by_key(|mutant| mutant.number);
        }
        Ok(chosen)
    }
}

/// Hashes a number with SplitMix64.
fn random(seed: u64, number: u32) -> u64 {
    let mut state = (seed << 32 | u64::from(number)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

fn output_of(program: &str, args: &[&str]) -> Result<String> {
    let output = Command::new(program)
        .args(args)
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(format!("{program} {} failed", args.join(" ")).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Lists the lines of the work tree that are not in the common ancestor with `base`.
fn changed_lines(base: &str) -> Result<HashSet<(String, usize)>> {
    let ancestor = output_of("git", &["merge-base", base, "HEAD"])?;
    let diff = output_of(
        "git",
        &[
            "diff",
            "--unified=0",
            "--no-color",
            ancestor.trim(),
            "--",
            "src",
        ],
    )?;
    let mut lines = HashSet::new();
    let mut file = "";
    for line in diff.lines() {
        if let Some(path) = line.strip_prefix("+++ b/") {
            file = path;
        } else if line.starts_with("@@ ")
            && let Some(added) = line.split(' ').find_map(|word| word.strip_prefix('+'))
        {
            let (start, count) = added.split_once(',').unwrap_or((added, "1"));
            let start: usize = start.parse()?;
            lines.extend(
                (start..start + count.parse::<usize>()?).map(|line| (file.to_owned(), line)),
            );
        }
    }
    Ok(lines)
}

/// Writes a file unless it already has the content, so that Cargo compiles only what changed.
fn write_changed(path: &Path, content: &[u8]) -> Result<()> {
    if fs::read(path).is_ok_and(|old| old == content) {
        return Ok(());
    }
    path.parent().map_or(Ok(()), fs::create_dir_all)?;
    Ok(fs::write(path, content)?)
}

/// Copies what git knows or would add, but the library, which `build` writes.
fn copy_sources(tree: &Path) -> Result<()> {
    for path in output_of(
        "git",
        &["ls-files", "--cached", "--others", "--exclude-standard"],
    )?
    .lines()
    {
        if !path.starts_with("src/") && Path::new(path).is_file() {
            write_changed(&tree.join(path), &fs::read(path)?)?;
        }
    }
    Ok(())
}

struct Test {
    binary: PathBuf,
    name: String,
    seconds: f64,
    sites: HashSet<u32>,
}

impl Test {
    fn parse(row: &str) -> Result<Self> {
        let [binary, name, seconds, sites] = row.split('\t').collect::<Vec<_>>()[..] else {
            return Err(format!("this is no record of a test: {row}").into());
        };
        Ok(Self {
            binary: binary.into(),
            name: name.into(),
            seconds: seconds.parse()?,
            sites: sites
                .split_whitespace()
                .map(str::parse)
                .collect::<std::result::Result<_, _>>()?,
        })
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sites: Vec<String> = self.sites.iter().map(u32::to_string).collect();
        let binary = self.binary.display();
        write!(
            f,
            "{binary}\t{}\t{}\t{}",
            self.name,
            self.seconds,
            sites.join(" ")
        )
    }
}

/// Compiles all mutants and the tests. Mutants that the compiler refuses are dropped, and remembered for the next build.
fn build(home: &Path) -> Result<(Vec<Mutant>, Vec<PathBuf>)> {
    let tree = home.join("tree");
    let mut dropped: HashSet<String> = fs::read_to_string(home.join("dropped"))
        .unwrap_or_default()
        .lines()
        .map(str::to_owned)
        .collect();
    let sources = read_sources()?;
    loop {
        let woven = weave_all(&sources, &tree, &dropped)?;
        let mut cargo = Command::new("cargo");
        cargo
            .args([
                "test",
                "--workspace",
                "--no-run",
                "--message-format=json",
                "--lib",
            ])
            .args(TESTS.iter().flat_map(|test| ["--test", test]));
        // A folder of its own: Cargo takes the copy for the repository, whose packages have the same names and places.
        cargo.env("CARGO_TARGET_DIR", home.join("build"));
        let output = cargo.current_dir(&tree).stderr(Stdio::inherit()).output()?;
        let messages = String::from_utf8(output.stdout)?;
        let messages = messages
            .lines()
            .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        if output.status.success() {
            let binaries = messages
                .filter(|message| message["profile"]["test"] == true)
                .filter_map(|message| message["executable"].as_str().map(PathBuf::from));
            let mut binaries: Vec<_> = binaries.collect();
            // Cargo lists them in the order in which they were ready, by which a trace would not be known again.
            binaries.sort();
            let mutants: Vec<_> = woven
                .into_values()
                .flat_map(|woven| woven.mutants)
                .collect();
            println!(
                "{} mutants; {} more do not compile",
                mutants.len(),
                dropped.len()
            );
            return Ok((mutants, binaries));
        }
        let names: HashMap<u32, &str> = woven
            .values()
            .flat_map(|woven| &woven.mutants)
            .map(|mutant| (mutant.number, mutant.name.as_str()))
            .collect();
        let before = dropped.len();
        for message in messages.filter(|message| message["message"]["level"] == "error") {
            let message = &message["message"];
            let refused = refused(message, &woven);
            let text = message["rendered"].as_str().unwrap_or_default();
            if refused.is_empty() && !text.starts_with("error: aborting due to") {
                eprintln!("{text}");
            }
            dropped.extend(
                refused
                    .iter()
                    .filter_map(|number| names.get(number))
                    .map(|&name| name.to_owned()),
            );
        }
        if dropped.len() == before {
            let what = "the copy does not compile, and no mutant is the reason";
            return Err(format!("{what} (Cargo: {})", output.status).into());
        }
        eprintln!(
            "{} mutants dropped, which do not compile",
            dropped.len() - before
        );
        fs::write(
            home.join("dropped"),
            dropped
                .iter()
                .map(|name| format!("{name}\n"))
                .collect::<String>(),
        )?;
    }
}

/// Reads the library once, so that it may be edited while the mutants are compiled.
fn read_sources() -> Result<BTreeMap<PathBuf, String>> {
    let mut sources = BTreeMap::new();
    let mut folders = vec![PathBuf::from("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path)
            } else {
                let text = fs::read_to_string(&path)?;
                sources.insert(path, text);
            }
        }
    }
    Ok(sources)
}

/// Writes the library into the copy, with all mutants.
fn weave_all(
    sources: &BTreeMap<PathBuf, String>,
    tree: &Path,
    dropped: &HashSet<String>,
) -> Result<BTreeMap<String, Woven>> {
    let mut woven = BTreeMap::new();
    let mut next = 1;
    for (path, source) in sources
        .iter()
        .filter(|(path, _)| path.extension().is_some_and(|extension| extension == "rs"))
    {
        let file = path.to_string_lossy().into_owned();
        let result = weave::weave(&file, source, next, dropped)
            .map_err(|error| format!("{file}: {error}"))?;
        next = result.next;
        woven.insert(file, result);
    }
    let not_compiled: Vec<PathBuf> = woven
        .iter()
        .flat_map(|(file, woven)| {
            woven
                .not_compiled
                .iter()
                .map(|name| Path::new(file).with_extension("").join(name))
        })
        .collect();
    woven.retain(|file, _| {
        !not_compiled
            .iter()
            .any(|module| Path::new(file).with_extension("").starts_with(module))
    });
    for (path, source) in sources {
        let text = match woven.get(&*path.to_string_lossy()) {
            Some(woven) => woven.text.clone(),
            None => source.clone(),
        };
        let text = if path.ends_with("src/lib.rs") {
            format!("#![allow(warnings)]\n{text}\nmod mutant;\n")
        } else {
            text
        };
        write_changed(&tree.join(path), text.as_bytes())?;
    }
    write_changed(
        &tree.join("src/mutant.rs"),
        SWITCH.replace("COUNT", &next.to_string()).as_bytes(),
    )?;
    Ok(woven)
}

/// Finds the mutants that an error of the compiler is about: the changed code at one of its places, or else all mutants of the
/// innermost expression around the first place, or else those on the lines of its places.
fn refused(message: &serde_json::Value, woven: &BTreeMap<String, Woven>) -> Vec<u32> {
    let (mut around, mut beside) = (Vec::new(), Vec::new());
    let mut spans: Vec<_> = message["spans"].as_array().into_iter().flatten().collect();
    spans.extend(
        message["children"]
            .as_array()
            .into_iter()
            .flatten()
            .flat_map(|child| child["spans"].as_array().into_iter().flatten()),
    );
    spans.sort_by_key(|span| span["is_primary"] != true);
    for span in spans {
        let Some(woven) = span["file_name"].as_str().and_then(|file| woven.get(file)) else {
            continue;
        };
        // A line precedes src/lib.rs in the copy.
        let shift = if span["file_name"] == "src/lib.rs" {
            "#![allow(warnings)]\n".len()
        } else {
            0
        };
        let at = |key: &str| {
            span[key]
                .as_u64()
                .map(|at| (at as usize).saturating_sub(shift))
        };
        let (Some(start), Some(end)) = (at("byte_start"), at("byte_end")) else {
            continue;
        };
        let holds = |range: &std::ops::Range<usize>| range.start <= start && end <= range.end;
        if let Some((_, number)) = woven.arms.iter().find(|(range, _)| holds(range)) {
            return vec![*number];
        }
        around.extend(
            woven
                .sites
                .iter()
                .filter(|(range, _)| holds(range))
                .min_by_key(|(range, _)| range.len()),
        );
        let line = |at: usize| {
            woven
                .text
                .get(..at)
                .map(|before| before.matches('\n').count())
        };
        beside.extend(
            woven
                .sites
                .iter()
                .filter(|(range, _)| line(range.start) == line(start)),
        );
    }
    around.truncate(1);
    let found = if around.is_empty() { beside } else { around };
    found
        .into_iter()
        .flat_map(|(_, numbers)| numbers.clone())
        .collect()
}

/// Runs every test once, and records its time and the sites that it reaches, in a file for the next run of the same programs.
/// A test that fails without a mutant, or takes longer than `longest`, is left out.
fn trace(home: &Path, binaries: &[PathBuf], longest: u64) -> Result<Vec<Test>> {
    let mut key = format!("{longest}");
    for binary in binaries {
        let built = fs::metadata(binary)?
            .modified()?
            .duration_since(UNIX_EPOCH)?;
        key += &format!(" {} {}", binary.display(), built.as_nanos());
    }
    let record = home.join("trace");
    let recorded = fs::read_to_string(&record).unwrap_or_default();
    if let Some((_, rows)) = recorded.split_once('\n').filter(|(first, _)| *first == key) {
        return rows.lines().map(Test::parse).collect();
    }
    let mut names = Vec::new();
    for binary in binaries {
        let list = output_of(&binary.to_string_lossy(), &["--list", "--format", "terse"])?;
        let tests = list.lines().filter_map(|line| line.strip_suffix(": test"));
        names.extend(tests.map(|name| (binary.clone(), name.to_owned())));
    }
    let numbered: Vec<_> = names.into_iter().enumerate().collect();
    let traced = in_two_threads(&numbered, "tests", |(number, (binary, name))| {
        let path = home.join("tmp").join(format!("trace-{number}"));
        let (limit, begin) = (Duration::from_secs(longest), Instant::now());
        let variable = ("MUTANT_TRACE", &*path.to_string_lossy());
        let passes = passes(home, binary, &[name], variable, limit)?;
        let seconds = begin.elapsed().as_secs_f64();
        let bytes = fs::read(&path).unwrap_or_default();
        let _ = fs::remove_file(&path);
        if !passes {
            let why = if begin.elapsed() > limit {
                "is too slow"
            } else {
                "fails without a mutant"
            };
            eprintln!("{name} {why}, and is left out");
        }
        let sites = bytes.as_chunks::<4>().0.iter();
        let sites = sites.map(|bytes| u32::from_le_bytes(*bytes)).collect();
        let (binary, name) = (binary.clone(), name.clone());
        Ok(passes.then_some(Test {
            binary,
            name,
            seconds,
            sites,
        }))
    })?;
    let mut tests: Vec<_> = traced.into_iter().flatten().collect();
    tests.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
    let total = tests.iter().map(|test| test.seconds).sum::<f64>();
    println!(
        "{} of {} tests are run, which take {total:.0} s",
        tests.len(),
        numbered.len()
    );
    let rows: String = tests.iter().map(|test| format!("\n{test}")).collect();
    fs::write(record, key + &rows)?;
    Ok(tests)
}

/// Runs the tests that reach a mutant until one fails. Those that are quick and reach little come first, and more and more of
/// one binary are run at once.
fn is_killed(home: &Path, mutant: &Mutant, tests: &[Test]) -> Result<bool> {
    let reaching = tests
        .iter()
        .filter(|test| test.sites.contains(&mutant.site));
    let mut left: Vec<&Test> = reaching.collect();
    let cost = |test: &Test| test.seconds * test.sites.len() as f64;
    left.sort_by(|a, b| cost(a).total_cmp(&cost(b)));
    let mut at_once = 0.1;
    while let Some(first) = left.first() {
        let (binary, mut seconds) = (first.binary.clone(), 0.0);
        let (now, later): (Vec<&Test>, _) = left.into_iter().partition(|test| {
            let fits =
                test.binary == binary && (seconds == 0.0 || seconds + test.seconds < at_once);
            seconds += if fits { test.seconds } else { 0.0 };
            fits
        });
        let names: Vec<&str> = now.iter().map(|test| test.name.as_str()).collect();
        let variable = ("MUTANT", &*mutant.number.to_string());
        let limit = Duration::from_secs_f64(10.0 * seconds + 5.0);
        if !passes(home, &binary, &names, variable, limit)? {
            return Ok(true);
        }
        at_once = f64::min(2.0 * at_once, 4.0);
        left = later;
    }
    Ok(false)
}

/// Runs tests of a binary in one process, with a limit of time and memory.
fn passes(
    home: &Path,
    binary: &Path,
    names: &[impl AsRef<str>],
    variable: (&str, &str),
    limit: Duration,
) -> Result<bool> {
    let mut command = Command::new("sh");
    command
        .args(["-c", "ulimit -v 6000000; exec \"$@\"", "sh"])
        .arg(binary)
        .args(["--exact", "--test-threads=1"]);
    command
        .args(names.iter().map(AsRef::as_ref))
        .env(variable.0, variable.1)
        .env("TMPDIR", home.join("tmp"));
    command
        .env("SOUNDTRACK_MODEL_CASES", "200")
        .env("PROPTEST_MAX_SHRINK_ITERS", "0")
        .env("PROPTEST_DISABLE_FAILURE_PERSISTENCE", "true");
    let mut child = command
        .current_dir(home.join("tree"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let begin = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status.success());
        }
        if begin.elapsed() > limit {
            child.kill()?;
            child.wait()?;
            return Ok(false);
        }
        thread::sleep(Duration::from_millis(2));
    }
}

/// Maps items in two threads, and shows how far it is.
fn in_two_threads<T: Sync, R: Send>(
    items: &[T],
    what: &str,
    run: impl Fn(&T) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(BTreeMap::new());
    let work = || -> std::result::Result<(), String> {
        while let number = next.fetch_add(1, Ordering::Relaxed)
            && let Some(item) = items.get(number)
        {
            let result = run(item).map_err(|error| error.to_string())?;
            results
                .lock()
                .map_err(|error| error.to_string())?
                .insert(number, result);
            if (number + 1) % 100 == 0 {
                eprintln!("{} of {} {what}", number + 1, items.len());
            }
        }
        Ok(())
    };
    thread::scope(|scope| {
        let other = scope.spawn(work);
        work().and(other.join().unwrap_or(Err("a thread panicked".into())))
    })?;
    let results = results.into_inner().map_err(|error| error.to_string())?;
    Ok(results.into_values().collect())
}

fn print_table(chosen: &[&Mutant], killed: &[bool]) {
    let mut rows: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for (mutant, &killed) in chosen.iter().zip(killed) {
        let module = mutant
            .file
            .trim_start_matches("src/")
            .split(['/', '.'])
            .next()
            .unwrap_or_default();
        for name in [module, "~ all"] {
            let row = rows.entry(name).or_default();
            *row = (row.0 + 1, row.1 + usize::from(killed));
        }
    }
    println!("{:14}{:>7}{:>8}{:>6}", "module", "drawn", "killed", "left");
    for (module, (drawn, killed)) in rows {
        let share = 100.0 * killed as f64 / drawn as f64;
        println!(
            "{module:14}{drawn:7}{killed:8}{:6}{share:8.1} %",
            drawn - killed
        );
    }
}
