//! The zoo: lengths and samples of every file that an independent decoder reads.

use crate::tools::{self, Row};
use soundtrack::media::FlawKind;
use std::{path::Path, sync::Mutex, thread};

/// Two steps at 16 bits.
const LOSSY: f64 = 2.0 / 32_768.0;

/// In what a file may differ.
#[derive(Clone, Copy, PartialEq)]
enum May {
    Length,
    Samples,
    Both,
}
use May::{Both, Length, Samples};

/// Files where this crate and the reference differ, and why.
const KNOWN: [(&str, May, &str); 20] = [
    (
        "fuzzing-corpus/multiple-bos.ogg",
        Length,
        "as long as its granule position states; ffmpeg leaves 128 frames out",
    ),
    (
        "ExoPlayer/bear-flac-16bit.mka",
        Both,
        "the first block is at 1 ms, which is 48 frames of silence; ffmpeg leaves them out",
    ),
    (
        "ExoPlayer/sample_partially_fragmented.mp4",
        Both,
        "the first packet lasts 5,907 frames, which are mostly silence; ffmpeg leaves them out",
    ),
    (
        "ExoPlayer/sample_av1.mp4",
        Both,
        "the edit list asks for 1,896 frames of silence first; ffmpeg leaves them out",
    ),
    (
        "claxon/non_subset.flac",
        Length,
        "begins at frame 4,096 of its stream",
    ),
    (
        "fuzzing-corpus/481921.ogg",
        Both,
        "pages with wrong checksums are left out and reported; ffmpeg plays them",
    ),
    (
        "fuzzing-corpus/aac_lc_sr96k_br96k_1c_16b_libfdk_aac.m4a",
        Length,
        "ffmpeg keeps the padding at the end",
    ),
    (
        "fuzzing-corpus/owl-funny-id3.mp3",
        Both,
        "mpg123 drops 529 frames at the start; equal to ffmpeg",
    ),
    (
        "fuzzing-corpus/singlemap-test.ogg",
        Samples,
        "ffmpeg decodes it wrongly",
    ),
    (
        "fuzzing-corpus/small-shot.mp3",
        Both,
        "mpg123 drops 529 frames at the start; equal to ffmpeg",
    ),
    (
        "fuzzing-corpus/terminated.ogg",
        Both,
        "one frame less than libvorbis",
    ),
    (
        "minimp3/l3-test45.bit",
        Samples,
        "mpg123 and ffmpeg decode it wrongly; equal to the samples that come with it",
    ),
    (
        "music-metadata/pr-544.m4a",
        Length,
        "ffmpeg keeps the padding at the end",
    ),
    (
        "mutagen/has-tags.m4a",
        Length,
        "no delay is stated; ffmpeg drops the first 1,024 frames, all silence",
    ),
    (
        "mutagen/lame397v9short.mp3",
        Length,
        "the tag trims more than there is",
    ),
    (
        "pedalboard/mono_sine_at_44100Hz.m4a",
        Length,
        "ffmpeg keeps the padding at the end",
    ),
    (
        "pedalboard/mono_sine_at_44100Hz.mp4",
        Length,
        "ffmpeg keeps the padding at the end",
    ),
    (
        "pedalboard/mp3_in_wav.wav",
        Both,
        "ffmpeg ignores the encoder's delay and padding in WAV",
    ),
    (
        "rodio/RL.m4a",
        Length,
        "ffmpeg keeps the padding at the end",
    ),
    (
        "taglib/no-tags.m4a",
        Length,
        "no delay is stated; ffmpeg drops the first 1,024 frames, all silence",
    ),
];

/// What became of a file.
enum Outcome {
    Equal,
    Refused(String),
    /// In its length, in its samples, or in another way.
    Differs {
        length: bool,
        samples: bool,
        what: String,
    },
}

