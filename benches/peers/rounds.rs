//! Runs a workload: every program in turn, for several rounds, and prints a table of costs.
//!
//! The first round is not counted; it warms the cache and leaves the outputs that are compared. After every run the output is
//! synced and removed, outside the measured time, so that no program pays for the writes of another.

use super::{
    difference::{Compared, compare},
    lower_bounds,
    measure::{Cost, cores_free, measure, median},
    options::Options,
    peer::{self, Line, Tools},
    workloads::Workload,
};
use std::{
    ffi::OsString,
    fs::{self, File},
    path::{Path, PathBuf},
};

/// Role of a program in the comparison.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// The build under test.
    Ours,
    /// Other settings or builds of mixdown.
    Variant,
    Peer,
    Loops,
    Decoding,
    /// Decoding by another library.
    OtherDecoder,
    /// Copying the stems.
    Copy,
}

/// A program with its command line and its measured costs.
struct Runner {
    name: String,
    role: Role,
    command: Vec<OsString>,
    out: Option<PathBuf>,
    compared: Option<Compared>,
    costs: Vec<Cost>,
}

impl Runner {
    fn wall(&self) -> f64 {
        median(self.costs.iter().map(|c| c.wall))
    }

    fn cpu(&self) -> f64 {
        median(self.costs.iter().map(|c| c.cpu))
    }

    fn peak(&self) -> f64 {
        median(self.costs.iter().map(|c| c.peak))
    }

    fn run(&self) -> Result<Cost, String> {
        let cost = measure(&self.command)?;
        if let Some(out) = &self.out {
            File::open(out)
                .and_then(|file| file.sync_all())
                .map_err(|e| format!("{}: {e}", out.display()))?;
        }
        Ok(cost)
    }

    fn clear(&self) {
        if let Some(out) = &self.out {
            // A missing file needs no removal.
            let _ = fs::remove_file(out);
        }
    }
}

/// Result of a workload.
pub struct WorkloadResult {
    /// Processor time of ours.
    pub cpu: f64,
    /// Set if all sums agree.
    pub agree: bool,
}

fn mixdown(program: &Path, work: &Workload, more: &[&str], out: &Path) -> Vec<OsString> {
    Line::of(program)
        .files(&work.stems)
        .words(&["-q", "--force"])
        .words(more)
        .words(&["-o"])
        .files(&[out.into()])
        .0
}

/// Returns the programs that take part.
fn runners(
    work: &Workload,
    options: &Options,
    tools: &Tools,
    ours: &Path,
    out: &Path,
) -> Result<Vec<Runner>, String> {
    let me = std::env::current_exe().map_err(|e| e.to_string())?;
    let mut runners = Vec::new();
    let mut add = |name: &str, role, command: &dyn Fn(&Path) -> Result<Vec<OsString>, String>| {
        let out = out.join(format!("{}-{}.wav", work.name, runners.len()));
        let command = match command(&out) {
            Ok(command) => command,
            Err(why) => return println!("{}: without {name}: {why}", work.name),
        };
        let writes = !matches!(role, Role::Decoding | Role::OtherDecoder | Role::Copy);
        runners.push(Runner {
            name: name.to_owned(),
            role,
            command,
            out: writes.then_some(out),
            compared: None,
            costs: Vec::new(),
        });
    };
    add("mixdown", Role::Ours, &|out| {
        Ok(mixdown(ours, work, &[], out))
    });
    if work.name == "W2" {
        for n in ["1", "2"] {
            add(&format!("mixdown --threads {n}"), Role::Variant, &|out| {
                Ok(mixdown(ours, work, &["--threads", n], out))
            });
        }
    }
    for with in &options.with {
        let more: Vec<_> = with.split_whitespace().collect();
        add(&format!("mixdown {with}"), Role::Variant, &|out| {
            Ok(mixdown(ours, work, &more, out))
        });
    }
    for other in &options.against {
        add(&other.display().to_string(), Role::Variant, &|out| {
            Ok(mixdown(other, work, &[], out))
        });
    }
    for (peer, line) in tools.peers() {
        add(&peer.name, Role::Peer, &|out| {
            line(&peer.program, work, out)
        });
    }
    if let (Some(flac), "W2") = (&tools.flac, work.name) {
        add("flac -d, to nowhere", Role::OtherDecoder, &|_| {
            Ok(peer::flac_decoding(flac, work))
        });
    }
    add("copying the stems", Role::Copy, &|_| {
        Ok(Line::of(&me)
            .words(&[lower_bounds::COPY])
            .files(&work.stems)
            .0)
    });
    if matches!(work.name, "W1" | "W5") {
        let loops = |out: &Path| {
            Ok(Line::of(&me)
                .words(&[lower_bounds::LOOPS])
                .files(&[out.into()])
                .files(&work.stems)
                .0)
        };
        add("plain loops", Role::Loops, &loops);
    } else {
        add("decoding alone", Role::Decoding, &|_| {
            Ok(Line::of(&me)
                .words(&[lower_bounds::DECODE])
                .files(&work.stems)
                .0)
        });
    }
    Ok(runners)
}

