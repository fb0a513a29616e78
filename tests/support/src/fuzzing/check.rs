//! Checks that hold for any bytes. Each panics if it fails.
//!
//! Used by the fuzz targets, which need a nightly compiler, and by `tests/robustness/mutations.rs`, which does not.

use soundtrack::{
    Block, Bounce, Clip, Damage, Decibels, Error, FrameRate, Frames, Layout, Load, Options, Pan,
    Plan, Renderer, SampleRate, Session, Source, Track, encode, interchange, media,
};
use std::{
    cell::RefCell,
    fs,
    panic::{self, AssertUnwindSafe},
    path::{Path, PathBuf},
};
use tempfile::TempDir;

/// The most frames of one stem that are decoded: what follows is no other than what came before.
const MOST_FRAMES: u64 = 1 << 16;

thread_local! {
    static FOLDER: RefCell<Option<TempDir>> = const { RefCell::new(None) };
}

/// Panics of decoders are contained by the library: they are no finding and need no word.
pub fn contained_panics_are_quiet() {
    panic::set_hook(Box::new(|_| {}));
}

/// Does the check in this thread's folder. What it finds, or a panic that was not contained, is printed and goes on.
fn guarded(check: impl FnOnce(&Path)) {
    let folder = FOLDER.with_borrow_mut(|f| f.get_or_insert_with(in_memory).path().to_owned());
    if let Err(found) = panic::catch_unwind(AssertUnwindSafe(|| check(&folder))) {
        let text = found
            .downcast_ref::<String>()
            .map(String::as_str)
            .or(found.downcast_ref::<&str>().copied());
        eprintln!("found: {}", text.unwrap_or("a panic"));
        panic::resume_unwind(found);
    }
}

/// Creates a temporary folder in memory if the system has such.
fn in_memory() -> TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() {
        tempfile::tempdir_in(memory)
    } else {
        tempfile::tempdir()
    };
    made.expect("a folder for the files")
}

/// Writes a new file of these bytes.
fn file(folder: &Path, name: &str, data: &[u8]) -> PathBuf {
    let path = folder.join(name);
    let _ = fs::remove_file(&path);
    fs::write(&path, data).expect("a file of the bytes");
    path
}

/// Asserts that an error names the file and has a text.
fn named(error: &Error, name: &str) {
    let text = error.to_string();
    assert!(
        text.contains(name),
        "an error that does not name the file: {text}"
    );
    assert!(text.len() < 1 << 20, "an error of {} bytes", text.len());
}

/// Reads up to `most` frames from the position of the source.
fn frames(source: &mut dyn Source, most: u64) -> Result<Vec<Vec<f64>>, Error> {
    let layout = source.spec().layout;
    let mut planes = vec![Vec::new(); layout.channels()];
    let mut done = 0;
    while done < most {
        let mut block = Block::new(
            layout,
            usize::try_from((most - done).min(4_096)).unwrap_or(4_096),
        );
        let n = source.read(&mut block)?;
        assert_eq!(n, block.frames(), "frames announced and given");
        assert!(n <= block.capacity(), "more frames than there is room for");
        if n == 0 {
            break;
        }
        planes
            .iter_mut()
            .zip(block.channels())
            .for_each(|(p, c)| p.extend_from_slice(c));
        done += n as u64;
    }
    Ok(planes)
}

fn same(a: &[Vec<f64>], b: &[Vec<f64>], what: &str) {
    for (ch, (a, b)) in a.iter().zip(b).enumerate() {
        assert_eq!(a.len(), b.len(), "{what}: frames of channel {ch}");
        let differs = a
            .iter()
            .zip(b)
            .position(|(x, y)| x.to_bits() != y.to_bits());
        assert!(
            differs.is_none(),
            "{what}: channel {ch}, frame {}",
            differs.unwrap_or(0)
        );
    }
}

/// Makes the bytes the subframes of a FLAC frame, and does with it what [`open`] does.
///
/// The first four bytes are the channel assignment, the number of bits and the block size (see
/// [`seeds::flac_frames`](super::seeds::flac_frames)). Checksums are made right, so that the bytes reach the decoder.
pub fn flac(data: &[u8]) {
    let Some((&[assignment, bits, size_high, size_low], subframes)) = data.split_first_chunk()
    else {
        return;
    };
    let (assignment, bits) = (assignment % 11, 4 + bits % 29);
    let channels = if assignment < 8 { assignment + 1 } else { 2 };
    let mut frame = vec![0xFF, 0xF8, 0x70, assignment << 4, 0, size_high, size_low];
    frame.push(crc(&frame, 0x07, 8) as u8);
    frame.extend(subframes);
    frame.extend(crc(&frame, 0x8005, 16).to_be_bytes());
    // A rate of 48 kHz, and no stated length or MD5.
    let fields = 48_000u64 << 44 | u64::from(channels - 1) << 41 | u64::from(bits - 1) << 36;
    let mut file = b"fLaC\x80\0\0\x22".to_vec();
    file.extend([size_high, size_low, size_high, size_low, 0, 0, 0, 0, 0, 0]);
    file.extend(fields.to_be_bytes());
    file.extend([0; 16]);
    file.extend(frame);
    open(&file);
}

