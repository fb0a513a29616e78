//! Audio files in memory, behind readers and in writers of the program, and how errors name them.

use soundtrack::{
    Bounce, Cancel, Deliverable, Delivery, Error, ErrorKind, Format, Frames, Input, Layout, Plan,
    SampleRate, Session, Spec, Track, media::Memory,
};
use std::{
    io::{self, Cursor, Seek, SeekFrom, Write},
    ops::ControlFlow,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

const SPEC: Spec = Spec {
    rate: SampleRate::HZ_48000,
    layout: Layout::Stereo,
};

fn mix_of(input: impl Into<Input>) -> Session {
    let mut mix = Session::new(SPEC.rate, SPEC.layout);
    mix.add_track(Track::new("upload", input));
    mix
}

/// Samples of 16 bits, interleaved.
fn samples(frames: usize) -> Arc<[i16]> {
    (0..2 * frames)
        .map(|n| i16::try_from(n * 7919 % 60_000).unwrap_or(i16::MAX) / 2)
        .collect()
}

fn memory(frames: usize) -> Memory {
    Memory::interleaved(SPEC, samples(frames)).unwrap()
}

#[test]
fn bytes_go_in_and_out_bit_for_bit_in_every_container() {
    let source = mix_of(memory(30_000));
    let expected = source.render(Frames(0)..Frames(30_000)).unwrap();
    for format in [
        Format::WAV_16,
        Format::WAV_24,
        Format::WAV_32F,
        Format::FLAC_16,
        Format::FLAC_24,
    ] {
        let (file, report) = Bounce::new().format(format).to_bytes(&source).unwrap();
        assert_eq!(report.bytes, file.len() as u64, "{format}");
        // The same bytes as in a file.
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        Bounce::new().format(format).run(&source, &path).unwrap();
        assert!(std::fs::read(&path).unwrap() == file, "{format}");
        let file: Arc<[u8]> = file.into();
        let of_bytes = mix_of(Input::bytes("a", Arc::clone(&file)));
        let opened = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&opened);
        let of_reader = mix_of(Input::reader("a", move || {
            count.fetch_add(1, Ordering::Relaxed);
            Ok(Cursor::new(Arc::clone(&file)))
        }));
        for mix in [of_bytes, of_reader] {
            assert!(
                mix.render(Frames(0)..Frames(30_000)).unwrap() == expected,
                "{format}"
            );
            let tail = mix.render(Frames(20_001)..Frames(30_000)).unwrap();
            assert!(tail[1] == expected[1][20_001..], "{format}");
        }
        // Once to measure it and once to read it, for each render.
        assert_eq!(opened.load(Ordering::Relaxed), 4);
    }
}

#[test]
fn a_file_in_a_writer_starts_where_the_writer_stands() {
    let mix = mix_of(memory(5_000));
    for format in [Format::WAV_16, Format::FLAC_16] {
        let (file, _) = Bounce::new().format(format).to_bytes(&mix).unwrap();
        let mut out = Cursor::new(b"envelope".to_vec());
        out.seek(SeekFrom::End(0)).unwrap();
        Bounce::new()
            .format(format)
            .to_writer(&mix, &mut out)
            .unwrap();
        out.write_all(b"end").unwrap();
        assert_eq!(
            out.into_inner(),
            [b"envelope", file.as_slice(), b"end"].concat()
        );
    }
}

#[test]
fn memory_plays_every_sample_format_in_every_order() {
    let ints = samples(1_000);
    let floats: Arc<[f32]> = ints.iter().map(|x| f32::from(*x) / 32_768.0).collect();
    let channel =
        |ch: usize| -> Arc<[f32]> { floats.iter().skip(ch).step_by(2).copied().collect() };
    let wide: Arc<[i32]> = ints.iter().map(|x| i32::from(*x) << 16).collect();
    let vectors = [0, 1].map(|ch| {
        channel(ch)
            .iter()
            .map(|x| f64::from(*x))
            .collect::<Vec<f64>>()
    });
    let all = [
        Memory::interleaved(SPEC, ints).unwrap(),
        Memory::interleaved(SPEC, Arc::clone(&floats)).unwrap(),
        Memory::interleaved(SPEC, wide).unwrap(),
        Memory::planar(SPEC, vec![channel(0), channel(1)]).unwrap(),
        Memory::new(SPEC, vectors.to_vec()).unwrap(),
    ];
    for memory in all {
        assert!(
            mix_of(memory).render(Frames(3)..Frames(1_000)).unwrap()
                == vectors.each_ref().map(|c| c[3..].to_vec())
        );
    }
    let odd = Memory::interleaved(SPEC, vec![0.0f32; 3]).unwrap_err();
    assert_eq!(
        (odd.kind(), odd.to_string()),
        (
            ErrorKind::InvalidArgument,
            "3 interleaved samples are no whole number of frames of 2 channels".to_owned()
        )
    );
    // Layouts without a loop of their own.
    let spec = Spec {
        layout: Layout::Surround51,
        ..SPEC
    };
    let six: Vec<f32> = (0..12u8).map(|n| f32::from(n) / 16.0).collect();
    let mut mix = Session::new(spec.rate, spec.layout);
    mix.add_track(Track::new("six", Memory::interleaved(spec, six).unwrap()));
    let rendered = mix.render(Frames(0)..Frames(2)).unwrap();
    assert_eq!(rendered[5], [5.0 / 16.0, 11.0 / 16.0]);
}

