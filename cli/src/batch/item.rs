//! Renders one item of the list: its session, its mix or deliverable, and its marker.

use super::{
    fingerprint::{self, StemVersion},
    grace_period::GracePeriod,
    job::Job,
    marker::{self, Claim, Found, Marker, Output},
    outcome::{Outcome, Status},
    summary::figures,
};
use crate::file_store;
use serde_json::{Value, json};
use soundtrack::{Bounce, Delivery, Error, ErrorKind, Plan, Result, Session, storage::confined};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Renders items with the settings that all items of a run share.
pub struct ItemRenderer<'a> {
    /// Folder of the list, which session paths are relative to; may be one of a store.
    pub list_folder: PathBuf,
    /// Output folder without symbolic links, or the link of one in a store.
    pub out: PathBuf,
    /// Skips items that are done.
    pub resume: bool,
    /// Allows sessions to use stems outside their folders.
    pub outside: bool,
    /// Maximum memory of a mix in bytes.
    pub max_memory: u64,
    /// Threads of one mix.
    pub threads: usize,
    /// Number of shards of the run, for the markers.
    pub shards: u64,
    pub grace_period: &'a GracePeriod,
}

/// State of an item's outputs before it is rendered.
struct Before {
    /// Set if a marker or a claim shows that the outputs belong to this item, so that they may be replaced.
    is_ours: bool,
    /// Set if the item is done with the same session, stems and settings.
    is_current: bool,
}

/// Result of a render that published an item's outputs.
struct Published {
    /// Message of a failed check.
    failed_check: Option<String>,
    outputs: Vec<PathBuf>,
    stems: Vec<StemVersion>,
    report: Value,
}

