//! The keys of the session file: one table that reading, writing, the JSON schema and the reference page derive from.
//!
//! To add a key: add it here and to the model, and bind the two in [`bindings`](super::bindings). The order of the keys is
//! the order in which they are written.

use crate::{dsp::pan::PanLaw, layout::Layout, session::deliverable::MAX_LOOPS};
use std::borrow::Cow;

/// The keys of one kind of table.
pub(super) struct TableSpec {
    /// Name of the kind, unique, as the schema has it.
    pub name: &'static str,
    /// Heading of the table in a TOML file.
    pub heading: &'static str,
    pub doc: &'static str,
    /// Keys in groups, since some tables share some keys.
    pub groups: &'static [&'static [KeySpec]],
}

/// One key.
pub(super) struct KeySpec {
    pub name: &'static str,
    pub kind: Kind,
    /// Unit of a plain number.
    pub unit: &'static str,
    /// The default, in the notation of the file; a key with this value is not written.
    pub default: Option<&'static str>,
    pub required: bool,
    pub doc: &'static str,
    /// Names of the key in other programs. They are refused with a hint at the right name.
    pub synonyms: &'static [&'static str],
}

/// The type of a key's value and its notation.
pub(super) enum Kind {
    Text,
    /// Letters, digits and dashes, so that a language in a file name cannot change the folder.
    Language,
    Switch,
    Count {
        low: u32,
        high: u32,
    },
    Number {
        low: f64,
        high: f64,
    },
    /// A loudness, or the name of a target.
    Target,
    /// A gain: a number, or `"-inf"`.
    Level,
    /// The ceiling of a limiter.
    Ceiling,
    Pan,
    Length,
    /// A point on the timeline.
    Position,
    Fade,
    Choice(&'static [&'static str]),
    FrameRate,
    Timecode,
    Dither,
    /// One text, or a list of texts.
    Texts,
    /// Points of an automation curve.
    Points,
    /// Points for parameters of inserts, by insert and parameter.
    InsertPoints,
    /// Times with the name of a marker each.
    Markers,
    /// Names of buses with a level each.
    Sends,
    /// Inserts by names of the user's choice.
    Inserts,
    Table(&'static TableSpec),
    /// Tables by a name of the user's choice.
    Tables(&'static TableSpec),
}

impl TableSpec {
    /// Returns the keys in the order in which they are written.
    pub(super) fn keys(&self) -> impl Iterator<Item = &'static KeySpec> + use<> {
        self.groups.iter().copied().flatten()
    }

    pub(super) fn key(&self, name: &str) -> Option<&'static KeySpec> {
        self.keys().find(|key| key.name == name || key.covers(name))
    }

    /// Returns the key that another program calls by this name.
    pub(super) fn synonym(&self, name: &str) -> Option<&'static KeySpec> {
        let name = name.to_lowercase();
        self.keys()
            .find(|key| key.synonyms.contains(&name.as_str()))
    }
}

impl Kind {
    /// Returns the expected kind of value, for the message about a value of another type.
    pub(super) fn expected(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Switch => "true or false",
            Self::Count { low, high } => {
                return Cow::Owned(format!("a whole number from {low} to {high}"));
            }
            Self::Number { .. } => "a number",
            Self::Target => "a number or the name of a target",
            Self::Level | Self::Ceiling => "a level in dB, like -3 or -inf",
            Self::Pan => "like \"L30\" or -0.3",
            Self::Length | Self::Position | Self::Fade => {
                "a time like \"12.5s\" or \"12000 frames\""
            }
            Self::Texts => "text or a list of texts",
            Self::Points => "a list",
            Self::Markers
            | Self::Sends
            | Self::Inserts
            | Self::InsertPoints
            | Self::Table(_)
            | Self::Tables(_) => "a table",
            Self::Text
            | Self::Language
            | Self::Choice(_)
            | Self::FrameRate
            | Self::Timecode
            | Self::Dither => "text",
        })
    }
}

const fn key(name: &'static str, kind: Kind, doc: &'static str) -> KeySpec {
    KeySpec {
        name,
        kind,
        unit: "",
        default: None,
        required: false,
        doc,
        synonyms: &[],
    }
}

