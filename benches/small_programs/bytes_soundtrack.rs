use soundtrack::{Bounce, Decibels, Input, Layout, SampleRate, Session, Track};

fn mix(bass: Vec<u8>, lead: Vec<u8>) -> soundtrack::Result<Vec<u8>> {
    let mut mix = Session::new(SampleRate::HZ_48000, Layout::Stereo);
    mix.add_track(Track::new("bass", Input::bytes("bass", bass)));
    mix.add_track(Track::new("lead", Input::bytes("lead", lead)).gain(Decibels(-6.0)));
    Ok(Bounce::new().to_bytes(&mix)?.0)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let wav = mix(std::fs::read("bass.wav")?, std::fs::read("lead.wav")?)?;
    std::fs::write("mix.wav", wav)?;
    Ok(())
}
