//! One item: its session, its mix or deliverable, its marker.

use super::{
    fingerprint::{self, Stem},
    job::Job,
    marker::{self, Found, Marker, Output},
    outcome::{Outcome, Status},
    place, range,
    stop::Stop,
};
use serde_json::{Value, json};
use soundtrack::{Bounce, Delivery, Error, ErrorKind, Plan, Progress, Result, Session};
use std::{
    fs,
    ops::ControlFlow,
    path::{Path, PathBuf},
};

/// What is the same for all items.
pub struct Desk<'a> {
    /// The folder of the list, which sessions are relative to; it may be one of a store.
    pub list: PathBuf,
    /// The folder of the outputs, as it really is, or the link of one in a store.
    pub out: PathBuf,
    pub resume: bool,
    pub outside: bool,
    /// Threads of one mix.
    pub threads: usize,
    pub shards: u64,
    pub stop: &'a Stop,
}

/// What was published for an item.
struct Published {
    code: u8,
    what: Option<String>,
    outputs: Vec<PathBuf>,
    stems: Vec<Stem>,
    report: Value,
}

impl Desk<'_> {
    /// Does an item, or finds it done.
    pub fn item(&self, job: &Job) -> Outcome {
        self.tried(job).unwrap_or_else(|e| Outcome::of_error(&e))
    }

    fn tried(&self, job: &Job) -> Result<Outcome> {
        let (file, text) = job.text(&self.list)?;
        let session = job.load(self.outside).text(text.as_str(), &file)?;
        let print = |stems: &[Stem]| {
            fingerprint::of(job, text.as_bytes(), &session, &file, stems, self.outside)
        };
        let path = marker::beside(&self.out, &job.out);
        match Marker::read(&path)? {
            Found::Nothing => {}
            Found::Unclear => place::remove(&path)?,
            Found::Marker(done) if done.id != job.id => {
                let what = format!(
                    "out {:?} is that of the item {:?}: two items cannot have one output; \
                     where the list was changed, remove {}",
                    job.out,
                    done.id,
                    path.display()
                );
                return Ok(Outcome::refused(what));
            }
            Found::Marker(done) => {
                let now = done.stems.iter().map(|stem| Stem::now(&stem.file));
                let now: Option<Vec<Stem>> = now.collect::<Result<_>>()?;
                let same = now.is_some_and(|stems| print(&stems) == done.fingerprint)
                    && done.whole(&self.out)?;
                if same && self.resume {
                    return Ok(Outcome {
                        status: Status::Skipped,
                        code: done.code,
                        about: json!({ "out": job.out, "what": done.what }),
                    });
                }
                if !same {
                    place::remove(&path)?;
                }
            }
        }
        self.folder(&job.out)?;
        let done = match &job.deliver {
            None => self.mixed(job, &session)?,
            Some(name) => self.delivered(job, name, session.clone())?,
        };
        let size = |file: &PathBuf| {
            let bytes = place::about(file)?.map_or(0, |about| about.bytes);
            Ok(Output {
                file: file.strip_prefix(&self.out).unwrap_or(file).to_owned(),
                bytes,
            })
        };
        let marker = Marker {
            id: job.id.clone(),
            fingerprint: print(&done.stems),
            code: done.code,
            what: done.what,
            shards: self.shards,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            outputs: done.outputs.iter().map(size).collect::<Result<_>>()?,
            stems: done.stems,
            report: done.report,
        };
        marker.create(&path)?;
        let about = json!({ "out": job.out, "what": marker.what, "figures": figures(&marker) });
        Ok(Outcome {
            status: Status::Done,
            code: marker.code,
            about,
        })
    }

    /// The mix, or a range of it.
    fn mixed(&self, job: &Job, session: &Session) -> Result<Published> {
        let path = self.out.join(&job.out);
        let plan = Plan::compile(session)?;
        let stems = Stem::all(plan.files())?;
        let mut bounce = Bounce::new()
            .format(job.format.unwrap_or_default())
            .overwrite(true)
            .threads(self.threads);
        if let Some(text) = &job.range {
            let part = range::parse(text, session, plan.length());
            let (part, _) =
                part.map_err(|e| Error::new(ErrorKind::Session, format!("range {text}: {e}")))?;
            bounce = bounce.range(part);
        }
        let mut report = bounce.progress(|p| self.watch(p)).write(plan, &path)?;
        report.title.clone_from(&session.title);
        let report = serde_json::to_value(&report).unwrap_or_default();
        Ok(Published {
            code: 0,
            what: None,
            outputs: vec![path],
            stems,
            report,
        })
    }

    /// One of the session's deliverables, into `out` in place of its own file.
    fn delivered(&self, job: &Job, name: &str, mut session: Session) -> Result<Published> {
        let promise = job.promise(name, &mut session, &self.out)?;
        let outputs: Vec<PathBuf> = session
            .outputs(&promise)
            .into_iter()
            .map(|o| o.file)
            .collect();
        let stems = Stem::all(fingerprint::files(&session, &promise)?)?;
        let delivery = Delivery::new()
            .only([name])
            .overwrite(true)
            .threads(self.threads);
        let done = delivery.progress(|p| self.watch(p)).run(&session)?;
        let what = (!done.passed()).then(|| "written, but a check failed".to_owned());
        let report = serde_json::from_str(&done.to_json()).unwrap_or_default();
        Ok(Published {
            code: u8::from(what.is_some()),
            what,
            outputs,
            stems,
            report,
        })
    }

    fn watch(&self, _: Progress) -> ControlFlow<()> {
        if self.stop.over() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    /// Makes the folder of an output, which must lie in that of all outputs when links are followed too.
    fn folder(&self, out: &Path) -> Result<()> {
        let folder = self.out.join(out.parent().unwrap_or(Path::new("")));
        let failed = |e| place::failed(ErrorKind::Output, &folder, e);
        // A store has no folders.
        if folder != self.out && !place::is_link(&folder) {
            fs::create_dir_all(&folder).map_err(failed)?;
            if !folder
                .canonicalize()
                .map_err(failed)?
                .starts_with(&self.out)
            {
                let what = format!("out {out:?} would leave the folder of the outputs by a link");
                return Err(Error::new(ErrorKind::Session, what));
            }
        }
        Ok(())
    }
}

/// The few numbers of an item that a list of thousands is looked through for: of several files the first one's levels, and
/// what is to be counted in all; the marker has everything.
pub fn figures(marker: &Marker) -> Value {
    let files = marker
        .report
        .pointer("/deliverables/0/files")
        .and_then(Value::as_array);
    let reports = files.map_or(std::slice::from_ref(&marker.report), Vec::as_slice);
    let first = reports.first().unwrap_or(&marker.report);
    let counted =
        |count: &dyn Fn(&Value) -> Option<u64>| reports.iter().filter_map(count).sum::<u64>();
    json!({
        "bytes": marker.outputs.iter().map(|o| o.bytes).sum::<u64>(),
        "files": marker.outputs.len(),
        "duration_s": first["duration_s"],
        "wall_s": marker.report["wall_s"],
        "integrated_lufs": first["mix"]["integrated_lufs"],
        "true_peak_dbtp": first["mix"]["true_peak_dbtp"],
        "clipped_samples": counted(&|report| report["mix"]["clipped_samples"].as_u64()),
        "warnings": counted(&|report| report["warnings"].as_array().map(|w| w.len() as u64)),
    })
}