impl KeySpec {
    /// Reports whether a dotted name is inside this key, as `"insert.comp.threshold"` is inside `insert`.
    fn covers(&self, name: &str) -> bool {
        matches!(self.kind, Kind::InsertPoints)
            && (name.strip_prefix(self.name)).is_some_and(|rest| rest.starts_with('.'))
    }

    const fn unit(mut self, unit: &'static str) -> Self {
        self.unit = unit;
        self
    }

    const fn default(mut self, default: &'static str) -> Self {
        self.default = Some(default);
        self
    }

    const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    const fn synonyms(mut self, synonyms: &'static [&'static str]) -> Self {
        self.synonyms = synonyms;
        self
    }
}

const FILE_SYNONYMS: &[&str] = &["path", "src", "source", "filename"];
const GAIN_SYNONYMS: &[&str] = &["volume", "level", "fader", "db"];
const LAYOUTS: &[&str] = Layout::NAMES;
const PAN_LAWS: &[&str] = PanLaw::NAMES;

/// Frame rates by name.
pub(super) const FRAME_RATES: &[&str] = &[
    "23.976", "23.98", "24", "25", "29.97", "29.97df", "30", "30df", "47.952", "48", "50", "59.94",
    "59.94df", "60", "60df", "100", "119.88", "119.88df", "120",
];

/// The session itself: the keys above all tables.
pub(super) static SESSION: TableSpec = TableSpec {
    name: "session",
    heading: "The session",
    doc: "Keys at the top of the file, before any table.",
    groups: &[&[
        key("title", Kind::Text, "Title of the piece.").synonyms(&["name"]),
        key(
            "rate",
            Kind::Count {
                low: 1,
                high: 768_000,
            },
            "Sample rate of the output; without it, the highest among the stems.",
        )
        .unit("Hz")
        .synonyms(&["sample_rate", "samplerate", "hz"]),
        key(
            "layout",
            Kind::Choice(LAYOUTS),
            "Channel layout of the output; stereo without it.",
        )
        .synonyms(&["channels", "speakers"]),
        key("fps", Kind::FrameRate, "Frame rate of the picture.")
            .synonyms(&["frame_rate", "framerate"]),
        key(
            "start",
            Kind::Timecode,
            "Timecode of the first frame of the output; midnight without it.",
        )
        .synonyms(&["timecode", "start_timecode"]),
        key(
            "length",
            Kind::Length,
            "Length of the output; without it, the output ends with the last clip.",
        )
        .synonyms(&["duration"]),
        key(
            "pan_law",
            Kind::Choice(PAN_LAWS),
            "Pan law that places mono stems between left and right.",
        )
        .default("equal-power")
        .synonyms(&["panning"]),
        key(
            "lang",
            Kind::Language,
            "Language that {lang} stands for in the names of stems.",
        )
        .synonyms(&["language"]),
        key(
            "marker",
            Kind::Markers,
            "Markers on the timeline: time = name.",
        ),
        key(
            "album",
            Kind::Table(&ALBUM),
            "The collection that the cues appear on, for the metadata of files.",
        ),
        key("master", Kind::Table(&MASTER), "The sum of everything."),
        key("bus", Kind::Tables(&BUS), "Buses by name.").synonyms(&["group"]),
        key(
            "track",
            Kind::Tables(&TRACK),
            "Tracks on the timeline, by name.",
        )
        .synonyms(&["stem"]),
        key(
            "cue",
            Kind::Tables(&CUE),
            "Pieces of music with tracks of their own, by name.",
        ),
        key(
            "deliver",
            Kind::Tables(&DELIVER),
            "Files that the session promises, by name.",
        )
        .synonyms(&["deliverable", "deliverables", "output", "outputs"]),
    ]],
};

pub(super) static ALBUM: TableSpec = TableSpec {
    name: "album",
    heading: "[album]",
    doc: "The collection that the cues appear on.",
    groups: &[&[
        key("title", Kind::Text, "Title of the album.").synonyms(&["name"]),
        key(
            "artist",
            Kind::Text,
            "Artist of the album, and of cues that name none.",
        )
        .synonyms(&["performer"]),
        key("label", Kind::Text, "Record label.").synonyms(&["record_label"]),
        key(
            "date",
            Kind::Text,
            "Date of release: \"2026\", \"2026-11\" or \"2026-11-27\".",
        )
        .synonyms(&["year"]),
        key(
            "upc",
            Kind::Text,
            "Barcode: 12 to 14 digits, the last of which is checked.",
        )
        .synonyms(&["ean", "barcode"]),
    ]],
};

