//! Opening MPEG audio and ADTS, which are frames with nothing around them.

use super::{
    Extent, MPEG_PRE_ROLL, Opened, Stem, aac,
    mpeg::{self, Scan},
    xing,
};
use crate::{
    error::{ErrorKind, Result},
    media::{
        Remark,
        packet_source::PacketSource,
        packet_table::PacketTable,
        symphonia_adapter::{Codec, Decoder},
    },
    units::Frames,
};

impl Stem<'_> {
    fn scan(&self, start: u64) -> Result<Scan> {
        let scan = mpeg::scan(self.file, start).map_err(|e| self.io(e))?;
        let scan = scan.ok_or_else(|| self.corrupt("no frame can be found"))?;
        if let Some((at, what)) = &scan.change {
            let at = Self::clock(scan.first.rate, *at);
            return Err(self.refuse(ErrorKind::Unsupported, format!("the stream changes to {what} at {at}")));
        }
        if scan.entries.is_empty() {
            return Err(self.corrupt("the only frame is cut off"));
        }
        Ok(scan)
    }

    pub(super) fn mpeg(&self, start: u64, fragment: bool) -> Result<Opened> {
        self.chosen(1)?;
        let mut scan = self.scan(start)?;
        let (codec, name) = match scan.first.layer {
            1 => (Codec::Mp1, "MP1"),
            2 => (Codec::Mp2, "MP2"),
            _ => (Codec::Mp3, "MP3"),
        };
        let (rate, channels) = self.limits(scan.first.rate, usize::from(scan.first.channels))?;
        let table = |entries| -> Result<PacketTable> { Ok(PacketTable::new(self.file.clone(), entries)) };
        let head = table(scan.entries.first().copied().into_iter().collect())?.peek(1);
        let tag = head.first().and_then(|frame| xing::read(&scan.first, frame));
        let each = u64::from(scan.first.frames);
        // The frame of a Xing tag is none of the music. That of a VBRI tag is played, silent, by other decoders, and
        // its encoders count on it.
        if tag.is_some_and(|t| !t.played) {
            scan.entries.remove(0);
            scan.entries.iter_mut().for_each(|e| e.at -= each);
            scan.frames -= each;
        }
        let tag = tag.unwrap_or_default();
        let mut remarks = Vec::new();
        let stated = tag.count.map(|n| u64::from(n) * each);
        let cut_short = tag.bytes.is_some_and(|b| u64::from(b) > scan.bytes);
        // With all of its bytes there the tag knows better than their number how many frames were damaged.
        if let Some(stated) = stated
            && tag.bytes.is_some_and(|b| u64::from(b) <= scan.bytes)
            && !tag.played
        {
            scan.recount(stated);
        }
        let whole = scan.frames + scan.cut.map_or(0, u64::from);
        let mut promised = whole;
        if let Some(stated) = stated {
            // A promise of a hundred times what is there is a wrong header, not a lost end.
            if stated > promised && cut_short && !fragment && stated / 100 < whole {
                promised = stated;
            } else if stated != promised && !(tag.played && stated + each == promised) {
                remarks.push(Remark::HeaderLength { stated: Frames(stated), found: Frames(scan.frames) });
            }
        }
        // A piece of a longer stream, or a stream with a wrong header, ends with its last whole frame.
        if promised == whole && scan.cut.is_some() && (fragment || !remarks.is_empty()) {
            promised = scan.frames;
            if remarks.is_empty() {
                remarks.push(Remark::HeaderLength { stated: Frames(whole), found: Frames(scan.frames) });
            }
        }
        let (delay, padding) = tag.trim.map_or((0, 0), |(d, p)| (u64::from(d), u64::from(p)));
        // Padding belongs to the end that the encoder wrote.
        let padding = if stated.is_none_or(|s| s == promised) { padding } else { 0 };
        let end = promised.saturating_sub(padding).max(delay.min(promised));
        if tag.trim.is_none() {
            remarks.push(Remark::AlignmentUnknown);
        }
        let signed = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        let extent = Extent { origin: signed(delay), end: signed(end), held: signed(scan.frames) };
        let mut feed = PacketSource::PacketTable(table(scan.entries)?);
        let made = Decoder::new(codec, rate.hz(), usize::from(channels), None);
        let mut decoder = made.map_err(|f| self.fault(name, f))?;
        self.trial(&mut feed, &mut decoder, name)?;
        Ok(Opened {
            feed,
            decoder,
            codec: name.into(),
            rate,
            channels,
            mask: 0,
            bits: None,
            origin: extent.origin,
            lead: 0,
            frames: extent.frames(),
            missing: extent.missing(),
            trimmed: (delay, promised - end),
            streams: 1,
            remarks,
            linear: false,
            pre_roll: MPEG_PRE_ROLL,
        })
    }

    pub(super) fn adts(&self, start: u64) -> Result<Opened> {
        self.chosen(1)?;
        let scan = self.scan(start)?;
        let first = scan.first;
        let config = aac::Config::adts(first.layer, first.rate, first.channels);
        if let Some(what) = config.refused() {
            return Err(self.unsupported(format!("{what} in ADTS")));
        }
        if first.more > 0 {
            return Err(self.unsupported("ADTS with several AAC packets in a frame"));
        }
        let (rate, channels) = self.limits(first.rate, usize::from(first.channels))?;
        let frames = scan.frames + scan.cut.map_or(0, u64::from);
        let missing = frames - scan.frames;
        let table = PacketTable::new(self.file.clone(), scan.entries);
        self.no_sbr(&table, "ADTS")?;
        let made = Decoder::new(Codec::Aac, rate.hz(), usize::from(channels), None);
        let mut decoder = made.map_err(|f| self.fault("AAC in ADTS", f))?;
        let mut feed = PacketSource::PacketTable(table);
        self.trial(&mut feed, &mut decoder, "AAC in ADTS")?;
        Ok(Opened {
            feed,
            decoder,
            codec: "AAC in ADTS".into(),
            rate,
            channels,
            mask: 0,
            bits: None,
            origin: 0,
            lead: 0,
            frames,
            missing,
            trimmed: (0, 0),
            streams: 1,
            remarks: vec![Remark::AlignmentUnknown, Remark::SlowSeek],
            linear: true,
            pre_roll: 0,
        })
    }

    /// Refuses HE-AAC that does not say so.
    pub(super) fn no_sbr(&self, table: &PacketTable, container: &str) -> Result<()> {
        let packets = table.peek(24);
        let with = packets.iter().filter(|p| aac::has_sbr(p)).count();
        if packets.len() >= 4 && with * 10 >= packets.len() * 8 {
            return Err(self.unsupported(format!("HE-AAC in {container}")));
        }
        Ok(())
    }
}
