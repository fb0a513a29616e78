//! AIFF, AIFF-C and CAF: sizes that are not known or wrong, cut files, and what is refused. The inputs are made here.

use crate::tools::{self, Heard};
use soundtrack::{ErrorKind, Frames, media, media::Remark};

const FRAMES: usize = 3000;
const PACKET: usize = 1024;

fn write(bytes: &[u8]) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.bin");
    std::fs::write(&path, bytes).unwrap();
    (folder, path)
}

fn hear(bytes: &[u8]) -> Heard {
    let (_folder, path) = write(bytes);
    tools::hear(&path).unwrap()
}

/// What a file is refused with, without its path.
fn refusal(bytes: &[u8]) -> (ErrorKind, String) {
    let (_folder, path) = write(bytes);
    let error = media::open(&path, None).err().unwrap();
    let text = error.to_string();
    let text = text.strip_prefix(&format!("{}: ", path.display())).unwrap();
    (error.kind(), text.to_owned())
}

fn length(heard: &Heard) -> (u64, u64) {
    (heard.info.frames.0, heard.info.missing.0)
}

/// Samples that are never zero.
fn samples(count: usize) -> Vec<i16> {
    (0..count)
        .map(|i| i16::try_from(i * 7919 % 60_000).unwrap_or(-77) | 1)
        .collect()
}

fn be16(samples: &[i16]) -> Vec<u8> {
    samples.iter().flat_map(|s| s.to_be_bytes()).collect()
}

fn caf_chunk(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let size = u64::try_from(body.len()).unwrap();
    [&name[..], &size.to_be_bytes(), body].concat()
}

/// A mono file at 44.1 kHz. `size` is that of the data chunk if not the real one; `after` are the chunks after it.
fn caf(
    codec: &[u8; 4],
    [packet_bytes, packet_frames, bits]: [u32; 3],
    before: &[u8],
    sound: &[u8],
    size: Option<u64>,
    after: &[u8],
) -> Vec<u8> {
    let mut desc = Vec::from(44_100f64.to_be_bytes());
    desc.extend(codec);
    for word in [0, packet_bytes, packet_frames, 1, bits] {
        desc.extend(word.to_be_bytes());
    }
    let mut data = caf_chunk(b"data", &[&[0; 4], sound].concat());
    if let Some(size) = size {
        data[4..12].copy_from_slice(&size.to_be_bytes());
    }
    let head = b"caff\0\x01\0\0".to_vec();
    [
        head,
        caf_chunk(b"desc", &desc),
        before.into(),
        data,
        after.into(),
    ]
    .concat()
}

fn caf_pcm(size: Option<u64>) -> Vec<u8> {
    caf(b"lpcm", [2, 1, 16], &[], &be16(&samples(FRAMES)), size, &[])
}

/// A packet of ALAC without compression (Apple, ALACMagicCookieDescription.txt and the reference decoder).
fn alac_packet(samples: &[i16]) -> Vec<u8> {
    let mut bits: Vec<bool> = Vec::new();
    let mut put = |value: u32, count: u32| {
        bits.extend((0..count).rev().map(|bit| value >> bit & 1 == 1));
    };
    // One channel, instance 0, 12 unused bits, the size is stated, no shift, not compressed.
    let is_short = samples.len() < PACKET;
    put(0, 3 + 4 + 12);
    put(u32::from(is_short), 1);
    put(1, 3);
    if is_short {
        put(u32::try_from(samples.len()).unwrap(), 32);
    }
    for sample in samples {
        put(u32::from(sample.cast_unsigned()), 16);
    }
    put(7, 3);
    let byte = |bits: &[bool]| {
        let high = bits.iter().fold(0, |byte, bit| byte << 1 | u8::from(*bit));
        high << (8 - bits.len())
    };
    bits.chunks(8).map(byte).collect()
}