pub(super) static MASTER: TableSpec = TableSpec {
    name: "master",
    heading: "[master]",
    doc: "The sum of everything.",
    groups: &[&[
        INSERTS,
        key("gain", Kind::Level, "Fader, −inf to +200.")
            .unit("dB")
            .default("0")
            .synonyms(GAIN_SYNONYMS),
        key(
            "limit",
            Kind::Ceiling,
            "Ceiling of the true-peak limiter, −60 to 0; without it, nothing is limited.",
        )
        .unit("dBTP")
        .synonyms(&["limiter", "ceiling"]),
        key(
            "dither",
            Kind::Dither,
            "Dither of files with fewer bits than the mix; none by default.",
        ),
        key(
            "automation",
            Kind::Table(&MASTER_AUTOMATION),
            "Gain and parameters of inserts over time.",
        ),
    ]],
};

static MASTER_AUTOMATION: TableSpec = TableSpec {
    name: "master_automation",
    heading: "[master.automation]",
    doc: "Automation of the master.",
    groups: &[&[GAIN_CURVE, INSERT_CURVES]],
};

static AUTOMATION: TableSpec = TableSpec {
    name: "automation",
    heading: "[track.NAME.automation], [bus.NAME.automation]",
    doc: "Automation of a track or a bus.",
    groups: &[&[
        GAIN_CURVE,
        key(
            "pan",
            Kind::Points,
            "Points of the pan curve, like \"20s R40\": time, position and shape. Replaces pan.",
        ),
        INSERT_CURVES,
    ]],
};

const GAIN_CURVE: KeySpec = key(
    "gain",
    Kind::Points,
    "Points of the gain curve, like \"4s -6 sine\": time, level in dB and the shape of the way there (linear, sine, exp \
     or step). Adds to gain.",
);

const INSERT_CURVES: KeySpec = key(
    "insert",
    Kind::InsertPoints,
    "Points of parameters of inserts, by insert and parameter, like insert.comp.threshold = [\"0s -20\", \"10s -30\"]. \
     Replaces the parameter.",
);

const INSERTS: KeySpec = key(
    "insert",
    Kind::Inserts,
    "Processors before the fader, in order, by name: see Inserts.",
)
.synonyms(&["inserts", "effect", "effects", "fx", "plugin", "plugins"]);

/// Controls that tracks and buses share.
const STRIP: &[KeySpec] = &[
    INSERTS,
    key("gain", Kind::Level, "Fader, −inf to +200.")
        .unit("dB")
        .default("0")
        .synonyms(GAIN_SYNONYMS),
    key(
        "pan",
        Kind::Pan,
        "Pan: the pan law for mono signals, balance for all others.",
    )
    .default("C")
    .synonyms(&["balance"]),
    key("mute", Kind::Switch, "Mutes it, as if it were not there.").default("false"),
    key(
        "solo",
        Kind::Switch,
        "While anything is soloed, only what passes through a soloed track or bus is heard: of a soloed bus everything that \
         feeds it, and the buses on the way to the master stay audible. A mute always wins.",
    )
    .default("false"),
    key(
        "send",
        Kind::Sends,
        "Extra feeds into buses, after gain and pan: bus = level in dB.",
    )
    .synonyms(&["aux"]),
    key(
        "automation",
        Kind::Table(&AUTOMATION),
        "Gain, pan and parameters of inserts over time.",
    ),
];

pub(super) static BUS: TableSpec = TableSpec {
    name: "bus",
    heading: "[bus.NAME]",
    doc: "A sum of tracks and other buses.",
    groups: &[
        &[key(
            "to",
            Kind::Text,
            "Bus that it feeds; the master without it.",
        )
        .synonyms(&["out", "output", "parent"])],
        STRIP,
    ],
};

