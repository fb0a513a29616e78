//! MP2 with pairs of bit rate and mode that ISO/IEC 11172-3 forbids.

use crate::tools;

/// Frames of mono at 48 kHz: the same subbands, in frames for `kbit` with this index.
fn mono(kbit: usize, index: u8) -> Vec<u8> {
    let frame = |number: u32| {
        let mut bits: Vec<bool> = Vec::new();
        let mut put = |value: u32, count: u32| {
            bits.extend((0..count).rev().map(|bit| value >> bit & 1 == 1));
        };
        put(0xFFFD_04C4 | u32::from(index) << 12, 32);
        // Table B.2a: three levels, coded with five bits for three samples, in every subband but each third.
        let widths = (0..27)
            .map(|n| [4, 4, 3, 2][usize::from(n > 2) + usize::from(n > 10) + usize::from(n > 22)]);
        let audible = |subband: &u32| subband % 3 != 2;
        for (subband, width) in (0..).zip(widths) {
            put(u32::from(audible(&subband)), width);
        }
        let subbands: Vec<u32> = (0..27).filter(audible).collect();
        for _ in &subbands {
            put(2, 2);
        }
        for subband in &subbands {
            put(10 + (subband * 7 + number) % 40, 6);
        }
        for granule in 0..12 {
            for subband in &subbands {
                put((granule * 11 + subband * 5 + number * 3) % 27, 5);
            }
        }
        let bytes = bits.chunks(8).map(|bits| {
            let high = bits.iter().fold(0, |byte, bit| byte << 1 | u8::from(*bit));
            high << (8 - bits.len())
        });
        let mut frame: Vec<u8> = bytes.collect();
        frame.resize(144 * kbit / 48, 0);
        frame
    };
    (0..20).flat_map(frame).collect()
}

#[test]
fn mono_at_forbidden_rates_decodes_as_at_an_allowed_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.mp2");
    let mut allowed = Vec::new();
    for (kbit, index) in [(192, 10), (224, 11), (256, 12), (320, 13), (384, 14)] {
        std::fs::write(&path, mono(kbit, index)).unwrap();
        let heard = tools::hear(&path).unwrap();
        assert_eq!(
            (heard.frames(), heard.flaws.len()),
            (20 * 1152, 0),
            "{kbit}"
        );
        assert_eq!((heard.info.spec.rate.hz(), heard.planes.len()), (48_000, 1));
        if kbit == 192 {
            let peak = heard.planes[0].iter().fold(0.0f64, |m, x| m.max(x.abs()));
            assert!(peak > 0.01, "{peak}");
            allowed = heard.planes;
            continue;
        }
        let off = tools::furthest(&heard.planes, &allowed);
        assert!(off < 1e-6, "{kbit}: {off}");
        // A seek gives what reading gave.
        let (mut source, _) = soundtrack::media::open(&path, None).unwrap();
        let part = tools::after_seek(source.as_mut(), 17_000, 1000);
        assert_eq!(part[0][..], heard.planes[0][17_000..18_000]);
    }
}

#[test]
fn every_forbidden_pair_decodes_as_elsewhere() {
    if !tools::have(&["ffmpeg"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (wav, mp2) = (dir.path().join("a.wav"), dir.path().join("a.mp2"));
    for rate in [32_000, 44_100, 48_000, 22_050] {
        for (channels, kbits) in [(1, [224, 256, 320, 384]), (2, [32, 48, 56, 80])] {
            // MPEG-2 has no such rates.
            if rate < 32_000 && channels == 1 {
                continue;
            }
            tools::wav16(&wav, rate, &tools::music(rate as usize, channels));
            for kbit in kbits {
                let (from, to) = (wav.to_str().unwrap(), mp2.to_str().unwrap());
                let kbit = format!("{kbit}k");
                tools::run(
                    "ffmpeg",
                    &["-v", "error", "-y", "-i", from, "-b:a", &kbit, to],
                );
                let heard = tools::hear(&mp2).unwrap();
                let wanted = tools::ffmpeg(&mp2, 1, channels);
                assert_eq!(heard.frames(), wanted[0].len(), "{rate} {channels} {kbit}");
                let off = tools::furthest(&heard.planes, &wanted);
                assert!(off < 1.1 / 32_768.0, "{rate} {channels} {kbit}: {off}");
            }
        }
    }
}