fn compare(dir: &Path, row: &Row) -> Outcome {
    let path = dir.join(&row.file);
    let heard = match tools::hear(&path) {
        Ok(heard) => heard,
        Err(e) => return Outcome::Refused(e.to_string()),
    };
    if let Some(e) = heard.error {
        return Outcome::Differs {
            length: true,
            samples: true,
            what: e.to_string(),
        };
    }
    let frames = u64::try_from(heard.frames()).unwrap();
    assert_eq!(
        frames,
        heard.held(),
        "{}: the length is not what was promised",
        row.file
    );
    let channels = heard.planes.len();
    let other = if is_mpeg(row) {
        tools::mpg123(&path, channels)
    } else {
        tools::ffmpeg(&path, 1, channels)
    };
    let lossless = ["flac", "alac"].contains(&row.codec.as_str()) || row.codec.starts_with("pcm");
    let allowed = if lossless { 0.0 } else { LOSSY };
    let far = tools::furthest(&heard.planes, &other);
    let length = row.frames != Some(frames);
    let nothing = other[0].len().min(heard.frames()) == 0 && frames > 0;
    let samples = far > allowed || nothing;
    // Silence where a stream was cut out of a longer one is what others give too.
    let mut flaws = (heard.flaws.iter()).filter(|flaw| flaw.kind != FlawKind::CutBefore);
    let first = flaws.next();
    if !length && !samples && first.is_none() {
        return Outcome::Equal;
    }
    let stated = row.frames.map_or("none".into(), |n| n.to_string());
    let what =
        format!("{frames} frames for {stated}, samples differ by {far:.6}, first flaw {first:?}");
    Outcome::Differs {
        length,
        samples: samples || first.is_some(),
        what,
    }
}

/// Whether mpg123 reads it.
fn is_mpeg(row: &Row) -> bool {
    row.codec.starts_with("mp") && !row.file.ends_with(".wav") && !row.file.ends_with("ka")
}

#[test]
fn the_zoo_decodes_as_elsewhere_or_is_refused_by_name() {
    let Some(dir) = tools::data() else { return };
    if !tools::have(&["ffmpeg"]) {
        return;
    }
    let rows: Vec<Row> = tools::manifest(&dir)
        .into_iter()
        .filter(|r| r.file.starts_with("zoo/"))
        .collect();
    // WAVE has its own reader and its own tests.
    let ours = |r: &&Row| {
        !["wav", "bwf", "avi", "rf64"]
            .iter()
            .any(|x| r.file.ends_with(x))
            || r.codec == "mp3"
    };
    // Other decoders differ from it in several of these.
    let mpg123 = tools::have(&["mpg123"]);
    let work: Vec<&Row> = rows
        .iter()
        .filter(ours)
        .filter(|r| mpg123 || !is_mpeg(r))
        .collect();
    let done = Mutex::new(Vec::new());
    thread::scope(|s| {
        for half in 0..2 {
            let (work, done, dir) = (&work, &done, &dir);
            s.spawn(move || {
                for row in work.iter().skip(half).step_by(2) {
                    let outcome = compare(dir, row);
                    done.lock().unwrap().push((*row, outcome));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap();
    done.sort_by(|a, b| a.0.file.cmp(&b.0.file));
    // AAC-LC in mono and stereo is claimed, other AAC is not.
    let claimed = |row: &Row| {
        let codecs = ["aac", "alac", "flac", "mp1", "mp2", "mp3", "vorbis"];
        let known = codecs.contains(&row.codec.as_str()) || row.codec.starts_with("pcm");
        known
            && !["aac_he_sr22k_br64k_1c", "aac_lc_sr16k_br48k_6c"]
                .iter()
                .any(|f| row.file.contains(f))
    };
    let (mut equal, mut known, mut refused, mut wrong, mut count) = (0, 0, 0, Vec::new(), 0);
    for (row, outcome) in &done {
        let counts = claimed(row) && row.frames.is_some_and(|n| n > 0);
        count += usize::from(counts);
        let reason = KNOWN.iter().find(|(name, ..)| row.file.ends_with(name));
        match outcome {
            Outcome::Equal => equal += usize::from(counts),
            Outcome::Refused(what) => {
                assert!(
                    what.contains(row.file.rsplit('/').next().unwrap()),
                    "{what}"
                );
                refused += 1;
                println!("refused{}  {what}", if counts { " (claimed)" } else { "" });
            }
            Outcome::Differs {
                length,
                samples,
                what,
            } => match reason {
                Some((_, may, why))
                    if (!length || matches!(may, Length | Both))
                        && (!samples || matches!(may, Samples | Both)) =>
                {
                    known += usize::from(counts);
                    println!("known    {}: {what}\n         {why}", row.file);
                }
                _ if counts => wrong.push(format!("{}: {what}", row.file)),
                _ => println!("odd      {}: {what}", row.file),
            },
        }
    }
    println!(
        "zoo: {} files, {count} claimed: {equal} equal, {known} known to differ; {refused} refused",
        done.len()
    );
    assert!(
        wrong.is_empty(),
        "{} differ without a reason:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(
        (equal + known) * 100 >= count * 95,
        "{equal} + {known} of {count}"
    );
}