#[test]
fn clones_of_one_memory_are_equal_inputs() {
    let (one, other) = (memory(10), memory(10));
    assert_eq!(Input::from(one.clone()), Input::from(one.clone()));
    assert_ne!(Input::from(one.clone()), Input::from(other.clone()));
    assert_eq!((one == one.clone(), one == other), (true, false));
    assert_eq!(Input::bytes("a", *b"x"), Input::bytes("a", *b"x"));
    assert_ne!(Input::bytes("a", *b"x"), Input::bytes("b", *b"x"));
}

#[test]
fn errors_name_track_file_and_frame_as_data() {
    let (wav, _) = Bounce::new()
        .format(Format::WAV_16)
        .to_bytes(&mix_of(memory(1_000)))
        .unwrap();
    let cut = wav[..44 + 4 * 300].to_vec();
    let error = Plan::compile(&mix_of(Input::bytes("take 7.wav", cut))).unwrap_err();
    let place = |e: &Error| {
        (
            e.track().map(str::to_owned),
            e.file().map(str::to_owned),
            e.position(),
        )
    };
    assert_eq!(
        place(&error),
        (
            Some("upload".into()),
            Some("take 7.wav".into()),
            Some(Frames(300))
        )
    );
    assert!(
        error.to_string().contains("take 7.wav: cut off at"),
        "{error}"
    );

    let mut float = Bounce::new()
        .format(Format::WAV_32F)
        .to_bytes(&mix_of(memory(1_000)))
        .unwrap()
        .0;
    let at = float.len() - 8 * 100;
    float[at..at + 4].copy_from_slice(&f32::NAN.to_le_bytes());
    let error = mix_of(Input::bytes("nan.wav", float))
        .render(Frames(0)..Frames(1_000))
        .unwrap_err();
    assert_eq!(
        place(&error),
        (
            Some("upload".into()),
            Some("nan.wav".into()),
            Some(Frames(900))
        )
    );

    let gone = Input::reader("pack/kick.wav", || -> io::Result<Cursor<Vec<u8>>> {
        Err(io::Error::other("the archive is closed"))
    });
    let error = Plan::compile(&mix_of(gone)).unwrap_err();
    assert_eq!(error.file(), Some("pack/kick.wav"));
    assert_eq!(
        error.to_string(),
        "track \"upload\": pack/kick.wav: the archive is closed"
    );

    // Several problems concern no single track.
    let mut mix = mix_of(Input::bytes("a", *b"no audio at all"));
    mix.add_track(Track::new("other", Input::bytes("b", *b"")));
    let error = Plan::compile(&mix).unwrap_err();
    assert_eq!(
        (error.problems().len(), place(&error)),
        (2, (None, None, None))
    );
}

/// Accepts some bytes, then no more.
struct Full(usize);

impl Write for Full {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        if self.0 == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let n = buf.len().min(self.0);
        self.0 -= n;
        Ok(n)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Full {
    fn seek(&mut self, _: SeekFrom) -> io::Result<u64> {
        Ok(0)
    }
}

#[test]
fn an_error_of_the_writer_is_one_of_the_output() {
    for room in [0, 20, 1_000] {
        let error = Bounce::new()
            .to_writer(&mix_of(memory(5_000)), Full(room))
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Output);
        assert_eq!(error.io_kind(), Some(io::ErrorKind::StorageFull));
        assert!(
            error.to_string().starts_with("the program's writer: "),
            "{error}"
        );
    }
}