/// A stretch of a stem, as a track with one clip and as a clip state it.
const STEM: &[KeySpec] = &[
    key(
        "file",
        Kind::Text,
        "File of the stem, relative to the folder of the session or of the cue. A name that ends in #2 is the second \
         audio stream, one that ends in #ch3 the third channel.",
    )
    .synonyms(FILE_SYNONYMS),
    key("at", Kind::Position, "Position on the timeline at which it starts.").default("0").synonyms(&["start", "position"]),
    key("from", Kind::Length, "Length of the stem's start that is left out.")
        .default("0")
        .synonyms(&["offset", "skip", "trim"]),
    key("length", Kind::Length, "Length of the stem that is played; by default, to its end.").synonyms(&["duration"]),
    key("loop", Kind::Count { low: 1, high: u32::MAX }, "Number of times the stretch is played.")
        .default("1")
        .synonyms(&["repeat", "count", "times"]),
    key("fade_in", Kind::Fade, "Fade at the start.").default("0"),
    key("fade_out", Kind::Fade, "Fade at the end.").default("0"),
    key(
        "channel",
        Kind::Count {
            low: 1,
            high: u32::MAX,
        },
        "The only channel of the stem that is played, as mono; without it, all.",
    )
    .synonyms(&["ch"]),
    key("layout", Kind::Choice(LAYOUTS), "Layout of the stem, where its file does not state it or states it wrong.")
        .synonyms(&["channels", "speakers"]),
];

pub(super) static TRACK: TableSpec = TableSpec {
    name: "track",
    heading: "[track.NAME], [cue.NAME.track.NAME]",
    doc: "A stem, or several clips, through one fader.",
    groups: &[
        STEM,
        &[key(
            "bus",
            Kind::Text,
            "Bus that it feeds; without it, the cue's bus or the master.",
        )
        .synonyms(&["to", "out", "output", "group"])],
        STRIP,
        &[
            key(
                "clip",
                Kind::Tables(&CLIP),
                "Several clips by name, in place of one file.",
            ),
            key("invert", Kind::Switch, "Inverts the polarity.")
                .default("false")
                .synonyms(&["polarity", "phase", "flip"]),
        ],
    ],
};

pub(super) static CLIP: TableSpec = TableSpec {
    name: "clip",
    heading: "[track.NAME.clip.NAME]",
    doc: "One of several clips of a track.",
    groups: &[
        STEM,
        &[
            key("gain", Kind::Level, "Level of the clip.").unit("dB").default("0").synonyms(GAIN_SYNONYMS),
            key(
                "crossfade",
                Kind::Fade,
                "Fades the clip in over the clip of the track before it, which ends where the fade does.",
            )
            .default("0")
            .synonyms(&["xfade"]),
        ],
    ],
};

/// A placement of a cue: in the table of the cue for the first one, in tables of their own for others.
macro_rules! placement {
    ($at:expr) => {
        &[
            $at,
            key("from", Kind::Length, "Length of the cue's start that is left out.")
                .default("0")
                .synonyms(&["offset", "skip", "trim"]),
            key("length", Kind::Length, "Length of the cue that is played; by default, to its end.")
                .synonyms(&["duration"]),
            key("fade_in", Kind::Fade, "Fade at the start.").default("0"),
            key("fade_out", Kind::Fade, "Fade at the end.").default("0"),
            key(
                "crossfade",
                Kind::Fade,
                "Fades it in over the placement of the cue before it, which ends where the fade does.",
            )
            .default("0")
            .synonyms(&["xfade"]),
            key("gain", Kind::Level, "Level of this placement.").unit("dB").default("0"),
            key("usage", Kind::Text, "Usage code of the cue sheet, such as BI or VV."),
        ]
    };
}

const CUE_AT: KeySpec = key(
    "at",
    Kind::Position,
    "Position against picture at which the cue starts; \"origin\" takes it from the time references of its stems.",
)
.synonyms(&["start", "position"]);