/// The chunks of an ALAC file of so many frames: description of the codec, packet table, sound.
fn alac_parts(frames: usize) -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    let mut cookie = u32::try_from(PACKET).unwrap().to_be_bytes().to_vec();
    cookie.extend([0, 16, 40, 10, 14, 1, 0, 255]);
    for word in [0, 0, 44_100u32] {
        cookie.extend(word.to_be_bytes());
    }
    let packets: Vec<_> = samples(frames).chunks(PACKET).map(alac_packet).collect();
    let mut table = u64::try_from(packets.len()).unwrap().to_be_bytes().to_vec();
    table.extend(u64::try_from(frames).unwrap().to_be_bytes());
    table.extend([0; 4]);
    let padding = i32::try_from(packets.len() * PACKET - frames).unwrap();
    table.extend(padding.to_be_bytes());
    for packet in &packets {
        let size = packet.len();
        table.push(u8::try_from(size >> 7).unwrap() | 0x80);
        table.push(u8::try_from(size & 0x7F).unwrap());
    }
    (
        caf_chunk(b"kuki", &cookie),
        caf_chunk(b"pakt", &table),
        packets.concat(),
    )
}

/// ALAC with its packet table before the sound, or after it.
fn caf_alac(table_first: bool, size: Option<u64>) -> Vec<u8> {
    let (cookie, table, sound) = alac_parts(FRAMES);
    let (before, after) = if table_first {
        ([cookie, table].concat(), Vec::new())
    } else {
        (cookie, table)
    };
    let frames = u32::try_from(PACKET).unwrap();
    caf(b"alac", [0, frames, 0], &before, &sound, size, &after)
}

/// The samples as every decoder here gives them.
fn plane() -> Vec<f64> {
    samples(FRAMES)
        .iter()
        .map(|s| f64::from(*s) / 32_768.0)
        .collect()
}

#[test]
fn caf_sound_of_unknown_size_ends_with_the_file() {
    let open = Some(u64::MAX);
    for bytes in [
        caf_pcm(None),
        caf_pcm(open),
        // A recorder that was stopped.
        caf_pcm(Some(0)),
        caf_alac(true, None),
        caf_alac(false, None),
        caf_alac(true, open),
    ] {
        let heard = hear(&bytes);
        assert_eq!(length(&heard), (3000, 0));
        assert_eq!(heard.planes, [plane()]);
        assert_eq!(heard.info.remarks, []);
    }
    // Chunks follow an empty one.
    let empty = caf(
        b"lpcm",
        [2, 1, 16],
        &[],
        &[],
        Some(4),
        &caf_chunk(b"free", &[1; 40]),
    );
    assert_eq!(length(&hear(&empty)), (0, 0));
}

#[test]
fn a_cut_caf_promises_its_whole_length() {
    for (whole, exact) in [(caf_pcm(None), true), (caf_alac(true, None), false)] {
        let sound = whole.windows(4).position(|w| w == b"data").unwrap() + 16;
        for tenths in 1..10 {
            let cut = sound + (whole.len() - sound) * tenths / 10;
            let heard = hear(&whole[..cut]);
            let held = usize::try_from(heard.held()).unwrap();
            assert_eq!(heard.info.frames.0, 3000, "{tenths}");
            let wanted = if exact {
                (cut - sound) / 2
            } else {
                // A packet of 1024 frames has 2052 bytes.
                (cut - sound) / 2052 * PACKET
            };
            assert_eq!(held, wanted, "{tenths}");
            assert_eq!(heard.planes[0][..], plane()[..held], "{tenths}");
        }
    }
}

#[test]
fn alac_without_its_packet_table_is_refused_as_cut() {
    let whole = caf_alac(false, None);
    let sound = whole.windows(4).position(|w| w == b"data").unwrap() + 16;
    assert_eq!(
        refusal(&whole[..sound + 2500]),
        (
            ErrorKind::Corrupt,
            "ALAC in CAF: cut off after 2500 of 6016 bytes of sound, before the packet table that it cannot be read \
             without"
                .to_owned()
        )
    );
    // All of the sound, and nothing of the table; a part of the table is as good as its packets.
    let table = whole.windows(4).position(|w| w == b"pakt").unwrap();
    let (kind, text) = refusal(&whole[..table]);
    assert_eq!(
        (kind, &*text),
        (ErrorKind::Corrupt, "ALAC in CAF: there is no packet table")
    );
    let heard = hear(&whole[..whole.len() - 2]);
    assert_eq!(length(&heard), (3000, 3000 - 2048));
    assert_eq!(heard.planes[0][..], plane()[..2048]);
}

