//! Cut and damaged stems: nothing panics, nothing is silently short, and what follows the damage stays in its place.

use crate::tools::{self, Heard, Lcg};
use soundtrack::media::Remark;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Codecs and how to make them. AAC without noise, because its noise depends on everything before it.
const MADE: [(&str, &[&str]); 10] = [
    ("a.flac", &["-c:a", "flac"]),
    ("a.ogg", &["-c:a", "libvorbis", "-page_duration", "200000"]),
    ("a.oga", &["-c:a", "flac", "-page_duration", "200000"]),
    ("a.mp3", &["-c:a", "libmp3lame", "-b:a", "128k"]),
    (
        "a.m4a",
        &["-c:a", "aac", "-aac_pns", "0", "-movflags", "+faststart"],
    ),
    ("a.aac", &["-c:a", "aac", "-aac_pns", "0"]),
    ("a.mka", &["-c:a", "flac"]),
    (
        "a.mp4",
        &[
            "-c:a",
            "aac",
            "-aac_pns",
            "0",
            "-movflags",
            "+frag_keyframe+empty_moov",
            "-frag_duration",
            "500000",
        ],
    ),
    ("a.aiff", &["-c:a", "pcm_s16be"]),
    ("a.caf", &["-c:a", "pcm_s16be"]),
];

fn make(dir: &Path, name: &str, args: &[&str]) -> PathBuf {
    let wav = dir.join("music.wav");
    if !wav.exists() {
        tools::wav16(&wav, 44_100, &tools::music(44_100 * 3, 2));
    }
    let path = dir.join(name);
    let head = ["-v", "error", "-y", "-i", wav.to_str().unwrap()];
    let all: Vec<&str> = head
        .into_iter()
        .chain(args.iter().copied())
        .chain([path.to_str().unwrap()])
        .collect();
    tools::run("ffmpeg", &all);
    path
}

/// Whether something is said about a stem that is not whole.
fn reported(heard: &Heard) -> bool {
    let is_cut = heard.info.missing.0 > 0 || heard.info.remarks.contains(&Remark::CutOff);
    is_cut || heard.error.is_some() || !heard.flaws.is_empty()
}

