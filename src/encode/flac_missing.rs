//! Stands for the encoder of FLAC in builds without the feature `flac-output`: the formats have their names, and
//! creating a file is refused.

use super::{Encoding, containers::ContainerInfo};

pub(super) const INFO: ContainerInfo = ContainerInfo {
    name: "FLAC",
    extensions: &["flac"],
    is_compressed: true,
    formats: &[(Encoding::Int16, "flac16"), (Encoding::Int24, "flac24")],
    encoder: |_, _, _, _| {
        Err("this build lacks the feature flac-output, which writes FLAC: write WAV".to_owned())
    },
};
