//! Adding and scaling slices. A factor of exactly 1 passes bit for bit; products and sums are rounded one by one, never
//! fused, so every machine gives the same bits.

/// `to += from * gain`
pub(crate) fn add_scaled(to: &mut [f64], from: &[f64], gain: f64) {
    if gain == 1.0 {
        to.iter_mut().zip(from).for_each(|(t, f)| *t += f);
    } else {
        to.iter_mut().zip(from).for_each(|(t, f)| *t += f * gain);
    }
}

/// `to = from * gain`: what [`add_scaled`] gives to a slice that adds up to nothing yet
pub(crate) fn put_scaled(to: &mut [f64], from: &[f64], gain: f64) {
    if gain == 1.0 {
        to.iter_mut().zip(from).for_each(|(t, f)| *t = *f);
    } else {
        to.iter_mut().zip(from).for_each(|(t, f)| *t = f * gain);
    }
}

/// `to += from * (gains * factor)`, frame by frame
pub(crate) fn add_shaped(to: &mut [f64], from: &[f64], gains: &[f64], factor: f64) {
    to.iter_mut()
        .zip(from)
        .zip(gains)
        .for_each(|((t, f), g)| *t += f * (g * factor));
}

/// `samples *= gain`
pub(crate) fn scale(samples: &mut [f64], gain: f64) {
    if gain != 1.0 {
        samples.iter_mut().for_each(|s| *s *= gain);
    }
}

/// `samples *= gains`, frame by frame
pub(crate) fn shape(samples: &mut [f64], gains: &[f64]) {
    samples.iter_mut().zip(gains).for_each(|(s, g)| *s *= g);
}
