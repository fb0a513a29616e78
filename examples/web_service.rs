//! A mix of uploaded stems as a web service makes it: bytes in, bytes out, a deadline, and errors as data.

use soundtrack::{
    Bounce, Cancel, Decibels, Error, Format, Input, Layout, Report, Result, SampleRate, Session,
    Spec, Track, media::Memory,
};
use std::time::Duration;

/// Mixes uploads, each a name, a file in any format and a gain in decibels, into a FLAC file.
fn mix(uploads: Vec<(String, Vec<u8>, f64)>, cancel: &Cancel) -> Result<(Vec<u8>, Report)> {
    let mut session = Session::new(SampleRate::HZ_48000, Layout::Stereo);
    for (name, bytes, gain) in uploads {
        let stem = Input::bytes(name.clone(), bytes);
        session.add_track(Track::new(name, stem).gain(Decibels(gain)));
    }
    let bounce = Bounce::new().format(Format::FLAC_24).cancel(cancel);
    bounce.to_bytes(&session)
}

/// Returns what the service answers with a status of 4xx.
fn refusal(error: &Error) -> String {
    format!(
        "{{\"kind\": \"{:?}\", \"track\": {:?}, \"file\": {:?}, \"message\": {:?}}}",
        error.kind(),
        error.track(),
        error.file(),
        error.to_string()
    )
}

/// An upload: a second of a tone as a WAV file.
fn upload(hz: f64) -> Result<Vec<u8>> {
    let spec = Spec {
        rate: SampleRate::HZ_44100,
        layout: Layout::Mono,
    };
    let turn = hz * std::f64::consts::TAU / 44_100.0;
    let samples: Vec<f32> = (0..44_100)
        .map(|n| (f64::from(n) * turn).sin() as f32 / 4.0)
        .collect();
    let mut session = Session::new(spec.rate, spec.layout);
    session.add_track(Track::new("tone", Memory::interleaved(spec, samples)?));
    Ok(Bounce::new().to_bytes(&session)?.0)
}

fn main() -> Result<()> {
    if std::env::args().any(|argument| matches!(argument.as_str(), "-h" | "--help")) {
        println!("Mixes two uploads from memory into FLAC, and refuses a file that is not audio.");
        return Ok(());
    }
    let cancel = Cancel::new().after(Duration::from_secs(30));
    let uploads = vec![
        ("bass.wav".to_owned(), upload(110.0)?, 0.0),
        ("lead.wav".to_owned(), upload(440.0)?, -6.0),
    ];
    let (flac, report) = mix(uploads, &cancel)?;
    println!("{} bytes of FLAC\n{report}", flac.len());
    let broken = vec![("notes.txt".to_owned(), b"not audio".to_vec(), 0.0)];
    if let Err(error) = mix(broken, &cancel) {
        println!("{}", refusal(&error));
    }
    Ok(())
}

#[test]
fn it_runs_to_its_end() -> Result<()> {
    main()
}
