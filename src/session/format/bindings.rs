//! Binds the keys of each table to the fields of the model, for reading and writing alike.

use super::{
    loudness,
    values::{FieldValue, Stated},
};
use crate::{
    curve::Curve,
    layout::Layout,
    media::Input,
    session::{Album, Clip, Cue, Deliverable, Insert, Master, Session, Strip, Track, Use},
    timecode::{FrameRate, Timecode},
    units::{Decibels, SampleRate},
};

/// Reads keys into fields, or writes fields under their keys.
pub(super) trait Visitor: Sized {
    fn field<T: FieldValue>(&mut self, key: &'static str, value: &mut T);

    /// Visits the curves of parameters of inserts under a key.
    fn insert_curves(&mut self, key: &'static str, inserts: &mut [Insert]);

    /// Visits the table under a key, whose fields are part of the same object. An empty one is not written.
    fn section(&mut self, key: &'static str, bind: impl FnOnce(&mut Self));

    /// Visits the table under a key, whose fields are an object of their own, if it is there.
    fn optional_section<T: Default>(
        &mut self,
        key: &'static str,
        value: &mut Option<T>,
        bind: impl FnOnce(&mut Self, &mut T),
    );
}

/// Binds the keys of the session that the values of other keys depend on.
#[derive(Default)]
pub(super) struct Header {
    pub rate: Option<SampleRate>,
    pub layout: Option<Layout>,
    pub fps: Option<FrameRate>,
    pub lang: Option<String>,
}

pub(super) fn header(visitor: &mut impl Visitor, header: &mut Header) {
    visitor.field("rate", &mut header.rate);
    visitor.field("layout", &mut header.layout);
    visitor.field("fps", &mut header.fps);
    visitor.field("lang", &mut header.lang);
}

/// Binds the start timecode, which is read once the frame rate is known.
pub(super) fn start(visitor: &mut impl Visitor, start: &mut Option<Timecode>) {
    visitor.field("start", start);
}

pub(super) fn session(visitor: &mut impl Visitor, session: &mut Session) {
    visitor.field("title", &mut session.title);
    visitor.field("length", &mut session.length);
    visitor.field("pan_law", &mut session.pan_law);
    visitor.field("marker", &mut session.markers);
}

pub(super) fn album(visitor: &mut impl Visitor, album: &mut Album) {
    visitor.field("title", &mut album.title);
    visitor.field("artist", &mut album.artist);
    visitor.field("label", &mut album.label);
    visitor.field("date", &mut album.date);
    visitor.field("upc", &mut album.upc);
}

pub(super) fn master(visitor: &mut impl Visitor, master: &mut Master) {
    visitor.field("insert", &mut master.inserts);
    visitor.field("gain", &mut master.gain);
    visitor.field("limit", &mut master.limit);
    visitor.field("dither", &mut master.dither);
    visitor.section("automation", |inner| {
        gain_curve(inner, &mut master.gain_curve);
        inner.insert_curves("insert", &mut master.inserts);
    });
}

fn gain_curve(visitor: &mut impl Visitor, curve: &mut Curve<Decibels>) {
    visitor.field("gain", curve);
}

/// Binds the controls of a track or a bus; `to` is the key that names the bus it feeds.
pub(super) fn strip(visitor: &mut impl Visitor, to: &'static str, strip: &mut Strip) {
    visitor.field(to, &mut strip.to);
    visitor.field("insert", &mut strip.inserts);
    visitor.field("gain", &mut strip.gain);
    visitor.field("pan", &mut strip.pan);
    visitor.field("mute", &mut strip.mute);
    visitor.field("solo", &mut strip.solo);
    visitor.field("send", &mut strip.sends);
    visitor.section("automation", |inner| {
        gain_curve(inner, &mut strip.gain_curve);
        inner.field("pan", &mut strip.pan_curve);
        inner.insert_curves("insert", &mut strip.inserts);
    });
}

pub(super) fn track(visitor: &mut impl Visitor, track: &mut Track) {
    visitor.field("invert", &mut track.invert);
    strip(visitor, "bus", &mut track.strip);
}

/// Binds a time with its exact value.
macro_rules! stated {
    ($visitor:ident, $stretch:ident, $key:literal, $field:ident) => {
        let mut stated = Stated {
            value: $stretch.$field,
            exact: $stretch.exact.$field,
        };
        $visitor.field($key, &mut stated);
        ($stretch.$field, $stretch.exact.$field) = (stated.value, stated.exact);
    };
}

/// Binds the keys that place a stretch of a stem or of a cue on the timeline.
macro_rules! stretch {
    ($visitor:ident, $stretch:ident) => {
        stated!($visitor, $stretch, "at", at);
        stated!($visitor, $stretch, "from", from);
        stated!($visitor, $stretch, "length", length);
        $visitor.field("fade_in", &mut $stretch.fade_in);
        $visitor.field("fade_out", &mut $stretch.fade_out);
    };
}

/// Binds the keys of the crossfade with the stretch before.
macro_rules! level_and_crossfade {
    ($visitor:ident, $stretch:ident) => {
        $visitor.field("gain", &mut $stretch.gain);
        stated!($visitor, $stretch, "crossfade", crossfade);
    };
}

/// Binds the clip that a track with a single one states in its own table.
pub(super) fn stem(visitor: &mut impl Visitor, file: &mut Option<Input>, clip: &mut Clip) {
    visitor.field("file", file);
    stretch!(visitor, clip);
    visitor.field("loop", &mut clip.loops);
    visitor.field("channel", &mut clip.channel);
    visitor.field("layout", &mut clip.layout);
}

/// Binds a clip with a table of its own.
pub(super) fn clip(visitor: &mut impl Visitor, file: &mut Option<Input>, clip: &mut Clip) {
    stem(visitor, file, clip);
    level_and_crossfade!(visitor, clip);
}

pub(super) fn cue(visitor: &mut impl Visitor, cue: &mut Cue) {
    visitor.field("title", &mut cue.title);
    visitor.field("kind", &mut cue.kind);
    visitor.field("artist", &mut cue.artist);
    visitor.field("composer", &mut cue.composer);
    visitor.field("publisher", &mut cue.publisher);
    visitor.field("isrc", &mut cue.isrc);
    visitor.field("mute", &mut cue.mute);
    visitor.field("marker", &mut cue.markers);
}

pub(super) fn placement(visitor: &mut impl Visitor, placement: &mut Use) {
    stretch!(visitor, placement);
    level_and_crossfade!(visitor, placement);
    visitor.field("usage", &mut placement.usage);
}

pub(super) fn deliverable(visitor: &mut impl Visitor, deliverable: &mut Deliverable) {
    visitor.field("file", &mut deliverable.file);
    visitor.field("format", &mut deliverable.format);
    visitor.field("lang", &mut deliverable.lang);
    visitor.field("mute", &mut deliverable.mute);
    visitor.field("solo", &mut deliverable.solo);
    visitor.field("stems", &mut deliverable.stems);
    visitor.field("album", &mut deliverable.album);
    visitor.field("listing", &mut deliverable.listing);
    visitor.field("cue_sheet", &mut deliverable.cue_sheet);
    visitor.field("report", &mut deliverable.report);
    visitor.field("dither", &mut deliverable.dither);
    visitor.field("gain", &mut deliverable.gain);
    visitor.field("gain_of", &mut deliverable.gain_of);
    visitor.field("cue", &mut deliverable.cue);
    visitor.field("range", &mut deliverable.range);
    visitor.field("loop", &mut deliverable.loops);
    visitor.field("fade_in", &mut deliverable.fade_in);
    visitor.field("fade_out", &mut deliverable.fade_out);
    visitor.field("rate", &mut deliverable.rate);
    visitor.field("layout", &mut deliverable.layout);
    visitor.field("limit", &mut deliverable.limit);
    loudness::bind(visitor, deliverable);
}