/// Returns the remainder of the division by a polynomial of `bits` bits.
fn crc(data: &[u8], polynomial: u16, bits: u32) -> u16 {
    let highest = 1 << (bits - 1);
    let crc = data.iter().fold(0, |crc, byte| {
        let crc = crc ^ u16::from(*byte) << (bits - 8);
        (0..8).fold(crc, |crc: u16, _| {
            let shifted = crc << 1;
            if crc & highest == 0 {
                shifted
            } else {
                shifted ^ polynomial
            }
        })
    });
    crc & (u16::MAX >> (16 - bits))
}

/// Opens the bytes as a stem, reads it, goes back, and reads a part again: the same, or a refusal that names the file.
pub fn open(data: &[u8]) {
    guarded(|folder| {
        let path = file(folder, "stem.bin", data);
        let (mut stem, info) = match media::open(&path, None) {
            Ok(opened) => opened,
            Err(e) => return named(&e, "stem.bin"),
        };
        assert_eq!(stem.spec(), info.spec);
        assert!(info.missing <= info.frames, "more is missing than there is");
        let all = match frames(&mut *stem, MOST_FRAMES) {
            Ok(all) => all,
            Err(e) => return named(&e, "stem.bin"),
        };
        let len = all.first().map_or(0, |c| c.len() as u64);
        if len < MOST_FRAMES && stem.flaws().is_empty() {
            let held = info.frames - info.missing;
            assert!(
                len == held.0 || len == info.frames.0,
                "{len} frames of a stem that states {held}"
            );
        }
        let at = len * (data.len() as u64 % 97) / 97;
        if stem.seek(Frames(at)).is_ok()
            && let Ok(again) = frames(&mut *stem, 4_096.min(len - at))
        {
            let part: Vec<Vec<f64>> = all
                .iter()
                .map(|c| c.iter().skip(at as usize).take(4_096).copied().collect())
                .collect();
            same(&part, &again, "after a seek");
        }
    });
}

/// Reads the bytes as a file of another program, by the first byte; what can be read is a session that can be written and read
/// again, and spotting that can be written.
pub fn interchange(data: &[u8]) {
    const NAMES: [&str; 7] = [
        "x.otio",
        "x.edl",
        "x.csv",
        "regions.csv",
        "x.txt",
        "x.rpp",
        "x.dawproject",
    ];
    guarded(|folder| {
        let Some((kind, text)) = data.split_first() else {
            return;
        };
        let name = NAMES[usize::from(*kind) % NAMES.len()];
        let bytes = match name {
            "x.dawproject" => stored_archive("project.xml", text),
            _ => text.to_vec(),
        };
        let options = interchange::Options {
            fps: Some(FrameRate::FPS_24),
            ..interchange::Options::default()
        };
        let imported = match interchange::read_bytes(bytes, name, &options) {
            Ok(imported) => imported,
            Err(e) => return named(&e, name),
        };
        let spotting = folder.join("spotting.csv");
        if let Err(e) = interchange::write(&imported.session, &spotting, true) {
            panic!("spotting cannot be written: {e}");
        }
        let text = match imported.session.to_text("s.toml") {
            Ok(text) => text,
            Err(e) => panic!("the session cannot be written: {e}"),
        };
        let load = Load {
            outside: true,
            ..Load::default()
        };
        // Too large a session is refused as a file.
        if let Ok(again) = load.text(text.as_str(), "s.toml") {
            assert_eq!(again.tracks().len(), imported.session.tracks().len());
            assert_eq!(again.markers, imported.session.markers);
        }
    });
}

/// Makes a ZIP archive with one entry that is not compressed.
fn stored_archive(name: &str, content: &[u8]) -> Vec<u8> {
    let mut crc = u32::MAX;
    for byte in content {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = crc >> 1 ^ (0xEDB8_8320 * (crc & 1));
        }
    }
    let length = (content.len() as u32).to_le_bytes();
    let name_length = (name.len() as u16).to_le_bytes();
    let common = [
        &[10, 0, 0, 0, 0, 0, 0, 0, 33, 0],
        &(!crc).to_le_bytes()[..],
        &length,
        &length,
        &name_length,
        &[0, 0],
    ]
    .concat();
    let local = [b"PK\x03\x04", &common[..], name.as_bytes(), content].concat();
    let central = [b"PK\x01\x02\x0a\0", &common[..], &[0; 14], name.as_bytes()].concat();
    let end = [
        b"PK\x05\x06\0\0\0\0\x01\0\x01\0",
        &(central.len() as u32).to_le_bytes()[..],
        &(local.len() as u32).to_le_bytes(),
        &[0, 0],
    ]
    .concat();
    [local, central, end].concat()
}