#[test]
fn a_packet_table_that_contradicts_the_sound_is_refused() {
    for (change, listed) in [(7, 6023), (-4, 6012)] {
        let mut bytes = caf_alac(false, None);
        let last = bytes.last_mut().unwrap();
        *last = last.checked_add_signed(change).unwrap();
        let text = format!(
            "ALAC in CAF: the packet table lists {listed} bytes of sound, the data chunk holds 6016"
        );
        assert_eq!(refusal(&bytes), (ErrorKind::Corrupt, text));
    }
}

#[test]
fn a_packet_table_may_state_fewer_frames_than_its_packets_have_but_not_more() {
    let packet_frames = u32::try_from(PACKET).unwrap();
    for (stated, found) in [(2048, 2048), (2047, 2047), (2049, 2048)] {
        let (cookie, mut table, sound) = alac_parts(2 * PACKET);
        // After the head of the chunk and the number of packets.
        table[20..28].copy_from_slice(&u64::to_be_bytes(stated));
        let before = [cookie, table].concat();
        let bytes = caf(b"alac", [0, packet_frames, 0], &before, &sound, None, &[]);
        let heard = hear(&bytes);
        let remark = Remark::HeaderLength {
            stated: Frames(stated),
            found: Frames(found),
        };
        let remarks = if stated > found { vec![remark] } else { vec![] };
        assert_eq!((length(&heard), heard.info.remarks), ((found, 0), remarks));
    }
}

#[test]
fn two_rates_in_one_file_are_refused() {
    let mut bytes = caf_alac(true, None);
    let cookie = bytes.windows(4).position(|w| w == b"kuki").unwrap();
    bytes[cookie + 12 + 20..cookie + 12 + 24].copy_from_slice(&48_000u32.to_be_bytes());
    let text = "ALAC in CAF: the description states a rate of 44100 Hz, the sound one of 48000 Hz";
    assert_eq!(refusal(&bytes), (ErrorKind::Corrupt, text.to_owned()));
}

#[test]
fn companded_and_8_bit_sound_in_caf_is_read() {
    for (codec, bits) in [(b"ulaw", 8), (b"alaw", 8), (b"ulaw", 16), (b"lpcm", 8)] {
        let sound: Vec<u8> = (0..=255).cycle().take(FRAMES).collect();
        let heard = hear(&caf(codec, [1, 1, bits], &[], &sound, None, &[]));
        assert_eq!(
            (length(&heard), heard.info.spec.rate.hz()),
            ((3000, 0), 44_100)
        );
        let wanted = match codec {
            b"ulaw" => [-32_124.0, -31_100.0],
            b"alaw" => [-5504.0, -5248.0],
            _ => [0.0, 256.0],
        };
        assert_eq!(heard.planes[0][..2], wanted.map(|v| v / 32_768.0), "{bits}");
        let cut = caf(codec, [1, 1, bits], &[], &sound, Some(5004), &[]);
        assert_eq!(length(&hear(&cut)), (5000, 2000));
    }
}

fn aiff_chunk(name: &[u8; 4], size: u32, body: &[u8]) -> Vec<u8> {
    let mut chunk = [&name[..], &size.to_be_bytes(), body].concat();
    if body.len() % 2 == 1 {
        chunk.push(0);
    }
    chunk
}