#[test]
fn a_request_and_a_deadline_end_a_run_with_different_errors() {
    let mix = mix_of(memory(100_000));
    let cancel = Cancel::new();
    let run = |cancel: &Cancel, at: u64| {
        let (own, mut blocks) = (cancel.clone(), 0);
        let bounce = Bounce::new()
            .block(1_000)
            .cancel(cancel)
            .progress(move |_| {
                blocks += 1;
                if blocks == at {
                    own.cancel();
                }
                ControlFlow::Continue(())
            });
        bounce.to_bytes(&mix).map(|_| ()).map_err(|e| e.kind())
    };
    assert_eq!(run(&cancel, 1_000), Ok(()));
    assert_eq!(run(&cancel, 50), Err(ErrorKind::Cancelled));
    // It stays cancelled.
    assert_eq!(run(&cancel, 1_000), Err(ErrorKind::Cancelled));
    assert_eq!(
        run(&Cancel::new().after(Duration::ZERO), 1_000),
        Err(ErrorKind::DeadlinePassed)
    );
    assert_eq!(run(&Cancel::new().after(Duration::MAX), 1_000), Ok(()));
    // A request that came first says more than the deadline.
    let both = Cancel::new().after(Duration::ZERO);
    both.cancel();
    assert_eq!(run(&both, 1_000), Err(ErrorKind::Cancelled));
}

/// Returns a session of nine stems, in which opening the fourth one calls `on_fourth`, and the number of stems opened.
fn nine_stems(on_fourth: impl Fn() + Clone + Send + Sync + 'static) -> (Session, Arc<AtomicUsize>) {
    let (wav, _) = Bounce::new().to_bytes(&mix_of(memory(10))).unwrap();
    let wav: Arc<[u8]> = wav.into();
    let count = Arc::new(AtomicUsize::new(0));
    let mut mix = Session::new(SPEC.rate, SPEC.layout);
    for n in 0..9 {
        let (wav, opened, on_fourth) = (Arc::clone(&wav), Arc::clone(&count), on_fourth.clone());
        let open = move || {
            if opened.fetch_add(1, Ordering::Relaxed) == 3 {
                on_fourth();
            }
            Ok(Cursor::new(Arc::clone(&wav)))
        };
        let input = Input::reader(format!("{n}.wav"), open);
        mix.add_track(Track::new(format!("t{n}"), input));
    }
    (mix, count)
}

#[test]
fn compiling_ends_between_two_stems() {
    let cancel = Cancel::new();
    let on_fourth = cancel.clone();
    let (mix, opened) = nine_stems(move || on_fourth.cancel());
    assert_eq!(
        Plan::compile_with(&mix, &cancel).unwrap_err().kind(),
        ErrorKind::Cancelled
    );
    assert_eq!(opened.load(Ordering::Relaxed), 4);
}

#[test]
fn compiling_for_deliverables_ends_between_two_stems() {
    let folder = tempfile::tempdir().unwrap();
    let cancel = Cancel::new();
    let on_fourth = cancel.clone();
    let (mut mix, opened) = nine_stems(move || on_fourth.cancel());
    mix.deliverables = vec![Deliverable::new("full", folder.path().join("full.wav"))];
    let delivery = Delivery::new().cancel(&cancel);
    assert_eq!(delivery.run(&mix).unwrap_err().kind(), ErrorKind::Cancelled);
    assert_eq!(opened.load(Ordering::Relaxed), 4);
    assert_eq!(folder.path().read_dir().unwrap().count(), 0);
}

/// A size just above 2 GiB is one like any other: the file is cut off.
#[test]
fn a_data_size_beyond_two_gibibytes_is_believed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.wav");
    let read = |size: u32| {
        let mut wav = b"RIFF".to_vec();
        wav.extend((size + 36).to_le_bytes());
        wav.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0\x80\xBB\0\0\0\x77\x01\0\x02\0\x10\0data");
        wav.extend(size.to_le_bytes());
        wav.resize(44 + 1_000, 1);
        std::fs::write(&path, wav).unwrap();
        let (_, info) = soundtrack::media::open(&path, None).unwrap();
        (info.frames, info.frames - info.missing)
    };
    for size in [0x8000_0010u32, 0x9000_0000, 0xFFFF_0000, 2_000] {
        assert_eq!(
            read(size),
            (Frames(u64::from(size) / 2), Frames(500)),
            "{size:x}"
        );
    }
    // What programs write that do not know the size.
    for size in [
        0x7FFF_F000u32,
        0x7FFF_FFFE,
        0x7FFF_FFFF,
        0x8000_0000,
        0xFFFF_FF00,
    ] {
        assert_eq!(read(size), (Frames(500), Frames(500)), "{size:x}");
    }
}
