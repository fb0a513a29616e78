use soundtrack::{Clip, Decibels, Frames, Layout, PlayerBuilder, SampleRate, Session, Spec, Track};

const BAR: u64 = 96_000;

fn main() -> soundtrack::Result<()> {
    let (rate, layout) = (SampleRate::HZ_48000, Layout::Stereo);
    let mut music = Session::new(rate, layout);
    music.add_track(Track::new("bed", "bed.ogg"));
    let fight = Track::new("fight", "fight.ogg").gain(Decibels::SILENCE);
    let fight = music.add_track(fight);
    let (player, mut callback) = PlayerBuilder::new().own(&music, Spec { rate, layout })?;

    music.ramp_gain(fight, Decibels(-3.0), Frames(BAR), Frames(BAR));
    let hit = Clip::new("hit.ogg").at(Frames(2 * BAR + BAR / 2));
    music.add_track(Track::of("hit").clip(hit));
    player.update_at(Frames(BAR), &music)?;

    let mut buffer = [0.0; 2 * 480];
    while player.position() < Frames(3 * BAR) {
        callback.fill(&mut buffer, Frames(0));
    }
    Ok(())
}