/// A mono file at 44.1 kHz with right sizes.
fn aiff(codec: Option<&[u8; 4]>, bits: u16, frames: u32, sound: &[u8]) -> Vec<u8> {
    let mut comm = vec![0, 1];
    comm.extend(frames.to_be_bytes());
    comm.extend(bits.to_be_bytes());
    comm.extend(*b"\x40\x0E\xAC\x44\0\0\0\0\0\0");
    if let Some(codec) = codec {
        comm.extend(codec);
        comm.extend(b"\x03abc");
    }
    let form = if codec.is_some() { b"AIFC" } else { b"AIFF" };
    let ssnd = [&[0; 8], sound].concat();
    let size = |body: &[u8]| u32::try_from(body.len()).unwrap();
    let body = [
        &form[..],
        &aiff_chunk(b"COMM", size(&comm), &comm),
        &aiff_chunk(b"SSND", size(&ssnd), &ssnd),
        &aiff_chunk(b"ANNO", 4, b"text"),
    ]
    .concat();
    aiff_chunk(b"FORM", size(&body), &body)
}

#[test]
fn a_seek_back_in_aiff_lands_on_its_frame() {
    let frames = 40_000;
    let all = samples(frames);
    let sound = be16(&all);
    let (_folder, path) = write(&aiff(None, 16, u32::try_from(frames).unwrap(), &sound));
    let (mut source, _) = media::open(&path, None).unwrap();
    for at in [30_000, 20_000, 35_000, 0] {
        let read = tools::after_seek(source.as_mut(), at as u64, 3);
        let wanted = all[at..at + 3].iter().map(|s| f64::from(*s) / 32_768.0);
        assert_eq!(read, [wanted.collect::<Vec<_>>()], "{at}");
    }
}

#[test]
fn aiff_sizes_that_are_wrong_change_nothing() {
    let right = aiff(None, 16, 3000, &be16(&samples(FRAMES)));
    assert_eq!(hear(&right).planes, [plane()]);
    let put = |at: usize, value: u32| {
        let mut bytes = right.clone();
        bytes[at..at + 4].copy_from_slice(&value.to_be_bytes());
        bytes
    };
    for value in [0, 100, u32::try_from(right.len()).unwrap() - 16, u32::MAX] {
        let heard = hear(&put(4, value));
        assert_eq!(
            (&heard.planes[..], length(&heard)),
            (&[plane()][..], (3000, 0))
        );
    }
    // The size of the sound is not known: it ends with the file.
    let ssnd = right.windows(4).position(|w| w == b"SSND").unwrap();
    let to_the_end = &right[..ssnd + 16 + 6000];
    for value in [0, u32::MAX] {
        let mut bytes = to_the_end.to_vec();
        bytes[ssnd + 4..ssnd + 8].copy_from_slice(&value.to_be_bytes());
        assert_eq!(hear(&bytes).planes, [plane()]);
    }
    // COMM states another number of frames, which is said.
    let comm = right.windows(4).position(|w| w == b"COMM").unwrap();
    let heard = hear(&put(comm + 10, 7));
    let stated = [Remark::HeaderLength {
        stated: Frames(7),
        found: Frames(3000),
    }];
    assert_eq!(
        (&heard.planes[..], &heard.info.remarks[..]),
        (&[plane()][..], &stated[..])
    );
    for tenths in 1..10 {
        let cut = ssnd + 16 + 600 * tenths;
        let heard = hear(&right[..cut]);
        assert_eq!(
            length(&heard),
            (3000, 3000 - 300 * u64::try_from(tenths).unwrap())
        );
        assert_eq!(heard.planes[0][..], plane()[..300 * tenths]);
    }
    let (_, text) = refusal(&right[..ssnd]);
    assert_eq!(
        text,
        "AIFF: there is no SSND chunk: the file holds no sound"
    );
}