/// Reads the bytes as a session, TOML or JSON by the first byte; what can be read is written and read again, the same,
/// and planned.
pub fn session(data: &[u8]) {
    guarded(|folder| {
        let Some((kind, text)) = data.split_first() else {
            return;
        };
        let Ok(text) = std::str::from_utf8(text) else {
            return;
        };
        let stem = folder.join("a.wav");
        if !stem.exists() {
            fs::write(&stem, silence(480)).expect("a stem");
        }
        let name = if kind % 2 == 0 { "s.toml" } else { "s.json" };
        let read = match Load::default().text(text, folder.join(name)) {
            Ok(read) => read,
            Err(e) => return named(&e, ""),
        };
        for other in ["t.toml", "t.json"] {
            // What a session file cannot hold is refused by name.
            if let Ok(written) = read.to_text(folder.join(other)) {
                match Load::default().text(&written, folder.join(other)) {
                    Ok(again) => assert_eq!(
                        again, read,
                        "read from {name}, written to {other}:\n{written}"
                    ),
                    Err(e) => panic!("what was written to {other} is refused: {e}\n{written}"),
                }
            }
        }
        if let Ok(plan) = Plan::compile(&read) {
            let _ = plan.to_string();
        }
    });
}

/// Mixes two stems with the gains, pans, places and rate that the first bytes say: never a sample that is no number, the
/// same samples for any block, and for a range as for the whole.
pub fn render(data: &[u8]) {
    guarded(|folder| {
        let Some((head, rest)) = data.split_first_chunk::<12>() else {
            return;
        };
        let [
            how,
            gain_a,
            gain_b,
            pan,
            at,
            rate,
            block,
            cut,
            long,
            high,
            low,
            _,
        ] = *head;
        let first = (usize::from(high) << 8 | usize::from(low)).min(rest.len());
        let (a, b) = rest.split_at(first);
        let rates = [48_000, 44_100, 96_000, 8_000];
        let rate = rates[usize::from(rate) % rates.len()];
        let layout = if how & 2 == 0 {
            Layout::Stereo
        } else {
            Layout::Surround51
        };
        let mut mix = Session::new(SampleRate::new(rate).expect("a rate"), layout);
        mix.damage = if how & 1 == 0 {
            Damage::Refuse
        } else {
            Damage::Silence
        };
        let decibels = |g: u8| {
            if g == 0 {
                Decibels::SILENCE
            } else {
                Decibels(f64::from(g) / 8.0 - 24.0)
            }
        };
        let place = |mut clip: Clip, at: u8| {
            clip.at = Frames(u64::from(at) * 37).into();
            clip
        };
        for (name, data, gain, pan) in [
            ("a.bin", a, gain_a, 0.0),
            ("b.bin", b, gain_b, f64::from(pan) / 127.5 - 1.0),
        ] {
            let clip = place(Clip::new(file(folder, name, data)), at);
            mix.add_track(
                Track::of(name)
                    .clip(clip)
                    .gain(decibels(gain))
                    .pan(Pan(pan)),
            );
        }
        let plan = match Plan::compile(&mix) {
            Ok(plan) => plan,
            Err(e) => return named(&e, ".bin"),
        };
        let end = plan.length().0.min(4_096 + 64 * u64::from(long));
        let whole = heard(&plan, 4_096, 0..end);
        let blocks = heard(&plan, 1 + usize::from(block) * 3, 0..end);
        match (&whole, &blocks) {
            (Ok(whole), Ok(blocks)) => same(whole, blocks, "another block"),
            (Err(e), Err(_)) => return named(e, ".bin"),
            (Ok(_), Err(e)) | (Err(e), Ok(_)) => {
                panic!("refused with one block, not with the other: {e}")
            }
        }
        let Ok(whole) = whole else { return };
        assert!(
            whole.iter().flatten().all(|s| s.is_finite()),
            "a sample that is no number"
        );
        let from = end * u64::from(cut) / 256;
        match heard(&plan, 512, from..end) {
            Ok(part) => {
                let tail: Vec<Vec<f64>> =
                    whole.iter().map(|c| c[from as usize..].to_vec()).collect();
                same(&tail, &part, "a range");
            }
            Err(e) => panic!("a range of what can be rendered is refused: {e}"),
        }
    });
}

fn heard(plan: &Plan, block: usize, range: std::ops::Range<u64>) -> Result<Vec<Vec<f64>>, Error> {
    let mut renderer = Renderer::new(plan.clone(), &Options { threads: 1 })?;
    let mut memory = encode::MemorySink::default();
    let bounce = Bounce::new()
        .block(block)
        .measure(false)
        .range(Frames(range.start)..Frames(range.end));
    bounce.into_sink(&mut renderer, &mut memory)?;
    Ok(memory.into_channels())
}

/// Returns a WAV file of this many silent 16-bit mono frames.
pub fn silence(frames: u32) -> Vec<u8> {
    let bytes = frames * 2;
    let mut out = Vec::new();
    out.extend_from_slice(b"RIFF");
    out.extend_from_slice(&(36 + bytes).to_le_bytes());
    out.extend_from_slice(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    out.extend_from_slice(&48_000_u32.to_le_bytes());
    out.extend_from_slice(&96_000_u32.to_le_bytes());
    out.extend_from_slice(&[2, 0, 16, 0]);
    out.extend_from_slice(b"data");
    out.extend_from_slice(&bytes.to_le_bytes());
    out.resize(out.len() + bytes as usize, 0);
    out
}