/// Runs a workload and prints its table.
pub fn run(
    work: &Workload,
    options: &Options,
    tools: &Tools,
    ours: &Path,
    out: &Path,
) -> Result<WorkloadResult, String> {
    let mut runners = runners(work, options, tools, ours, out)?;
    let runs = options.runs.unwrap_or(work.runs);
    // Days of stems fit in no cache that could be warmed: there the first round counts.
    let counts = work.name == "W5";
    warm(&mut runners, counts)?;
    for _ in usize::from(counts)..runs {
        for runner in &mut runners {
            runner.costs.push(runner.run()?);
            runner.clear();
        }
    }
    let free = cores_free();
    let plural = if runs == 1 {
        "1 run".to_owned()
    } else {
        format!("medians of {runs} runs")
    };
    println!(
        "\n{}: {} -> 48 kHz 24-bit WAV, {plural}, {free:.1} cores free",
        work.name, work.description
    );
    table(&runners, work);
    let agree = runners
        .iter()
        .filter_map(|r| r.compared)
        .all(|c| c.dbfs <= work.bound);
    if !agree {
        println!("  THE SUMS DIFFER by more than {} dBFS", work.bound);
    }
    verdicts(&runners, work);
    Ok(WorkloadResult {
        cpu: runners[0].cpu(),
        agree,
    })
}

/// Runs the first round, whose outputs are compared. A peer that fails is excluded from the others.
fn warm(runners: &mut Vec<Runner>, counts: bool) -> Result<(), String> {
    let mut kept = Vec::new();
    for mut runner in runners.drain(..) {
        match runner.run() {
            Ok(cost) => {
                runner.costs.extend(counts.then_some(cost));
                kept.push(runner);
            }
            Err(why) if runner.role == Role::Peer => println!("without {}: {why}", runner.name),
            Err(why) => {
                runner.clear();
                kept.iter().for_each(Runner::clear);
                return Err(why);
            }
        }
    }
    let ours = kept[0].out.clone().unwrap_or_default();
    let mut compared = Ok(());
    for runner in kept.iter_mut().skip(1) {
        if let (Some(out), Ok(())) = (&runner.out, &compared) {
            match compare(&ours, out) {
                Ok(c) => runner.compared = Some(c),
                Err(e) => compared = Err(e),
            }
        }
    }
    kept.iter().for_each(Runner::clear);
    *runners = kept;
    compared
}

fn table(runners: &[Runner], work: &Workload) {
    println!(
        "  {:<24} {:>8} {:>8} {:>9} {:>8} {:>9} {:>10}  from ours, dBFS",
        "", "wall s", "least s", "ours ÷", "CPU s", "peak MiB", "stem-s/s"
    );
    let ours = runners[0].wall();
    for runner in runners {
        let ratio = if runner.role == Role::Ours {
            String::new()
        } else {
            format!("{:.2}", ours / runner.wall())
        };
        let least = runner
            .costs
            .iter()
            .map(|c| c.wall)
            .fold(f64::INFINITY, f64::min);
        println!(
            "  {:<24} {:>8.3} {:>8.3} {:>9} {:>8.3} {:>9.1} {:>10.0}  {}",
            runner.name,
            runner.wall(),
            least,
            ratio,
            runner.cpu(),
            runner.peak(),
            work.seconds / runner.wall(),
            runner.compared.map(|c| c.text()).unwrap_or_default()
        );
    }
}

/// Prints the figures that are judged, each with its target.
fn verdicts(runners: &[Runner], work: &Workload) {
    let ours = &runners[0];
    let of = |role| runners.iter().filter(move |r| r.role == role);
    let named = |name: &str| runners.iter().find(|r| r.name == name).map(Runner::wall);
    let judge = |what: String, is: f64, good: bool, aim: String| {
        println!(
            "  {what:<48} {is:>7.2}  aim {aim:<7} {}",
            if good { "reached" } else { "MISSED" }
        );
    };
    if let Some(best) = of(Role::Peer).min_by(|a, b| a.wall().total_cmp(&b.wall())) {
        let ratio = ours.wall() / best.wall();
        let what = format!("wall, ours ÷ {} (the fastest)", best.name);
        judge(
            what,
            ratio,
            ratio <= work.aim,
            format!("<= {:.2}", work.aim),
        );
    }
    for limit in of(Role::Loops) {
        let ratio = ours.wall() / limit.wall();
        judge(
            "wall, ours ÷ plain loops on one thread".to_owned(),
            ratio,
            ratio <= 1.3,
            "<= 1.30".to_owned(),
        );
    }
    if work.slower == 0 {
        for limit in of(Role::Decoding) {
            let ratio = ours.cpu() / limit.cpu();
            judge(
                "CPU, ours ÷ decoding alone".to_owned(),
                ratio,
                ratio <= 1.15,
                "<= 1.15".to_owned(),
            );
        }
    }
    for other in of(Role::OtherDecoder) {
        let ratio = ours.cpu() / other.cpu();
        let what = format!("CPU, ours ÷ {}", other.name);
        judge(what, ratio, ratio <= 0.75, "<= 0.75".to_owned());
    }
    if let (Some(one), Some(two)) = (named("mixdown --threads 1"), named("mixdown --threads 2")) {
        judge(
            "wall, 1 thread ÷ 2 threads".to_owned(),
            one / two,
            one / two >= 1.9,
            ">= 1.90".to_owned(),
        );
    }
    let bound = 32.0 + 0.75 * work.stems.len() as f64;
    judge(
        "peak memory, MiB".to_owned(),
        ours.peak(),
        ours.peak() <= bound,
        format!("<= {bound:.0}"),
    );
}
