//! One item: its session, its mix or deliverable, its marker.

use super::{
    fingerprint::{self, Stem},
    job::Job,
    marker::{self, Found, Marker, Output},
    outcome::{Outcome, Status},
    place,
    stop::Stop,
};
use crate::range;
use serde_json::{Value, json};
use soundtrack::{
    Bounce, Delivery, Error, ErrorKind, Plan, Progress, Result, Session, storage::confined,
};
use std::{
    fs, io,
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
    /// Bytes that a mix may take.
    pub max_memory: u64,
    /// Threads of one mix.
    pub threads: usize,
    pub shards: u64,
    pub stop: &'a Stop,
}

/// State of an item's outputs before it is rendered.
struct Before {
    /// Whether a marker or a claim says that the outputs are this item's.
    is_ours: bool,
    /// Whether the marker is whole, and of the same session, stems and settings.
    is_current: bool,
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
        let mut session = job.load(self.outside).text(text.as_str(), &file)?;
        session.max_memory = self.max_memory;
        let print = |stems: &[Stem]| {
            fingerprint::of(job, text.as_bytes(), &session, &file, stems, self.outside)
        };
        let outputs = self.outputs(job, &session)?;
        let path = marker::beside(&self.out, &job.out);
        let before = match self.before(job, &path, &outputs, print)? {
            Ok(before) => before,
            Err(outcome) => return Ok(outcome),
        };
        self.folders(&outputs)?;
        if let Some(folder) = path.parent() {
            self.folders(&[folder.join("marker")])?;
        }
        // From here on an output under this name is ours, also where this program is killed before the marker is whole.
        let claim = marker::Claim::new(&job.id);
        let mut is_ours = before.is_ours || !claim.create(&path)?;
        if is_ours && !before.is_current {
            claim.replace(&path)?;
        }
        let done = loop {
            let done = match &job.deliver {
                None => self.mixed(job, &session, is_ours),
                Some(name) => self.delivered(job, name, session.clone(), is_ours),
            };
            let e = match done {
                Ok(done) => break done,
                Err(e) => e,
            };
            // Another run of the same shard may have been faster: then the claim is not the one of this run any more.
            let is_there = e.io_kind() == Some(io::ErrorKind::AlreadyExists);
            if is_there && !is_ours && !claim.is_at(&path)? {
                is_ours = true;
                continue;
            }
            if !is_ours || (!before.is_current && !any_exists(&outputs)?) {
                place::remove(&path)?;
            }
            return Err(e);
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
        marker.write(&path)?;
        let about = json!({ "out": job.out, "what": marker.what, "figures": figures(&marker) });
        Ok(Outcome {
            status: Status::Done,
            code: marker.code,
            about,
        })
    }

    /// Returns the state of an item's outputs before it is rendered, or its outcome if that is known already.
    fn before(
        &self,
        job: &Job,
        path: &Path,
        outputs: &[PathBuf],
        print: impl Fn(&[Stem]) -> String,
    ) -> Result<Result<Before, Outcome>> {
        let mut found = Marker::read(path, &job.id)?;
        if matches!(found, Found::Nothing)
            && let Err(e) = spare(outputs)
        {
            // Another run of the same shard may have made them just now.
            found = Marker::read(path, &job.id)?;
            if matches!(found, Found::Nothing) {
                return Err(e);
            }
        }
        Ok(match found {
            Found::Nothing => Ok(Before {
                is_ours: false,
                is_current: false,
            }),
            Found::Unfinished => Ok(Before {
                is_ours: true,
                is_current: false,
            }),
            Found::Foreign => {
                let what = format!(
                    "{}: is no marker of this item, so it is not replaced: move it away, or choose another out",
                    path.display()
                );
                return Err(Error::new(ErrorKind::Output, what));
            }
            Found::Marker(done) if done.id != job.id => Err(Outcome::refused(format!(
                "out {:?} is that of the item {:?}: two items cannot have one output; \
                 where the list was changed, remove {}",
                job.out,
                done.id,
                path.display()
            ))),
            Found::Marker(done) => {
                let now = done.stems.iter().map(|stem| Stem::now(&stem.file));
                let now: Option<Vec<Stem>> = now.collect::<Result<_>>()?;
                let is_current = now.is_some_and(|stems| print(&stems) == done.fingerprint)
                    && done.whole(&self.out)?;
                if is_current && self.resume {
                    return Ok(Err(Outcome {
                        status: Status::Skipped,
                        code: done.code,
                        about: json!({ "out": job.out, "what": done.what }),
                    }));
                }
                let mut others = outputs.to_vec();
                others.retain(|file| {
                    let own = file.strip_prefix(&self.out).unwrap_or(file);
                    done.outputs.iter().all(|output| output.file != own)
                });
                spare(&others)?;
                Ok(Before {
                    is_ours: true,
                    is_current,
                })
            }
        })
    }

