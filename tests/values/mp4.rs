//! A QuickTime file with one track of 16-bit PCM, made box by box, with the edit list that a test wants.

/// One piece of an edit list: its length in ticks of the movie, and where it begins in ticks of the track; −1 for an empty
/// edit, which is silence.
#[derive(Clone, Copy, Debug)]
pub struct Edit {
    pub length: u64,
    pub from: i64,
}

/// What a file says of itself; `frames` samples of mono at `rate`.
#[derive(Clone, Debug)]
pub struct Movie {
    pub rate: u32,
    /// Ticks a second of edit lengths.
    pub timescale: u32,
    /// Ticks a second of the track.
    pub media_timescale: u32,
    pub edits: Vec<Edit>,
    /// Whether lengths and times have 64 bits.
    pub wide: bool,
    /// Delay, padding and length in frames, as the tag `iTunSMPB` states them.
    pub smpb: Option<[u64; 3]>,
}

impl Default for Movie {
    fn default() -> Self {
        Self {
            rate: 48_000,
            timescale: 48_000,
            media_timescale: 48_000,
            edits: Vec::new(),
            wide: false,
            smpb: None,
        }
    }
}

fn part(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
    [
        &u32::try_from(body.len() + 8).unwrap().to_be_bytes()[..],
        name,
        body,
    ]
    .concat()
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|w| w.to_be_bytes()).collect()
}

impl Movie {
    /// The bytes of a file that holds these samples.
    pub fn bytes(&self, samples: &[i16]) -> Vec<u8> {
        let data: Vec<u8> = samples.iter().flat_map(|s| s.to_le_bytes()).collect();
        let file_type = part(b"ftyp", b"qt  \0\0\x02\0qt  ");
        // The header of the media data is 8 bytes; it comes before the movie, so that its place is known.
        let offset = u32::try_from(file_type.len() + 8).unwrap();
        let count = u32::try_from(samples.len()).unwrap();
        [file_type, part(b"mdat", &data), self.header(count, offset)].concat()
    }

    fn header(&self, count: u32, offset: u32) -> Vec<u8> {
        let ticks = u64::from(count) * u64::from(self.media_timescale) / u64::from(self.rate);
        let ticks = u32::try_from(ticks).unwrap();
        let unity = words(&[0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000]);
        let movie_head = [
            words(&[0, 0, 0, self.timescale, ticks, 0x1_0000]),
            vec![1, 0],
            vec![0; 10],
            unity.clone(),
            vec![0; 24],
            words(&[2]),
        ];
        let track_head = [
            words(&[7, 0, 0, 1, 0, ticks, 0, 0]),
            vec![0; 4],
            vec![1, 0, 0, 0],
            unity,
            words(&[0, 0]),
        ];
        let media_head = [
            words(&[0, 0, 0, self.media_timescale, ticks]),
            vec![0x55, 0xC4, 0, 0],
        ];
        let handler = [words(&[0, 0]), b"soun".to_vec(), vec![0; 12], vec![0]];
        let entry = [
            vec![0; 6],
            vec![0, 1],
            vec![0; 8],
            vec![0, 1, 0, 16],
            vec![0; 4],
            (self.rate << 16).to_be_bytes().to_vec(),
        ];
        let description = [words(&[0, 1]), part(b"sowt", &entry.concat())];
        let per_frame = (self.media_timescale / self.rate).max(1);
        let table = [
            part(b"stsd", &description.concat()),
            part(b"stts", &words(&[0, 1, count, per_frame])),
            part(b"stsc", &words(&[0, 1, 1, count, 1])),
            part(b"stsz", &words(&[0, 2, count])),
            part(b"stco", &words(&[0, 1, offset])),
        ];
        let reference = part(
            b"dref",
            &[words(&[0, 1]), part(b"url ", &words(&[1]))].concat(),
        );
        let information = [
            part(b"smhd", &[0; 8]),
            part(b"dinf", &reference),
            part(b"stbl", &table.concat()),
        ];
        let media = [
            part(b"mdhd", &media_head.concat()),
            part(b"hdlr", &handler.concat()),
            part(b"minf", &information.concat()),
        ];
        let track = [
            part(b"tkhd", &track_head.concat()),
            self.edit_list(),
            part(b"mdia", &media.concat()),
        ];
        part(
            b"moov",
            &[
                part(b"mvhd", &movie_head.concat()),
                part(b"trak", &track.concat()),
                self.tags(),
            ]
            .concat(),
        )
    }

    fn tags(&self) -> Vec<u8> {
        let Some([delay, padding, length]) = self.smpb else {
            return Vec::new();
        };
        let text = format!(" 00000000 {delay:08X} {padding:08X} {length:016X} 00000000 00000000");
        let tag = [
            part(
                b"mean",
                &[vec![0; 4], b"com.apple.iTunes".to_vec()].concat(),
            ),
            part(b"name", &[vec![0; 4], b"iTunSMPB".to_vec()].concat()),
            part(b"data", &[words(&[1, 0]), text.into_bytes()].concat()),
        ];
        let list = part(b"ilst", &part(b"----", &tag.concat()));
        part(b"udta", &part(b"meta", &[vec![0; 4], list].concat()))
    }

    fn edit_list(&self) -> Vec<u8> {
        if self.edits.is_empty() {
            return Vec::new();
        }
        let row = |edit: &Edit| {
            let times = if self.wide {
                [edit.length.to_be_bytes(), edit.from.to_be_bytes()].concat()
            } else {
                let (length, from) = (
                    u32::try_from(edit.length).unwrap(),
                    i32::try_from(edit.from).unwrap(),
                );
                [length.to_be_bytes(), from.to_be_bytes()].concat()
            };
            [times, words(&[0x1_0000])].concat()
        };
        let head = words(&[
            u32::from(self.wide) << 24,
            u32::try_from(self.edits.len()).unwrap(),
        ]);
        let rows: Vec<u8> = self.edits.iter().flat_map(row).collect();
        part(b"edts", &part(b"elst", &[head, rows].concat()))
    }
}
