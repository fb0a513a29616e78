//! The shape of decoded audio, the same for every decoder.

/// Shape of the samples that one packet decoded to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DecodedPacket {
    pub(crate) frames: usize,
    pub(crate) rate: u32,
    pub(crate) channels: usize,
    /// WAVE channel mask; 0 if the channels have no positions.
    pub(crate) mask: u32,
    /// It refers to data before the first packet, which is missing, and is silent.
    pub(crate) is_cut: bool,
}