    /// The mix, or a range of it.
    fn mixed(&self, job: &Job, session: &Session, overwrite: bool) -> Result<Published> {
        let path = self.out.join(&job.out);
        let plan = Plan::compile(session)?;
        let stems = Stem::all(plan.files())?;
        let mut bounce = Bounce::new()
            .format(job.format.unwrap_or_default())
            .overwrite(overwrite)
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
    fn delivered(
        &self,
        job: &Job,
        name: &str,
        mut session: Session,
        overwrite: bool,
    ) -> Result<Published> {
        let promise = job.promise(name, &mut session, &self.out)?;
        let outputs: Vec<PathBuf> = session
            .outputs(&promise)
            .into_iter()
            .map(|o| o.file)
            .collect();
        let stems = Stem::all(fingerprint::files(&session, &promise)?)?;
        let delivery = Delivery::new()
            .only([name])
            .overwrite(overwrite)
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

    /// The files that an item writes, their names filled in: each within the folder of all outputs, when links are
    /// followed too.
    fn outputs(&self, job: &Job, session: &Session) -> Result<Vec<PathBuf>> {
        let files = match &job.deliver {
            None => vec![self.out.join(&job.out)],
            Some(name) => {
                let mut session = session.clone();
                let promise = job.promise(name, &mut session, &self.out)?;
                let outputs = session.outputs(&promise);
                outputs.into_iter().map(|output| output.file).collect()
            }
        };
        let marker = marker::beside(&self.out, &job.out);
        for file in files.iter().chain([&marker]) {
            let inner = file.strip_prefix(&self.out).unwrap_or(file);
            confined(&self.out, inner).map_err(|e| {
                let what = format!(
                    "out {:?} would leave the folder of the outputs by a link",
                    job.out
                );
                Error::new(ErrorKind::Session, format!("{what}: {e}"))
            })?;
        }
        Ok(files)
    }

    /// Makes the folders of outputs.
    fn folders(&self, outputs: &[PathBuf]) -> Result<()> {
        for folder in outputs.iter().filter_map(|file| file.parent()) {
            // A store has no folders.
            if !place::is_link(folder) {
                let failed = |e| place::failed(ErrorKind::Output, folder, e);
                fs::create_dir_all(folder).map_err(failed)?;
            }
        }
        Ok(())
    }
}

/// Refuses files that exist: nothing says that they are this item's.
fn spare(outputs: &[PathBuf]) -> Result<()> {
    for file in outputs {
        if place::about(file)?.is_some() {
            let what = format!(
                "{}: exists already, and no marker says that this item made it: move it away, or choose another out",
                file.display()
            );
            return Err(Error::new(ErrorKind::Output, what));
        }
    }
    Ok(())
}

/// Whether any of these files is there.
fn any_exists(files: &[PathBuf]) -> Result<bool> {
    for file in files {
        if place::about(file)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
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