impl ItemRenderer<'_> {
    /// Renders an item, or skips it if it is done.
    pub fn render(&self, job: &Job) -> Outcome {
        self.try_render(job)
            .unwrap_or_else(|e| Outcome::of_error(&e))
    }

    fn try_render(&self, job: &Job) -> Result<Outcome> {
        let (file, text) = job.read_session(&self.list_folder)?;
        let mut session = job.load_options(self.outside).text(text.as_str(), &file)?;
        session.max_memory = self.max_memory;
        let fingerprint = |stems: &[StemVersion]| {
            fingerprint::compute(job, text.as_bytes(), &session, &file, stems, self.outside)
        };
        let outputs = self.output_paths(job, &session)?;
        let marker_path = marker::path_beside(&self.out, &job.out);
        let before = match self.inspect(job, &marker_path, &outputs, fingerprint)? {
            Ok(before) => before,
            Err(outcome) => return Ok(outcome),
        };
        create_folders_of(&outputs)?;
        create_folders_of(std::slice::from_ref(&marker_path))?;

        let published = self.render_under_claim(job, &session, &outputs, &marker_path, &before)?;
        let marker = Marker {
            id: job.id.clone(),
            fingerprint: fingerprint(&published.stems),
            code: u8::from(published.failed_check.is_some()),
            what: published.failed_check,
            shards: self.shards,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            outputs: published
                .outputs
                .iter()
                .map(|file| self.output_size(file))
                .collect::<Result<_>>()?,
            stems: published.stems,
            report: published.report,
        };
        marker.write(&marker_path)?;
        Ok(Outcome {
            status: Status::Done,
            code: marker.code,
            fields: json!({ "out": job.out, "what": marker.what, "figures": figures(&marker) }),
        })
    }

    /// Returns the state of an item's outputs before it is rendered, or its outcome if it needs no render.
    ///
    /// # Errors
    /// `Output` for files that do not belong to this item.
    fn inspect(
        &self,
        job: &Job,
        marker_path: &Path,
        outputs: &[PathBuf],
        fingerprint: impl Fn(&[StemVersion]) -> String,
    ) -> Result<Result<Before, Outcome>> {
        let mut found = Marker::read(marker_path, &job.id)?;
        if matches!(found, Found::Nothing)
            && let Err(e) = refuse_existing(outputs)
        {
            // Another run of the same shard may have claimed the item since.
            found = Marker::read(marker_path, &job.id)?;
            if matches!(found, Found::Nothing) {
                return Err(e);
            }
        }
        let done = match found {
            Found::Nothing => {
                return Ok(Ok(Before {
                    is_ours: false,
                    is_current: false,
                }));
            }
            Found::Unfinished => {
                return Ok(Ok(Before {
                    is_ours: true,
                    is_current: false,
                }));
            }
            Found::Foreign => {
                let text = format!(
                    "{}: is not a marker of this item and is not replaced: move it away, or choose another out",
                    marker_path.display()
                );
                return Err(Error::new(ErrorKind::Output, text));
            }
            Found::Marker(done) => done,
        };
        if done.id != job.id {
            return Ok(Err(Outcome::refused(format!(
                "out {:?} belongs to the item {:?}, and two items cannot share an output; \
                 if the list was changed, remove {}",
                job.out,
                done.id,
                marker_path.display()
            ))));
        }
        let stems = done
            .stems
            .iter()
            .map(|stem| StemVersion::current(&stem.file))
            .collect::<Result<Option<Vec<_>>>>()?;
        let is_current = stems.is_some_and(|stems| fingerprint(&stems) == done.fingerprint)
            && done.has_all_outputs(&self.out)?;
        if is_current && self.resume {
            return Ok(Err(Outcome {
                status: Status::Skipped,
                code: done.code,
                fields: json!({ "out": job.out, "what": done.what }),
            }));
        }
        // A changed session may have outputs that the marker does not list.
        let mut others = outputs.to_vec();
        others.retain(|file| {
            let own = self.relative(file);
            done.outputs.iter().all(|output| output.file != own)
        });
        refuse_existing(&others)?;
        Ok(Ok(Before {
            is_ours: true,
            is_current,
        }))
    }

    /// Claims the marker's place and renders the outputs. If the render fails, removes a claim of outputs that do not exist.
    fn render_under_claim(
        &self,
        job: &Job,
        session: &Session,
        outputs: &[PathBuf],
        marker_path: &Path,
        before: &Before,
    ) -> Result<Published> {
        // From here on an output under this name is ours, even if this program is killed before it writes the marker.
        let claim = Claim::new(&job.id);
        let mut is_ours = before.is_ours || !claim.create(marker_path)?;
        if is_ours && !before.is_current {
            claim.replace(marker_path)?;
        }
        loop {
            let published = match &job.deliver {
                None => self.render_mix(job, session, is_ours),
                Some(name) => self.render_deliverable(job, name, session.clone(), is_ours),
            };
            let error = match published {
                Ok(published) => return Ok(published),
                Err(e) => e,
            };
            // Another run of the same shard may have published first: then the claim is no longer that of this run.
            let exists = error.io_kind() == Some(io::ErrorKind::AlreadyExists);
            if exists && !is_ours && !claim.is_at(marker_path)? {
                is_ours = true;
                continue;
            }
            if !is_ours || (!before.is_current && first_existing(outputs)?.is_none()) {
                file_store::remove(marker_path)?;
            }
            return Err(error);
        }
    }

    /// Renders the mix, or a range of it.
    fn render_mix(&self, job: &Job, session: &Session, overwrite: bool) -> Result<Published> {
        let path = self.out.join(&job.out);
        let plan = Plan::compile(session)?;
        let stems = StemVersion::of_all(plan.files())?;
        let mut bounce = Bounce::new()
            .format(job.mix_format())
            .overwrite(overwrite)
            .threads(self.threads);
        if let Some(range) = job.parse_range(session, plan.length())? {
            bounce = bounce.range(range);
        }
        let mut report = bounce
            .progress(|_| self.grace_period.control_flow())
            .write(plan, &path)?;
        report.title.clone_from(&session.title);
        Ok(Published {
            failed_check: None,
            outputs: vec![path],
            stems,
            report: readable(serde_json::to_value(&report))?,
        })
    }

    /// Renders one of the session's deliverables to `out` in place of its own file.
    fn render_deliverable(
        &self,
        job: &Job,
        name: &str,
        mut session: Session,
        overwrite: bool,
    ) -> Result<Published> {
        let deliverable = job.select_deliverable(name, &mut session, &self.out)?;
        let outputs = session.outputs(&deliverable);
        let stems = StemVersion::of_all(fingerprint::files_of(&session)?)?;
        let delivered = Delivery::new()
            .only([name])
            .overwrite(overwrite)
            .threads(self.threads)
            .progress(|_| self.grace_period.control_flow())
            .run(&session)?;
        let failed_check = (!delivered.passed()).then(|| "written, but a check failed".to_owned());
        Ok(Published {
            failed_check,
            outputs: outputs.into_iter().map(|output| output.file).collect(),
            stems,
            report: readable(serde_json::from_str(&delivered.to_json()))?,
        })
    }

    /// Returns the files that an item writes, with the placeholders of their names filled in.
    ///
    /// # Errors
    /// `Session` for a file outside the output folder, also by a symbolic link.
    fn output_paths(&self, job: &Job, session: &Session) -> Result<Vec<PathBuf>> {
        let files = match &job.deliver {
            None => vec![self.out.join(&job.out)],
            Some(name) => {
                let mut session = session.clone();
                let deliverable = job.select_deliverable(name, &mut session, &self.out)?;
                let outputs = session.outputs(&deliverable);
                outputs.into_iter().map(|output| output.file).collect()
            }
        };
        let marker = marker::path_beside(&self.out, &job.out);
        for file in files.iter().chain([&marker]) {
            confined(&self.out, self.relative(file)).map_err(|e| {
                let text = format!("out {:?} would leave the output folder by a link", job.out);
                Error::new(ErrorKind::Session, format!("{text}: {e}"))
            })?;
        }
        Ok(files)
    }

    /// Returns the path of an output relative to the output folder.
    fn relative<'f>(&self, file: &'f Path) -> &'f Path {
        file.strip_prefix(&self.out).unwrap_or(file)
    }

    fn output_size(&self, file: &Path) -> Result<Output> {
        Ok(Output {
            file: self.relative(file).to_owned(),
            // A file that is gone already leaves an incomplete marker, and the item is rendered again.
            bytes: file_store::metadata(file)?.map_or(0, |metadata| metadata.bytes),
        })
    }
}