#[test]
fn cut_stems_are_never_silently_short() {
    if !tools::have(&["ffmpeg"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    for (name, args) in MADE {
        let path = make(dir.path(), name, args);
        let whole = tools::hear(&path).unwrap();
        let data = fs::read(&path).unwrap();
        let cut = dir.path().join(format!("cut-{name}"));
        let mut line = format!("{name:7}");
        for per_mille in [100, 500, 900, 999] {
            fs::write(&cut, &data[..data.len() * per_mille / 1000]).unwrap();
            match tools::hear(&cut) {
                Err(e) => line += &format!("  {per_mille}: {:?}", e.kind()),
                Ok(heard) => {
                    line += &format!("  {per_mille}: {} of {}", heard.held(), heard.info.frames);
                    let short = heard.info.frames < whole.info.frames;
                    // Without a stated length a cut between two packets, or into the last, cannot be known better.
                    let blind = ["a.aac", "a.ogg", "a.oga", "a.mp4"].contains(&name);
                    // What is cut off may be an index behind the audio.
                    let equal = heard.planes == whole.planes;
                    assert!(reported(&heard) || equal, "{name} {per_mille}");
                    assert!(
                        !short || blind,
                        "{name} {per_mille}: {} for {}",
                        heard.info.frames,
                        whole.info.frames
                    );
                }
            }
        }
        println!("{line}");
        for len in (0..data.len().min(4096)).step_by(7) {
            fs::write(&cut, &data[..len]).unwrap();
            if let Ok(heard) = tools::hear(&cut) {
                let nothing = heard.info.frames.0 == 0;
                // A file with less than a hundredth of what its header promises counts as one with a wrong header.
                let wrong = heard
                    .info
                    .remarks
                    .iter()
                    .any(|r| matches!(r, Remark::HeaderLength { .. }));
                assert!(
                    nothing || reported(&heard) || wrong || name == "a.aac",
                    "{name} {len}"
                );
            }
        }
    }
}

/// How many of the last frames are compared.
const TAIL: usize = 8_000;

#[test]
fn damage_in_the_middle_moves_nothing_behind_it() {
    if !tools::have(&["ffmpeg"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    for (name, args) in MADE {
        let path = make(dir.path(), name, args);
        let whole = tools::hear(&path).unwrap();
        let data = fs::read(&path).unwrap();
        let broken = dir.path().join(format!("broken-{name}"));
        let (mut refused, mut flawed, mut moved, mut same, mut sought) =
            (0, 0, Vec::new(), 0, Vec::new());
        for seed in 0..60u64 {
            let mut random = Lcg(seed * 977 + 5);
            let mut bytes = data.clone();
            let (from, to) = (bytes.len() * 3 / 10, bytes.len() * 7 / 10);
            let place = |r: &mut Lcg| from + usize::try_from(r.next()).unwrap() % (to - from);
            match seed % 3 {
                0 => bytes[place(&mut random)] ^= 1 << (random.next() % 8),
                1 => {
                    let at = place(&mut random);
                    bytes[at] = 0;
                    bytes[at + 1] = 0xFF;
                }
                _ => {
                    // A hole of up to some thousand bytes: several packets.
                    let at = place(&mut random);
                    let end = (at + usize::try_from(random.next() % 8_000).unwrap()).min(to);
                    bytes[at..end].fill(0xA5);
                }
            }
            fs::write(&broken, &bytes).unwrap();
            let heard = match tools::hear(&broken) {
                Ok(heard) if heard.error.is_none() => heard,
                _ => {
                    refused += 1;
                    continue;
                }
            };
            // The end of a file of fragments is unknown if the last one is damaged, and that is reported.
            if heard.info.remarks.contains(&Remark::CutOff) {
                refused += 1;
                continue;
            }
            flawed += usize::from(!heard.flaws.is_empty());
            // Jumping to behind the damage, into it, and to before it gives what reading from the start gives.
            let (mut source, _) = soundtrack::media::open(&broken, None).unwrap();
            let random_places =
                (0..8).map(|_| usize::try_from(random.next()).unwrap() % heard.frames());
            let behind = heard
                .flaws
                .iter()
                .map(|f| usize::try_from((f.at + f.len).0).unwrap() + 30);
            for at in random_places.chain(behind.filter(|at| *at < heard.frames())) {
                let got = tools::after_seek(source.as_mut(), at as u64, 3_000);
                let until = (at + 3_000).min(heard.frames());
                if heard
                    .planes
                    .iter()
                    .zip(&got)
                    .any(|(w, g)| w[at..until] != g[..])
                {
                    sought.push((seed, at));
                }
            }
            let n = whole.frames();
            let tail = |h: &Heard| {
                h.planes
                    .iter()
                    .map(|p| p[h.frames() - TAIL..].to_vec())
                    .collect::<Vec<_>>()
            };
            if heard.frames() == n && tail(&heard) == tail(&whole) {
                same += 1;
            } else {
                moved.push((seed, heard.frames()));
            }
        }
        println!(
            "{name:7} {same} of 60 in place, {flawed} with flaws, {refused} refused, moved {moved:?}, sought {sought:?}"
        );
        assert!(
            moved.is_empty(),
            "{name}: {moved:?} of {} frames",
            whole.frames()
        );
        assert!(sought.is_empty(), "{name}: {sought:?}");
    }
}

#[test]
fn a_cut_container_without_its_index_is_said_to_be_cut_off() {
    if !tools::have(&["ffmpeg"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    for (name, args) in [("b.mp4", ["-c:a", "aac"]), ("b.m4a", ["-c:a", "alac"])] {
        let data = fs::read(make(dir.path(), name, &args)).unwrap();
        for percent in [10, 50, 90, 99] {
            let cut = dir.path().join(format!("cut-{name}"));
            fs::write(&cut, &data[..data.len() * percent / 100]).unwrap();
            let e = tools::hear(&cut).err().unwrap();
            assert_eq!(
                e.kind(),
                soundtrack::ErrorKind::Corrupt,
                "{name} {percent}: {e}"
            );
            assert!(
                e.to_string().ends_with("the file is probably cut off"),
                "{name} {percent}: {e}"
            );
        }
    }
}
