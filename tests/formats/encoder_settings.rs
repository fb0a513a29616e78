//! Files of every setting of the encoders that are at hand, against the audio that was encoded or another decoder.

use crate::tools::{self, Heard, Lcg};
use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// Largest differences from other decoders, in full scales: some roundings of 32-bit floats, which the others compute with.
const WITHIN_MP3: f64 = 4e-6;
const WITHIN_VORBIS: f64 = 2e-6;
const WITHIN_AAC: f64 = 2e-6;

/// Noise, tones, silence and full scale by turns: what makes an encoder choose each of its tools.
fn varied(bits: u32, channels: usize, frames: usize, seed: u64) -> Vec<Vec<i64>> {
    let (low, high) = (-(1i64 << (bits - 1)), (1i64 << (bits - 1)) - 1);
    let full = high as f64;
    let mut noise = Lcg(seed);
    let mut planes = vec![Vec::with_capacity(frames); channels];
    for i in 0..frames {
        let t = i as f64;
        let common = noise.sample();
        for (ch, plane) in planes.iter_mut().enumerate() {
            let own = noise.sample();
            let tone = (t * (0.021 + 0.004 * ch as f64)).sin();
            let value = match i * 8 / frames {
                0 => tone * 0.7,
                1 => (tone + common) * 0.4,
                2 => own * 0.9,
                3 => 0.0,
                4 => common * 0.001 + (t * 0.3).sin() * 0.2,
                5 => own * 2.0,
                6 => 0.25,
                _ => (tone * 0.8 + own * 0.05) * (1.0 - (i % 1_000) as f64 / 1_000.0),
            };
            plane.push(((value * full) as i64).clamp(low, high));
        }
    }
    planes
}

/// WAVE_FORMAT_EXTENSIBLE with so many valid bits, at the top of whole bytes.
fn wave(path: &Path, rate: u32, bits: u32, planes: &[Vec<i64>]) {
    let bytes = bits.div_ceil(8);
    let channels = planes.len() as u32;
    let mask = [0, 0x4, 0x3, 0x7, 0x33, 0x37, 0x3F, 0x70F, 0x63F][planes.len()];
    let data: Vec<u8> = (0..planes[0].len())
        .flat_map(|i| planes.iter().map(move |plane| plane[i]))
        .flat_map(|x| {
            let x = x << (bytes * 8 - bits);
            // Bytes are unsigned.
            let x = if bytes == 1 { x + 128 } else { x };
            x.to_le_bytes().into_iter().take(bytes as usize)
        })
        .collect();
    let mut file = b"RIFF".to_vec();
    let mut u32s = |values: &[u32]| values.iter().for_each(|v| file.extend(v.to_le_bytes()));
    u32s(&[60 + data.len() as u32, u32::from_le_bytes(*b"WAVE")]);
    u32s(&[
        u32::from_le_bytes(*b"fmt "),
        40,
        0xFFFE | channels << 16,
        rate,
    ]);
    u32s(&[
        rate * channels * bytes,
        (channels * bytes) | ((bytes * 8) << 16),
    ]);
    u32s(&[
        22 | bits << 16,
        mask,
        1,
        0x0010_0000,
        0xAA00_0080,
        0x719B_3800,
    ]);
    u32s(&[u32::from_le_bytes(*b"data"), data.len() as u32]);
    file.extend(data);
    std::fs::write(path, file).unwrap();
}

fn run(program: &str, args: &[String]) {
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    tools::run(program, &args);
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn of(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// Reads a file that must be whole and without a flaw.
fn hear(path: &Path, what: &str) -> Heard {
    let heard = tools::hear(path).unwrap_or_else(|e| panic!("{what}: {e}"));
    assert!(heard.error.is_none(), "{what}: {:?}", heard.error);
    assert!(heard.flaws.is_empty(), "{what}: {:?}", heard.flaws);
    heard
}

/// Checks that a file holds exactly these integers.
fn check(path: &Path, bits: u32, planes: &[Vec<i64>], what: &str) {
    let heard = hear(path, what);
    assert_eq!(heard.planes.len(), planes.len(), "{what}");
    let full = (1u64 << (bits - 1)) as f64;
    for (ch, (heard, plane)) in heard.planes.iter().zip(planes).enumerate() {
        assert_eq!(heard.len(), plane.len(), "{what}: frames");
        let wrong = heard
            .iter()
            .zip(plane)
            .position(|(h, x)| *h != *x as f64 / full);
        assert_eq!(wrong, None, "{what}: channel {ch}");
    }
}

/// Draws one of several options, appends its words, and returns it.
fn draw<'a>(dice: &mut Lcg, args: &mut Vec<String>, options: &[&'a str]) -> &'a str {
    let option = options[dice.next() as usize % options.len()];
    args.extend(words(option));
    option
}