/// Converts the error of a report that is no JSON.
fn readable(report: serde_json::Result<Value>) -> Result<Value> {
    report.map_err(|e| {
        let text = format!("the report cannot be read: {e}");
        Error::new(ErrorKind::Output, text).because(e)
    })
}

/// Creates the folders of files. Stores have no folders.
fn create_folders_of(files: &[PathBuf]) -> Result<()> {
    for folder in files.iter().filter_map(|file| file.parent()) {
        if !file_store::is_link(folder) {
            fs::create_dir_all(folder)
                .map_err(|e| file_store::file_error(ErrorKind::Output, folder, e))?;
        }
    }
    Ok(())
}

/// Refuses files that exist without a marker of this item.
fn refuse_existing(files: &[PathBuf]) -> Result<()> {
    match first_existing(files)? {
        None => Ok(()),
        Some(file) => {
            let text = format!(
                "{}: exists already, and no marker shows that this item made it: move it away, or choose another out",
                file.display()
            );
            Err(Error::new(ErrorKind::Output, text))
        }
    }
}

/// Returns the first of these files that exists.
fn first_existing(files: &[PathBuf]) -> Result<Option<&Path>> {
    for file in files {
        if file_store::metadata(file)?.is_some() {
            return Ok(Some(file));
        }
    }
    Ok(None)
}
