//! Writes the music cue sheets of a delivery.

use super::{
    jobs::DeliveredFile,
    render::{CompleteFile, DeliveryContext},
    report::FileReport,
};
use crate::{
    encode::CompleteOutput, error::Result, plan::Plan, report::CueSheet, session::Session,
};

/// Writes a cue sheet, without making it visible.
pub(super) fn write(
    file: &DeliveredFile,
    session: &Session,
    plan: &Plan,
    context: &DeliveryContext<'_>,
) -> Result<CompleteFile> {
    let sheet = CueSheet::new(session, plan);
    let is_json = file
        .path
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    let (text, format) = if is_json {
        (sheet.to_json(), "json")
    } else {
        (sheet.to_csv(), "csv")
    };
    let output = CompleteOutput::of_text(&file.path, &text, context.settings.overwrite)?;
    Ok(CompleteFile {
        deliverable: file.deliverable,
        number: file.number,
        report: FileReport::of_document(file.content, format, session),
        output,
        mix_of: None,
    })
}
