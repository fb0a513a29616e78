//! Finds out which part of an MP4 track is heard: the edit list (ISO/IEC 14496-12, 8.6.6), the `iTunSMPB` tag, and the
//! durations of the packets.
//!
//! The audio starts where the edit list says, else where `iTunSMPB` says, else at the first packet. It ends with the
//! last packet, or earlier where the durations of the packets, `iTunSMPB` or the edit list say so. Edit durations often
//! count milliseconds, so they apply only if they differ by more than one such step.

use super::{
    PlacedMp4,
    movie::{Edit, Movie, Mp4Track},
};
use crate::{
    error::Result,
    media::{
        Remark,
        demux::{
            AudioExtent, StemFile, coded_stream::CodedStream, signed, timeline::rescale, unsigned,
        },
        edit_list::EditPiece,
    },
    units::Frames,
};

/// The part of a track that is heard.
pub(super) struct Edits {
    pub(super) extent: AudioExtent,
    /// Frames of silence that empty edits put before it.
    pub(super) silence: u64,
    /// The pieces of an edit list that jumps; empty for one continuous part.
    pub(super) pieces: Vec<EditPiece>,
    pub(super) remark: Option<Remark>,
}

impl StemFile<'_> {
    /// Applies the edit list and `iTunSMPB` to the packets of a track.
    pub(super) fn edits(
        &self,
        movie: &Movie,
        track: &Mp4Track,
        coded: &CodedStream,
        packets: &PlacedMp4,
    ) -> Result<Edits> {
        let rate = coded.rate;
        let (total, available) = (packets.placed.end, packets.available);
        if track.edits.iter().any(Edit::changes_speed) {
            return Err(self.unsupported("an edit list that changes the speed in MP4"));
        }
        let empty = track
            .edits
            .iter()
            .take_while(|e| e.is_empty())
            .map(|e| e.duration)
            .fold(0, u64::saturating_add);
        let leading_silence = rescale(empty, movie.timescale, rate);
        let edits = merged(&track.edits, movie.timescale, track.timescale);
        if edits.len() > 1 {
            return Ok(Edits {
                extent: AudioExtent {
                    origin: 0,
                    end: signed(total),
                    available_end: signed(available),
                },
                silence: 0,
                pieces: pieces(&track.edits, movie.timescale, track.timescale, rate, total),
                remark: None,
            });
        }
        let mut end = total;
        if available == total {
            end -= packets.padding.min(total);
        }
        let mut origin = 0;
        if let Some(edit) = edits.first() {
            origin = rescale(unsigned(edit.media_time), track.timescale, rate);
            let edit_end = origin.saturating_add(rescale(edit.duration, movie.timescale, rate));
            let step = u64::from(rate.div_ceil(movie.timescale.max(1)));
            // The header of a fragmented file was written before the length was known.
            if movie.fragments.is_none() && edit.duration > 0 && edit_end + step < end {
                end = edit_end;
            }
        }
        let mut remark = packets.listed.map(|listed| Remark::HeaderLength {
            stated: Frames(listed),
            found: Frames(total),
        });
        // The tag belongs to the file, so it says nothing about one of several tracks.
        if let Some(smpb) = movie.smpb.filter(|_| movie.tracks.len() == 1) {
            if edits.is_empty() {
                origin = smpb.delay;
            }
            let smpb_end = origin.saturating_add(smpb.frames);
            if smpb_end <= total {
                end = smpb_end;
            } else if available == total {
                remark = Some(Remark::HeaderLength {
                    stated: Frames(smpb.frames),
                    found: Frames(total.saturating_sub(origin)),
                });
            }
        }
        Ok(Edits {
            extent: AudioExtent {
                origin: signed(origin).saturating_sub(signed(leading_silence)),
                end: signed(end.max(origin)),
                available_end: signed(available),
            },
            silence: leading_silence,
            pieces: Vec::new(),
            remark,
        })
    }
}

/// Merges edits that follow on to within a tick, and leaves out silence at the start.
fn merged(edits: &[Edit], movie_timescale: u32, timescale: u32) -> Vec<Edit> {
    let (movie_timescale, timescale) = (movie_timescale.max(1), timescale.max(1));
    let step = u64::from(timescale.div_ceil(movie_timescale));
    let mut merged: Vec<Edit> = Vec::new();
    for edit in edits.iter().skip_while(|e| e.is_empty()) {
        if let Some(last) = merged.last_mut()
            && !last.is_empty()
            && !edit.is_empty()
        {
            let last_end = unsigned(last.media_time).saturating_add(rescale(
                last.duration,
                movie_timescale,
                timescale,
            ));
            if last_end.abs_diff(unsigned(edit.media_time)) <= step {
                last.duration = last.duration.saturating_add(edit.duration);
                continue;
            }
        }
        merged.push(*edit);
    }
    merged
}

/// Converts an edit list to pieces in frames of a track of `total` frames. The start of each is rounded by itself, so that
/// rounding does not add up.
fn pieces(
    edits: &[Edit],
    movie_timescale: u32,
    timescale: u32,
    rate: u32,
    total: u64,
) -> Vec<EditPiece> {
    let mut ticks = 0u64;
    let mut pieces = Vec::with_capacity(edits.len());
    for (index, edit) in edits.iter().enumerate() {
        let start = rescale(ticks, movie_timescale, rate);
        ticks = ticks.saturating_add(edit.duration);
        let from = u64::try_from(edit.media_time)
            .ok()
            .map(|time| rescale(time, timescale, rate));
        let mut frames = rescale(ticks, movie_timescale, rate) - start;
        // A last edit of no duration goes on to the end of the media.
        if let (Some(from), 0, true) = (from, edit.duration, index + 1 == edits.len()) {
            frames = total.saturating_sub(from);
        }
        pieces.push(EditPiece { from, frames });
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(duration: u64, media_time: i64) -> Edit {
        Edit {
            duration,
            media_time,
            speed: 1 << 16,
        }
    }

    #[test]
    fn edits_that_follow_on_are_merged() {
        let list = [edit(500, -1), edit(1000, 1024), edit(1000, 49_030)];
        assert_eq!(merged(&list, 1000, 48_000), [edit(2000, 1024)]);
        let jump = [edit(1000, 0), edit(1000, 96_000)];
        assert_eq!(merged(&jump, 1000, 48_000), jump);
    }

    #[test]
    fn pieces_begin_where_their_exact_time_rounds_to() {
        let list = [edit(1, 0), edit(1, -1), edit(1, 441)];
        let frames: Vec<_> = pieces(&list, 600, 44_100, 44_100, 1000)
            .iter()
            .map(|p| (p.from, p.frames))
            .collect();
        // 73.5 frames each: 0, 74, 147, 221.
        assert_eq!(frames, [(Some(0), 74), (None, 73), (Some(441), 74)]);
    }
}