#[test]
fn codecs_of_aiff_c_and_caf_are_refused_by_name() {
    for (codec, name) in [
        (b"ima4", "IMA ADPCM"),
        (b"MAC3", "MACE 3:1"),
        (b"MAC6", "MACE 6:1"),
        (b"QDM2", "QDesign Music 2"),
        (b"GSM ", "GSM 6.10"),
        (b"ms\0\x11", "DVI ADPCM"),
        (b"a\0\xFFb", "the codec \"a\\x00\\xffb\""),
    ] {
        let unsupported = |container| {
            let text = format!("{name} in {container} is not supported");
            (ErrorKind::Unsupported, text)
        };
        let sound = [1; 680];
        assert_eq!(
            refusal(&aiff(Some(codec), 16, 20, &sound)),
            unsupported("AIFF-C")
        );
        let caf = caf(codec, [34, 64, 0], &[], &sound, None, &[]);
        assert_eq!(refusal(&caf), unsupported("CAF"));
    }
    for (shape, text) in [
        (
            [4, 1, 24],
            "PCM of 24 bits and 1 channels in 4 bytes in CAF is not supported",
        ),
        ([3, 1, 20], "PCM of 20 bits in CAF is not supported"),
    ] {
        let (_, refused) = refusal(&caf(b"lpcm", shape, &[], &[1; 240], None, &[]));
        assert_eq!(refused, text);
    }
    for (codec, frames) in [(b"ulaw", 680), (b"sowt", 340), (b"NONE", 340)] {
        let heard = hear(&aiff(Some(codec), 16, frames, &[1; 680]));
        assert_eq!(length(&heard), (frames.into(), 0));
    }
}

/// A mono file whose clicks are `spacing` frames apart, at a rate that is not whole.
fn clicks(frames: usize, spacing: usize) -> Vec<u8> {
    let click = |i: usize| {
        if i.is_multiple_of(spacing) {
            16_000i16
        } else {
            0
        }
    };
    (0..frames).flat_map(|i| click(i).to_be_bytes()).collect()
}

#[test]
fn rates_that_are_not_whole_stay_so() {
    // 244 800 / 11 Hz, of early Macintosh computers: as 80 bits, and as 64.
    let hz = 244_800.0 / 11.0;
    let sound = clicks(89_000, 22_255);
    let mut aiff = aiff(None, 16, 89_000, &sound);
    let comm = aiff.windows(4).position(|w| w == b"COMM").unwrap();
    aiff[comm + 16..comm + 26].copy_from_slice(b"\x40\x0D\xAD\xDD\x17\x45\xD1\x74\x5D\x17");
    let mut caf = caf(b"lpcm", [2, 1, 16], &[], &sound, None, &[]);
    caf[20..28].copy_from_slice(&f64::to_be_bytes(hz));
    for bytes in [aiff, caf] {
        let (_folder, path) = write(&bytes);
        let (_, info) = media::open(&path, None).unwrap();
        assert_eq!(info.spec.rate.to_string(), "22254.545455");
        let rate = soundtrack::SampleRate::HZ_48000;
        let mut mix = soundtrack::Session::new(rate, soundtrack::Layout::Mono);
        mix.add_track(soundtrack::Track::new("mac", path.as_path()));
        let plan = soundtrack::Plan::compile(&mix).unwrap();
        // 89 000 frames are 191 960.78… of 48 kHz.
        assert_eq!(plan.length().0, 191_961);
        let samples = mix.render(Frames(0)..plan.length()).unwrap();
        for n in 0..4u32 {
            // Click n is at n · 22 255 / (244 800 / 11) seconds.
            let wanted = f64::from(n) * 22_255.0 * 48_000.0 / hz;
            let near = wanted.round() as usize;
            let window = near.saturating_sub(50)..near + 50;
            let loudest = window
                .max_by(|a, b| samples[0][*a].abs().total_cmp(&samples[0][*b].abs()))
                .unwrap();
            assert!(
                (loudest as f64 - wanted).abs() <= 0.6,
                "{n}: {loudest} for {wanted}"
            );
        }
        let whole = soundtrack::Session::new(info.spec.rate, soundtrack::Layout::Mono);
        let error = soundtrack::Plan::compile(&whole).unwrap_err().to_string();
        assert!(
            error.contains("the session's rate of 22254.545455 Hz is not whole"),
            "{error}"
        );
    }
}