pub(super) static CUE: TableSpec = TableSpec {
    name: "cue",
    heading: "[cue.NAME]",
    doc: "A piece of music with tracks of its own, whose times count from its start. With `at`, the keys of a placement \
          state its first one.",
    groups: &[
        &[
            key(
                "title",
                Kind::Text,
                "Title for people; the name without it.",
            )
            .synonyms(&["label"]),
            key(
                "kind",
                Kind::Choice(&["score", "song"]),
                "Composed for the picture, or a song.",
            )
            .default("score")
            .synonyms(&["type"]),
            key("artist", Kind::Text, "Artist; that of the album without it.")
                .synonyms(&["performer"]),
            key(
                "composer",
                Kind::Texts,
                "Composers, for metadata and the cue sheet: \"A. Writer (PRS) 50%\".",
            )
            .synonyms(&["author", "writer"]),
            key(
                "publisher",
                Kind::Texts,
                "Publishers, in the same form.",
            ),
            key(
                "isrc",
                Kind::Text,
                "International Standard Recording Code: \"GBABC2600001\".",
            ),
            key(
                "mute",
                Kind::Switch,
                "Mutes it, as if all its tracks were muted.",
            )
            .default("false"),
        ],
        placement!(CUE_AT),
        &[
            key(
                "marker",
                Kind::Markers,
                "Markers of the cue: time from its start = name.",
            ),
            key(
                "folder",
                Kind::Text,
                "Folder of its stems, relative to the session's.",
            )
            .synonyms(&["dir", "directory"]),
            key(
                "files",
                Kind::Texts,
                "Patterns of files, each of which becomes a track: \"*.wav\". An extension fits in either case; folders within are not looked into.",
            )
            .synonyms(&["glob", "pattern", "stems"]),
            key("bus", Kind::Text, "Bus of its tracks that name none.")
                .synonyms(&["to", "out", "output", "group"]),
            key("track", Kind::Tables(&TRACK), "Its tracks by name.").synonyms(&["stem"]),
            key("use", Kind::Tables(&USE), "Further placements by name.")
                .synonyms(&["placement", "placements"]),
        ],
    ],
};

pub(super) static USE: TableSpec = TableSpec {
    name: "use",
    heading: "[cue.NAME.use.NAME]",
    doc: "A further placement of a cue against picture.",
    groups: &[placement!(CUE_AT.required())],
};