/// Encodes a file with options of ffmpeg.
fn encode(from: &Path, options: &[String], to: &Path) {
    let mut args = words("-v error -y -i");
    args.push(of(from));
    args.extend_from_slice(options);
    args.push(of(to));
    run("ffmpeg", &args);
}

#[test]
fn flac_of_any_settings_is_decoded_exactly() {
    if !tools::have(&["flac"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (wav, flac) = (dir.path().join("a.wav"), dir.path().join("a.flac"));
    let mut dice = Lcg(11);
    // Every width, order of prediction and of partitions in turn, beside others drawn at random.
    for n in 0..99u32 {
        let bits = 4 + n % 29;
        let channels = 1 + dice.next() as usize % 8;
        let mut planes = varied(bits, channels, 6_000 + n as usize, u64::from(n) + 1);
        // Low bits that are 0 in every sample are left out of the stream.
        let wasted = dice.next() as u32 % bits;
        if n % 3 == 0 {
            planes
                .iter_mut()
                .flatten()
                .for_each(|x| *x = *x >> wasted << wasted);
        }
        wave(&wav, 48_000, bits, &planes);
        let block = [16, 17, 100, 192, 256, 1_152, 4_095, 4_096, 4_608, 65_535][n as usize % 10];
        let lpc = (n % 33).min(block - 1);
        let least = n % 16;
        let mut args = words("-s -f --lax --no-padding");
        args.push(format!("-{}", n % 9));
        args.extend([format!("-b{block}"), format!("-l{lpc}")]);
        args.push(format!("-r{},{}", dice.next() as u32 % (least + 1), least));
        draw(
            &mut dice,
            &mut args,
            &["", "-e", "-p", "-e -p", "-q 5", "-q 14"],
        );
        let window = "tukey(5e-1) hann welch partial_tukey(2) punchout_tukey(3) rectangle kaiser_bessel \
                      subdivide_tukey(3) flattop connes bartlett";
        let windows: Vec<&str> = window.split_whitespace().collect();
        args.push("-A".to_owned());
        draw(&mut dice, &mut args, &windows);
        if channels == 2 {
            draw(
                &mut dice,
                &mut args,
                &["--mid-side", "--adaptive-mid-side", "--no-mid-side"],
            );
        }
        let what = format!("{bits} bits, {channels} channels, {}", args.join(" "));
        args.extend([of(&wav), "-o".to_owned(), of(&flac)]);
        run("flac", &args);
        check(&flac, bits, &planes, &what);
    }
}

#[test]
fn flac_of_any_settings_of_ffmpeg_is_decoded_exactly() {
    if !tools::have(&["ffmpeg", "flac"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (wav, flac) = (dir.path().join("a.wav"), dir.path().join("a.flac"));
    let mut dice = Lcg(12);
    let mut broken = 0;
    for n in 0..60u32 {
        let bits = [16, 24][n as usize % 2];
        let channels = if n % 3 == 0 {
            2
        } else {
            1 + dice.next() as usize % 8
        };
        let planes = varied(bits, channels, 6_000 + n as usize, u64::from(n) + 100);
        wave(&wav, 48_000, bits, &planes);
        let mut args = words("-strict -2 -c:a flac -compression_level");
        args.push((n % 13).to_string());
        draw(
            &mut dice,
            &mut args,
            &[
                "-lpc_type none",
                "-lpc_type fixed",
                "-lpc_type levinson",
                "-lpc_type cholesky -lpc_passes 3",
            ],
        );
        draw(
            &mut dice,
            &mut args,
            &[
                "",
                "-prediction_order_method search",
                "-prediction_order_method log",
                "-prediction_order_method 4level",
            ],
        );
        draw(
            &mut dice,
            &mut args,
            &[
                "",
                "-exact_rice_parameters 1",
                "-multi_dim_quant 1",
                "-lpc_coeff_precision 9",
            ],
        );
        draw(
            &mut dice,
            &mut args,
            &[
                "",
                "-ch_mode indep",
                "-ch_mode left_side",
                "-ch_mode right_side",
                "-ch_mode mid_side",
            ],
        );
        draw(
            &mut dice,
            &mut args,
            &["", "-frame_size 16", "-frame_size 1000", "-frame_size 4608"],
        );
        draw(
            &mut dice,
            &mut args,
            &["", "-min_partition_order 2 -max_partition_order 8"],
        );
        let what = format!("{bits} bits, {channels} channels, {}", args.join(" "));
        encode(&wav, &args, &flac);
        let test = Command::new("flac").args(["-s", "-t", &of(&flac)]).output();
        if !test.unwrap().status.success() {
            // Some 24-bit frames of 4,608 are broken by ffmpeg 5.1: then this crate says so too.
            let heard = tools::hear(&flac);
            assert!(
                heard.map_or(true, |h| h.error.is_some() || !h.flaws.is_empty()),
                "{what}"
            );
            broken += 1;
            continue;
        }
        check(&flac, bits, &planes, &what);
    }
    assert!(broken <= 6, "{broken} of 60");
}

#[test]
fn alac_of_any_settings_is_decoded_exactly() {
    if !tools::have(&["ffmpeg"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let wav = dir.path().join("a.wav");
    let mut dice = Lcg(13);
    for n in 0..45u32 {
        let bits = [16, 24][n as usize % 2];
        let channels = [1, 2, 2, 1, 2][n as usize % 5];
        let mut planes = varied(bits, channels, 9_000 + n as usize, u64::from(n) + 200);
        let wasted = dice.next() as u32 % bits;
        if n % 3 == 0 {
            planes
                .iter_mut()
                .flatten()
                .for_each(|x| *x = *x >> wasted << wasted);
        }
        wave(&wav, 44_100, bits, &planes);
        let path = dir.path().join(["a.m4a", "a.caf", "a.mov"][n as usize % 3]);
        let mut args = words("-c:a alac -compression_level");
        args.push((n % 3).to_string());
        if n % 3 == 2 {
            let least = 1 + n % 30;
            args.extend(words(&format!(
                "-min_prediction_order {least} -max_prediction_order 30"
            )));
        }
        draw(
            &mut dice,
            &mut args,
            &["", "-frame_size 256", "-frame_size 1000"],
        );
        let what = format!("{bits} bits, {channels} channels, {}", args.join(" "));
        encode(&wav, &args, &path);
        check(&path, bits, &planes, &what);
    }
}

#[test]
fn adpcm_of_any_settings_is_decoded_exactly() {
    if !tools::have(&["ffmpeg"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let wav = dir.path().join("a.wav");
    for codec in ["adpcm_ima_wav", "adpcm_ms"] {
        for channels in [1, 2] {
            for rate in [8_000, 48_000] {
                for block in [32, 256, 1_024, 4_096, 8_192] {
                    let planes = varied(16, channels, 20_000, rate.into());
                    wave(&wav, rate, 16, &planes);
                    let path = dir.path().join("b.wav");
                    let args = words(&format!("-c:a {codec} -block_size {block}"));
                    let what =
                        format!("{codec}, {channels} channels, {rate} Hz, blocks of {block}");
                    encode(&wav, &args, &path);
                    let (heard, other) = (hear(&path, &what), tools::ffmpeg(&path, 1, channels));
                    // The last block is filled up.
                    assert!(heard.frames() >= 20_000, "{what}");
                    assert!(heard.planes == other, "{what}");
                }
            }
        }
    }
}

/// Reads a file that must be as long as another decoder makes it, or as what was encoded where that decoder does not trim, and
/// returns how far its samples are from those of the other decoder.
fn furthest(path: &Path, what: &str, frames: Option<usize>, other: &[Vec<f64>]) -> f64 {
    let heard = hear(path, what);
    assert_eq!(heard.planes.len(), other.len(), "{what}: channels");
    assert!(heard.frames() <= other[0].len(), "{what}: frames");
    assert_eq!(
        heard.frames(),
        frames.unwrap_or(other[0].len()),
        "{what}: frames"
    );
    tools::furthest(&heard.planes, other)
}

#[test]
fn mp3_of_any_settings_is_decoded_as_elsewhere() {
    if !tools::have(&["lame", "mpg123"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (wav, mp3) = (dir.path().join("a.wav"), dir.path().join("a.mp3"));
    let mut dice = Lcg(14);
    let mut worst = 0.0f64;
    // Rates of MPEG-1, of MPEG-2 and of MPEG-2.5, each with a bit rate of its table.
    let rates = [
        32_000u32, 44_100, 48_000, 16_000, 22_050, 24_000, 8_000, 11_025, 12_000,
    ];
    for n in 0..54usize {
        let rate = rates[n % 9];
        let channels = 1 + n / 9 % 2;
        let frames = 9_000 + n;
        let planes = varied(16, channels, frames, n as u64 + 300);
        wave(&wav, rate, 16, &planes);
        let constant: &[&str] = match rate {
            32_000.. => &["-b 32", "-b 64", "-b 128", "-b 160", "-b 320"],
            16_000.. => &["-b 8", "-b 32", "-b 80", "-b 160"],
            _ => &["-b 8", "-b 24", "-b 64"],
        };
        let mut args = words("--silent --noreplaygain");
        args.extend(words(match n % 4 {
            0 | 1 => constant[dice.next() as usize % constant.len()],
            2 => ["-V 0", "-V 2", "-V 5", "-V 9", "-V 4 --vbr-old"][dice.next() as usize % 5],
            _ => ["--abr 24", "--abr 64", "--abr 150"][dice.next() as usize % 3],
        }));
        let modes = if channels == 1 {
            &["-m m"][..]
        } else {
            &["-m j", "-m s", "-m f", "-m d", "-m m"]
        };
        let mode = draw(&mut dice, &mut args, modes);
        draw(
            &mut dice,
            &mut args,
            &["", "", "-p", "--nores", "-q 0", "-q 9", "-t"],
        );
        let what = format!("{rate} Hz, {channels} channels, {}", args[2..].join(" "));
        args.extend([
            "--resample".to_owned(),
            format!("{}", f64::from(rate) / 1000.0),
            of(&wav),
            of(&mp3),
        ]);
        run("lame", &args);
        let channels = if mode == "-m m" { 1 } else { channels };
        let off = furthest(&mp3, &what, None, &tools::mpg123(&mp3, channels));
        println!("{what}: {off:e}");
        assert!(off < WITHIN_MP3, "{what}: {off:e}");
        worst = worst.max(off);
    }
    println!("MP3: {worst:e} of full scale at most from mpg123");
}

#[test]
fn mp3_of_free_format_is_refused_by_name() {
    if !tools::have(&["lame"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (wav, mp3) = (dir.path().join("a.wav"), dir.path().join("a.mp3"));
    wave(&wav, 44_100, 16, &varied(16, 2, 9_000, 1));
    let mut args = words("--silent --freeformat -b 410");
    args.extend([of(&wav), of(&mp3)]);
    run("lame", &args);
    let e = tools::hear(&mp3).err().unwrap().to_string();
    let why = "MPEG audio of free format (no stated bit rate) is not supported";
    assert_eq!(e, format!("{}: {why}", mp3.display()));
}

/// Decodes a file with `oggdec`, into the order of WAVE.
fn oggdec(path: &Path, channels: usize) -> Vec<Vec<f64>> {
    let out = tools::run("oggdec", &["-Q", "-R", "-o", "-", path.to_str().unwrap()]);
    let samples: Vec<f64> = out
        .chunks_exact(2)
        .map(|b| f64::from(i16::from_le_bytes(b.try_into().unwrap())) / 32_768.0)
        .collect();
    // Vorbis I, 4.3.9.
    let order: &[usize] = match channels {
        1 | 2 | 4 => &[0, 1, 2, 3],
        3 => &[0, 2, 1],
        5 => &[0, 2, 1, 3, 4],
        6 => &[0, 2, 1, 5, 3, 4],
        8 => &[0, 2, 1, 7, 5, 6, 3, 4],
        other => panic!("{other} channels"),
    };
    let plane = |from: &usize| {
        samples
            .iter()
            .skip(*from)
            .step_by(channels)
            .copied()
            .collect()
    };
    order[..channels].iter().map(plane).collect()
}

#[test]
fn vorbis_of_any_settings_is_decoded_as_elsewhere() {
    if !tools::have(&["oggenc", "oggdec", "ffmpeg"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (wav, ogg) = (dir.path().join("a.wav"), dir.path().join("a.ogg"));
    let rates = [
        8_000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000, 96_000,
    ];
    let mut worst = 0.0f64;
    let mut refused = 0;
    for n in 0..72usize {
        let quality = n as i32 % 12 - 1;
        // First everything by turns, then 5.1 of each quality, which is coupled at some.
        let (channels, rate) = match n {
            0..48 => ([1, 2, 6, 2, 1, 3, 4, 5, 8][n % 9], rates[n % 8]),
            _ => (6, [44_100, 48_000][n / 12 % 2]),
        };
        let planes = varied(16, channels, 9_000 + n, n as u64 + 400);
        wave(&wav, rate, 16, &planes);
        let mut args = words("-Q -q");
        args.push(quality.to_string());
        let what = format!("{rate} Hz, {channels} channels, -q {quality}");
        args.extend(["-o".to_owned(), of(&ogg), of(&wav)]);
        run("oggenc", &args);
        let error = tools::hear(&ogg).err().map(|e| e.to_string());
        if let Some(error) = error.filter(|_| ![1, 2, 6].contains(&channels)) {
            let why = format!("Vorbis with {channels} channels that are not coupled");
            assert!(error.contains(&why), "{what}: {error}");
            refused += 1;
            continue;
        }
        // In the LFE ffmpeg 5.1 differs from libvorbis, which `oggdec` decodes with, to 16 bits.
        let lfe = if channels >= 6 { 3 } else { usize::MAX };
        let without_lfe = |mut planes: Vec<Vec<f64>>| {
            planes.get_mut(lfe).into_iter().for_each(Vec::clear);
            planes
        };
        let other = without_lfe(tools::ffmpeg(&ogg, 1, channels));
        let off = furthest(&ogg, &what, Some(9_000 + n), &other);
        assert!(off < WITHIN_VORBIS, "{what}: {off:e}");
        let mut heard = hear(&ogg, &what).planes;
        heard
            .iter_mut()
            .flatten()
            .for_each(|x| *x = x.clamp(-1.0, 1.0));
        let step = tools::furthest(&heard, &oggdec(&ogg, channels)) * 32_768.0;
        assert!(step <= 1.0, "{what}: {step} steps from oggdec");
        worst = worst.max(off);
    }
    println!("Vorbis: {worst:e} of full scale at most from ffmpeg, {refused} of 72 refused");
    assert!(refused <= 8, "{refused}");
}

#[test]
fn aac_of_any_settings_is_decoded_as_elsewhere() {
    if !tools::have(&["ffmpeg"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let wav = dir.path().join("a.wav");
    let mut dice = Lcg(15);
    let mut worst = 0.0f64;
    let rates = [
        7_350, 8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 64_000,
        88_200, 96_000,
    ];
    for n in 0..39usize {
        let (rate, channels) = (rates[n % 13], 1 + n / 13 % 2);
        let planes = varied(16, channels, 12_000 + n, n as u64 + 500);
        wave(&wav, rate, 16, &planes);
        let path: PathBuf = dir.path().join(["a.m4a", "a.aac", "a.mka"][n % 3]);
        // Noise that a decoder makes up differs from one to another. With M/S in all bands and intensity stereo in some, ffmpeg
        // turns the phase of the latter around, against ISO/IEC 14496-3, 4.6.8.2.3.
        let mut args = words("-c:a aac -aac_pns 0");
        draw(
            &mut dice,
            &mut args,
            &[
                "-aac_coder twoloop",
                "-aac_coder fast",
                "-aac_coder anmr -strict -2",
            ],
        );
        draw(
            &mut dice,
            &mut args,
            &["-b:a 24k", "-b:a 64k", "-b:a 160k", "-q:a 2"],
        );
        draw(
            &mut dice,
            &mut args,
            &[
                "",
                "-aac_tns 0",
                "-aac_is 0",
                "-aac_ms 1 -aac_is 0",
                "-aac_ms 0",
            ],
        );
        let what = format!("{rate} Hz, {channels} channels, {}", args.join(" "));
        encode(&wav, &args, &path);
        let other = tools::ffmpeg(&path, 1, channels);
        // MP4 states where the audio ends, and ffmpeg plays on.
        let frames = (n % 3 == 0).then_some(12_000 + n);
        let off = furthest(&path, &what, frames, &other);
        assert!(off < WITHIN_AAC, "{what}: {off:e}");
        worst = worst.max(off);
    }
    println!("AAC: {worst:e} of full scale at most from ffmpeg");
}
