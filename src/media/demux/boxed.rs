//! Opening containers whose packets the demuxer finds: FLAC, Ogg, AIFF, CAF, Matroska, and WAVE with odd codecs.

use super::{
    Extent, NoAudio, Opened, Stem,
    chunks::{self, Sound},
    flac::{self, StreamInfo},
    ogg,
};
use crate::{
    error::{Error, ErrorKind, Result},
    media::{
        Bits, Remark,
        codec_fault::Fault,
        packet_source::{Count, Demuxed, PacketSource, Window},
        symphonia_adapter::{Container, Decoder, Stream},
    },
    units::Frames,
};
use std::{
    error::Error as _,
    io::{Read, Seek, SeekFrom},
};

/// What a visit of all packets found, without decoding them.
#[derive(Clone, Copy, Debug, Default)]
struct Visit {
    first: i64,
    /// Where the last packet begins and ends.
    last: i64,
    end: i64,
}

impl Stem<'_> {
    /// Opens a container and chooses the stream. `order` sorts the streams into the order of the file.
    fn demux(
        &self,
        container: Container,
        name: &str,
        window: Window,
        order: impl Fn(&Stream) -> usize,
    ) -> Result<(Demuxed, usize)> {
        let mut refusal = None;
        let mut count = 0;
        let choose = |mut streams: Vec<Stream>| {
            streams.sort_by_key(order);
            count = streams.len();
            let chosen = self.chosen(count).and_then(|i| {
                let stream = streams.into_iter().nth(i).ok_or_else(|| self.corrupt("no such stream"))?;
                self.stream_is_read(&stream, name)?;
                Ok(stream)
            });
            chosen.map_err(|e| {
                refusal = Some(e);
                Fault::Unsupported(String::new())
            })
        };
        let opened = Demuxed::open(container, self.file, window, choose);
        match (opened, refusal) {
            (Ok(demuxed), _) => Ok((demuxed, count)),
            (Err(_), Some(refusal)) => Err(refusal),
            (Err(fault), None) => Err(self.fault(name, fault)),
        }
    }

    fn whole(&self) -> Result<Window> {
        let len = self.file.len();
        Ok(Window { parts: vec![(0, len)], len, ..Window::default() })
    }

    /// Visits all packets from where the demuxer stands.
    fn visit(&self, demuxed: &mut Demuxed, name: &str) -> Result<Option<Visit>> {
        let mut visit: Option<Visit> = None;
        loop {
            match demuxed.next() {
                Ok(Some(p)) => {
                    let end = p.at.saturating_add_unsigned(p.frames);
                    let v = visit.get_or_insert(Visit { first: p.at, last: p.at, end });
                    v.last = p.at;
                    v.end = v.end.max(end);
                }
                Ok(None) | Err(Fault::Cut) => return Ok(visit),
                Err(fault) => {
                    let at = u64::try_from(visit.map_or(0, |v| v.end)).unwrap_or(0);
                    let at = Self::clock(demuxed.stream().rate, at);
                    return Err(self.fault(&format!("{name}: at {at}"), fault));
                }
            }
        }
    }

    /// The decoder of a feed, and what comes out of it.
    fn finish(&self, mut feed: PacketSource, stream: &Stream, codec: String, extent: Extent) -> Result<Opened> {
        let mut decoder = Decoder::of(stream, false).map_err(|f| self.fault(&codec, f))?;
        let seen = self.trial(&mut feed, &mut decoder, &codec)?;
        let (rate, channels, mask) = match seen {
            Some(out) => (out.rate, out.channels, out.mask),
            None => (stream.rate, stream.channels.unwrap_or(1), stream.mask),
        };
        let (rate, channels) = self.limits(rate, channels)?;
        Ok(Opened {
            feed,
            decoder,
            codec,
            rate,
            channels,
            mask,
            bits: stream.bits.map(|(width, float)| Bits { width, float }),
            origin: extent.origin,
            lead: 0,
            frames: extent.frames(),
            missing: extent.missing(),
            trimmed: (0, 0),
            streams: 1,
            remarks: Vec::new(),
            linear: false,
            pre_roll: 0,
        })
    }

    pub(super) fn flac(&self, start: u64) -> Result<Opened> {
        // The last frame would not be found with a tag joined to it.
        let tags = flac::tags_behind(self.file).map_err(|e| self.io(e))?;
        let len = self.whole()?.len.saturating_sub(start).saturating_sub(tags);
        let patches = flac::beside_audio(self.file, start).map_err(|e| self.io(e))?;
        let (mut demuxed, _) =
            self.demux(Container::Flac, "FLAC", Window { parts: vec![(start, len)], len, patches }, |_| 0)?;
        let stream = demuxed.stream().clone();
        let info = stream.extra.as_deref().and_then(StreamInfo::parse);
        let info = info.ok_or_else(|| self.corrupt("FLAC: the stream information is damaged"))?;
        let stated = stream.stated.unwrap_or(0);
        // A quick look at the end is enough where it agrees.
        let last = i64::try_from(stated).unwrap_or(i64::MAX);
        let mut quick = None;
        if stated > 0 && demuxed.seek(last - 1).is_ok() {
            quick = self.visit(&mut demuxed, "FLAC")?.filter(|v| v.end == last);
        }
        let (first, found) = match quick {
            Some(_) => (0, stated),
            None => {
                demuxed.again().map_err(|f| self.fault("FLAC", f))?;
                let visit = self.visit(&mut demuxed, "FLAC")?.unwrap_or(Visit::default());
                (visit.first, u64::try_from(visit.end).unwrap_or(0))
            }
        };
        // A stream that was recorded from the middle counts from there.
        let origin = if first > 0 && found > stated { first } else { 0 };
        if quick.is_none()
            && let Some(what) = flac::change(self.file, &info, found).map_err(|e| self.io(e))?
        {
            let at = Self::clock(info.rate, found);
            return Err(self.refuse(ErrorKind::Unsupported, format!("FLAC: the stream changes from {what} at {at}")));
        }
        demuxed.again().map_err(|f| self.fault("FLAC", f))?;
        if info.bits > 24 && info.channels == 2 {
            self.verified(&mut demuxed, &stream, info)?;
        }
        let signed = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        let extent = Extent { origin, end: signed(stated.max(found)), held: signed(found) };
        let mut opened = self.finish(PacketSource::Timed(demuxed), &stream, "FLAC".into(), extent)?;
        if opened.frames > stated && stated > 0 {
            opened.remarks.push(Remark::HeaderLength { stated: Frames(stated), found: Frames(opened.frames) });
        }
        Ok(opened)
    }

    /// Stereo of more than 24 bits can overflow in the decoder, without an error: only the checksum tells.
    fn verified(&self, demuxed: &mut Demuxed, stream: &Stream, info: StreamInfo) -> Result<()> {
        let what = format!("FLAC: {} bits in stereo", info.bits);
        if !info.md5 {
            let what = format!("{what} without a checksum cannot be verified");
            return Err(self.refuse(ErrorKind::Unsupported, what));
        }
        let mut decoder = Decoder::of(stream, true).map_err(|f| self.fault("FLAC", f))?;
        while let Ok(Some(packet)) = demuxed.next() {
            let _ = decoder.decode(&packet);
        }
        if decoder.verified() != Some(true) {
            let what = format!("{what} does not decode to its checksum; convert it to 24 bits or to WAV");
            return Err(self.refuse(ErrorKind::Unsupported, what));
        }
        demuxed.again().map_err(|f| self.fault("FLAC", f))
    }

    pub(super) fn ogg(&self) -> Result<Opened> {
        let walk = ogg::walk(self.file).map_err(|e| self.io(e))?;
        let order = |s: &Stream| walk.place(s.id);
        let window = Window { parts: walk.good.clone(), ..Window::default() };
        let (mut demuxed, count) = self.demux(Container::Ogg, "Ogg", window, order)?;
        let stream = demuxed.stream().clone();
        if let Some(at) = walk.chained {
            let at = Self::clock(stream.rate, u64::try_from(at).unwrap_or(0));
            let what = format!("Ogg: another piece of music begins at {at} (chained streams)");
            return Err(self.refuse(ErrorKind::Unsupported, what));
        }
        let codec = format!("{} in Ogg", stream.codec);
        let pages = walk.stream(stream.id).cloned().unwrap_or_default();
        demuxed.holes.clone_from(&pages.holes);
        let visit = self.visit(&mut demuxed, &codec)?.unwrap_or(Visit::default());
        demuxed.again().map_err(|f| self.fault(&codec, f))?;
        // A recording of a broadcast begins late; a stem whose first pages are damaged does not.
        let origin = if pages.lost_start() { 0 } else { visit.first.max(0) };
        let promised = pages.cut.unwrap_or(visit.end).max(pages.end).max(visit.end);
        let extent = Extent { origin, end: promised.max(origin), held: visit.end };
        let mut opened = self.finish(PacketSource::Timed(demuxed), &stream, codec, extent)?;
        opened.streams = count;
        opened.trimmed = (visit.first.min(0).unsigned_abs(), stream.padding.into());
        Ok(opened)
    }

    pub(super) fn aiff(&self) -> Result<Opened> {
        let sound = chunks::aiff(self.file).map_err(|e| self.io(e))?;
        let patches = chunks::aiff_patches(self.file).map_err(|e| self.io(e))?;
        let window = Window { len: sound.whole, patches, ..self.whole()? };
        let (demuxed, _) = self.demux(Container::Aiff, "AIFF", window, |_| 0)?;
        let mut opened = self.pcm(demuxed, "AIFF", sound)?;
        let stated = sound.frames.unwrap_or(opened.frames);
        if stated != opened.frames {
            opened.remarks.push(Remark::HeaderLength { stated: Frames(stated), found: Frames(opened.frames) });
        }
        if opened.channels > 2 {
            opened.mask = 0;
        }
        Ok(opened)
    }

    /// Packets of one frame each: the length follows from the size of the data.
    fn pcm(&self, demuxed: Demuxed, container: &str, sound: Sound) -> Result<Opened> {
        let stream = demuxed.stream().clone();
        let frames = stream.stated.unwrap_or(0);
        let held = if sound.promised == 0 {
            0
        } else {
            let exact = u128::from(frames) * u128::from(sound.present) / u128::from(sound.promised);
            u64::try_from(exact).unwrap_or(u64::MAX)
        };
        let signed = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        let extent = Extent { origin: 0, end: signed(frames), held: signed(held) };
        self.finish(PacketSource::Timed(demuxed), &stream, format!("{} in {container}", stream.codec), extent)
    }

    pub(super) fn caf(&self) -> Result<Opened> {
        let sound = chunks::caf(self.file).map_err(|e| self.io(e))?;
        let (mut demuxed, _) =
            self.demux(Container::Caf, "CAF", Window { len: sound.whole, ..self.whole()? }, |_| 0)?;
        let stream = demuxed.stream().clone();
        if stream.is_ima_adpcm() {
            // Decoded up to 1/250 of full scale away from what QuickTime makes of it.
            return Err(self.unsupported("IMA ADPCM in CAF"));
        }
        let mut opened = if stream.pcm || stream.is_companded() {
            self.pcm(demuxed, "CAF", sound)?
        } else {
            let codec = format!("{} in CAF", stream.codec);
            let visit = self.visit(&mut demuxed, &codec)?.unwrap_or(Visit::default());
            demuxed.again().map_err(|f| self.fault(&codec, f))?;
            // Some writers count positions from the first packet, some from the first frame of music.
            let origin = if visit.first < 0 { 0 } else { i64::from(stream.delay) };
            let padded = visit.end.saturating_sub(stream.padding.into());
            let valid = stream.stated.and_then(|n| i64::try_from(n).ok()).map_or(0, |n| origin.saturating_add(n));
            let mut end = if valid > origin && valid < padded { valid } else { padded };
            let mut held = visit.end;
            let lossless = stream.is_alac();
            if sound.present < sound.promised {
                held = self.cut_caf(&mut demuxed, sound)?;
            } else if lossless {
                // The last packet may be shorter than the header makes it.
                end = end.min(self.alac_end(&mut demuxed, visit)?);
            }
            let extent = Extent { origin, end: end.max(origin), held };
            let mut opened = self.finish(PacketSource::Timed(demuxed), &stream, codec, extent)?;
            opened.trimmed = (stream.delay.into(), stream.padding.into());
            opened.linear = !lossless;
            if !lossless {
                opened.remarks.push(Remark::SlowSeek);
            }
            opened
        };
        if opened.channels > 2 && !sound.positions {
            opened.mask = 0;
        }
        Ok(opened)
    }

    /// Where the last packet of ALAC really ends.
    fn alac_end(&self, demuxed: &mut Demuxed, visit: Visit) -> Result<i64> {
        let mut decoder = Decoder::of(demuxed.stream(), false).map_err(|f| self.fault("ALAC in CAF", f))?;
        let mut end = visit.end;
        // This demuxer cannot seek once it has come to the end.
        demuxed.again().map_err(|f| self.fault("ALAC in CAF", f))?;
        if demuxed.seek(visit.last).is_ok() {
            while let Ok(Some(packet)) = demuxed.next() {
                if let Ok(out) = decoder.decode(&packet) {
                    end = packet.at.saturating_add_unsigned(u64::try_from(out.frames).unwrap_or(0));
                }
            }
        }
        demuxed.again().map_err(|f| self.fault("ALAC in CAF", f))?;
        Ok(end)
    }

    /// The position up to which the packets of a cut CAF file are there.
    fn cut_caf(&self, demuxed: &mut Demuxed, sound: Sound) -> Result<i64> {
        let (mut bytes, mut at) = (0, 0);
        while let Ok(Some(packet)) = demuxed.next() {
            bytes += packet.bytes();
            if bytes > sound.present {
                break;
            }
            at = packet.at.saturating_add_unsigned(packet.frames);
        }
        demuxed.again().map_err(|f| self.fault("CAF", f))?;
        Ok(at)
    }

    pub(super) fn wave(&self) -> Result<Opened> {
        let (tag, data) = chunks::wave(self.file).map_err(|e| self.io(e))?;
        match tag {
            0x50 | 0x55 => {
                let mut opened = self.mpeg(data, false)?;
                opened.codec += " in WAV";
                return Ok(opened);
            }
            0x02 | 0x11 => {}
            tag => {
                if let Some(name) = chunks::wave_codec(tag) {
                    return Err(self.unsupported(format!("{name} in WAV")));
                }
            }
        }
        let (mut demuxed, _) = self.demux(Container::Wave, "WAVE", self.whole()?, |_| 0)?;
        let stream = demuxed.stream().clone();
        let codec = format!("{} in WAV", stream.codec);
        let visit = self.visit(&mut demuxed, &codec)?.unwrap_or(Visit::default());
        demuxed.again().map_err(|f| self.fault(&codec, f))?;
        let promised = i64::try_from(stream.stated.unwrap_or(0)).unwrap_or(0).max(visit.end);
        let extent = Extent { origin: 0, end: promised, held: visit.end };
        let mut opened = self.finish(PacketSource::Timed(demuxed), &stream, codec, extent)?;
        opened.linear = !stream.pcm;
        if opened.linear {
            opened.remarks.push(Remark::SlowSeek);
        }
        Ok(opened)
    }

    pub(super) fn matroska(&self) -> Result<Opened> {
        let opened = self.counted(Container::Matroska, "Matroska");
        let (mut opened, stream) = opened.map_err(|e| self.matroska_refusal(e))?;
        if !stream.is_flac() && !stream.pcm {
            opened.remarks.push(Remark::AlignmentUnknown);
        }
        Ok(opened)
    }

    /// Says what is wrong with a Matroska file where the demuxer does not.
    fn matroska_refusal(&self, e: Error) -> Error {
        if e.source().is_some_and(|cause| cause.is::<NoAudio>()) {
            // The demuxer is silent about tracks of codecs that it does not know.
            return self.matroska_codec().map_or(e, |codec| self.unsupported(format!("{codec} in Matroska")));
        }
        // The demuxer passes over a segment that is longer than the file, and then misses it.
        if e.kind() == ErrorKind::Unsupported && self.holds_matroska_segment() == Some(false) {
            return self.corrupt("Matroska: its segment is missing or not whole: the file is probably cut off");
        }
        e
    }

    /// Reports whether a whole Segment element follows the EBML header (RFC 8794, RFC 9559 section 4.5); `None` without
    /// such a header.
    fn holds_matroska_segment(&self) -> Option<bool> {
        let mut head = Vec::new();
        let mut file = self.file;
        file.seek(SeekFrom::Start(0)).ok()?;
        file.take(1 << 12).read_to_end(&mut head).ok()?;
        let header = head.strip_prefix(&[0x1A, 0x45, 0xDF, 0xA3])?;
        let (size, width) = ebml_size(header)?;
        let at = size?.checked_add(4 + width)?;
        let segment = head.get(usize::try_from(at).ok()?..)?;
        let Some(body) = segment.strip_prefix(&[0x18, 0x53, 0x80, 0x67]) else { return Some(false) };
        let Some((size, width)) = ebml_size(body) else { return Some(false) };
        let end = size.map(|size| (at + 4 + width).saturating_add(size));
        Some(end.is_none_or(|end| end <= self.file.len()))
    }

    /// The identifier of an audio codec near the start of a Matroska file.
    fn matroska_codec(&self) -> Option<String> {
        let mut head = Vec::new();
        let mut file = self.file;
        file.seek(SeekFrom::Start(0)).ok()?;
        file.take(1 << 16).read_to_end(&mut head).ok()?;
        let at = head.windows(2).position(|w| w == b"A_")?;
        let rest = head.get(at..at + 32)?.iter();
        let name = rest.take_while(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b"_/.".contains(b));
        let name: String = name.map(|b| char::from(*b)).collect();
        (name.len() > 3).then_some(name)
    }

    /// Opens a container whose times are no frames: its length is what all its packets decode to.
    pub(super) fn counted(&self, container: Container, name: &str) -> Result<(Opened, Stream)> {
        let (demuxed, count) = self.demux(container, name, self.whole()?, |_| 0)?;
        let stream = demuxed.stream().clone();
        let codec = format!("{} in {name}", stream.codec);
        let mut decoder = Decoder::of(&stream, false).map_err(|f| self.fault(&codec, f))?;
        let mut feed = PacketSource::Counted(demuxed, Count::default());
        let (mut at, mut usual, mut cut) = (0u64, 0, 0);
        loop {
            let packet = match feed.next() {
                Ok(Some(packet)) => packet,
                Ok(None) => break,
                Err(Fault::Cut) => {
                    cut = usual;
                    break;
                }
                Err(fault) => {
                    let at = Self::clock(stream.rate, at);
                    return Err(self.fault(&format!("{codec}: at {at}"), fault));
                }
            };
            match decoder.decode(&packet) {
                Ok(out) => usual = u64::try_from(out.frames).unwrap_or(0),
                Err(Fault::Damaged(_) | Fault::Unsupported(_)) => {}
                Err(fault) => return Err(self.fault(&codec, fault)),
            }
            feed.passed(usual);
            at = at.saturating_add(usual);
        }
        feed.seek(0).map_err(|f| self.fault(&codec, f))?;
        let signed = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        let extent = Extent { origin: 0, end: signed(at.saturating_add(cut)), held: signed(at) };
        let mut opened = self.finish(feed, &stream, codec, extent)?;
        opened.streams = count;
        opened.linear = true;
        opened.remarks.push(Remark::SlowSeek);
        Ok((opened, stream))
    }
}

/// Reads the size of an EBML element: the value, `None` for one that is unknown, and how many bytes it takes.
fn ebml_size(data: &[u8]) -> Option<(Option<u64>, u64)> {
    let first = *data.first()?;
    let width = u64::from(first.leading_zeros()) + 1;
    let bytes = data.get(..usize::try_from(width).ok()?).filter(|_| width <= 8)?;
    let mark = 1u64 << (7 * width);
    let value = bytes.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)) & (mark - 1);
    Some(((value != mark - 1).then_some(value), width))
}