pub(super) static DELIVER: TableSpec = TableSpec {
    name: "deliver",
    heading: "[deliver.NAME]",
    doc: "A file, or a set of files, that the session promises.",
    groups: &[&[
        key(
            "file",
            Kind::Text,
            "File to write, with {title}, {cue}, {bus}, {lang}, {nn}, {artist} and {isrc} to fill in.",
        )
        .required()
        .synonyms(FILE_SYNONYMS),
        key(
            "format",
            Kind::Choice(&["wav16", "wav24", "wav32", "wav32f", "flac16", "flac24"]),
            "Format of the file; the extension of its name must agree. For a name in .flac it is flac24 by default.",
        )
        .default("wav24")
        .synonyms(&["codec", "depth", "bit_depth", "bits"]),
        key(
            "lang",
            Kind::Language,
            "Its language; the session's without it.",
        )
        .synonyms(&["language"]),
        key(
            "mute",
            Kind::Texts,
            "Parts that are left out: track.NAME, bus.NAME, cue.NAME or cue.NAME.TRACK.",
        )
        .synonyms(&["exclude", "without"]),
        key(
            "solo",
            Kind::Texts,
            "Parts that alone are heard, in place of those that the session solos: track.NAME, bus.NAME, cue.NAME or \
             cue.NAME.TRACK; in an album only buses.",
        )
        .synonyms(&["only"]),
        key(
            "stems",
            Kind::Texts,
            "Buses that are written to a file each, instead of one mix.",
        ),
        key(
            "album",
            Kind::Switch,
            "Writes one file for every cue, whole, instead of one mix.",
        )
        .default("false"),
        key(
            "listing",
            Kind::Switch,
            "Writes listings beside the files of an album: {album title}.cue and album.json.",
        )
        .default("false"),
        key(
            "cue_sheet",
            Kind::Switch,
            "Writes a music cue sheet instead of audio: CSV or JSON, by the extension of the file.",
        )
        .default("false"),
        key(
            "report",
            Kind::Switch,
            "Writes a report of the whole delivery instead of audio: a page or JSON, by the extension of the file.",
        )
        .default("false"),
        key(
            "loudness",
            Kind::Table(&LOUDNESS),
            "Loudness that it must have.",
        )
        .synonyms(&["lufs"]),
        key(
            "dither",
            Kind::Dither,
            "Dither of the file; by default that of the master, and none for stems.",
        ),
        key(
            "gain",
            Kind::Level,
            "Level of its files: raises the master's fader, before the limiter; stems are scaled by it.",
        )
        .unit("dB")
        .default("0")
        .synonyms(GAIN_SYNONYMS),
        key(
            "gain_of",
            Kind::Text,
            "Deliverable whose level it takes, so that stems and versions add up to that one: the gain that fit found \
             for it, or else its gain.",
        )
        .synonyms(&["gain_from", "level_of"]),
        key(
            "cue",
            Kind::Text,
            "Cue that is written whole, from its own start, instead of the mix.",
        ),
        key(
            "range",
            Kind::Text,
            "Part of the timeline that is written, or of the cue: \"10s..40s\", \"..30s\", \
             \"01:00:12:08..01:00:42:08\". Past the end it is silent.",
        )
        .synonyms(&["part", "excerpt"]),
        key(
            "loop",
            Kind::Count { low: 1, high: MAX_LOOPS },
            "Number of times that the cue or the range is written in a row.",
        )
        .default("1")
        .synonyms(&["repeat", "count", "times"]),
        key("fade_in", Kind::Fade, "Fade at the start of the file.").default("0"),
        key("fade_out", Kind::Fade, "Fade at the end of the file.").default("0"),
        key(
            "rate",
            Kind::Count {
                low: 1,
                high: 768_000,
            },
            "Sample rate that it is rendered at; the session's without it.",
        )
        .unit("Hz")
        .synonyms(&["sample_rate", "samplerate", "hz"]),
        key(
            "layout",
            Kind::Choice(LAYOUTS),
            "Layout that it is rendered in; the session's without it.",
        )
        .synonyms(&["channels", "speakers"]),
        key(
            "limit",
            Kind::Ceiling,
            "Ceiling of the true-peak limiter, −60 to 0; that of the master without it.",
        )
        .unit("dBTP")
        .synonyms(&["limiter", "ceiling"]),
    ]],
};

static LOUDNESS: TableSpec = TableSpec {
    name: "loudness",
    heading: "[deliver.NAME.loudness]",
    doc: "Loudness that a deliverable must have.",
    groups: &[&[
        key(
            "target",
            Kind::Target,
            "Integrated loudness, or the name of a target with its figures; not checked without it.",
        )
        .unit("LUFS")
        .synonyms(&["lufs", "integrated"]),
        key(
            "tolerance",
            Kind::Number { low: 0.0, high: 20.0 },
            "Largest deviation from the target; without it, that of the named target or 0.2.",
        )
        .unit("LU")
        .synonyms(&["margin"]),
        key("true_peak", Kind::Number { low: -60.0, high: 20.0 }, "Highest true peak; not checked without it.")
            .unit("dBTP")
            .synonyms(&["peak", "dbtp", "max_true_peak"]),
        key("fit", Kind::Switch, "Applies one gain so that target and true peak hold.")
            .default("false")
            .synonyms(&["normalize", "normalise"]),
    ]],
};

/// Returns every kind of table once, each after the first table that refers to it.
pub(super) fn tables() -> Vec<&'static TableSpec> {
    fn collect(table: &'static TableSpec, found: &mut Vec<&'static TableSpec>) {
        if found.iter().any(|other| other.name == table.name) {
            return;
        }
        found.push(table);
        for key in table.keys() {
            if let Kind::Table(inner) | Kind::Tables(inner) = key.kind {
                collect(inner, found);
            }
        }
    }
    let mut found = Vec::new();
    collect(&SESSION, &mut found);
    found
}

/// Reports whether a key holds tables by names of the user's choice.
pub(super) fn holds_named_tables(name: &str) -> bool {
    tables()
        .iter()
        .filter_map(|table| table.key(name))
        .any(|key| matches!(key.kind, Kind::Tables(_)))
}
