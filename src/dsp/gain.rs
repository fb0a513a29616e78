//! Adds and scales slices of samples.
//!
//! A factor of exactly 1 passes bit for bit. Products and sums are rounded separately, never fused, so all machines give the
//! same bits.

/// Computes `to += from * gain`.
pub(crate) fn add_scaled(to: &mut [f64], from: &[f64], gain: f64) {
    if gain == 1.0 {
        to.iter_mut().zip(from).for_each(|(t, f)| *t += f);
    } else {
        to.iter_mut().zip(from).for_each(|(t, f)| *t += f * gain);
    }
}

/// Computes `to = from * gain`: the bits of [`add_scaled`] on a slice of −0.0.
pub(crate) fn put_scaled(to: &mut [f64], from: &[f64], gain: f64) {
    if gain == 1.0 {
        to.iter_mut().zip(from).for_each(|(t, f)| *t = *f);
    } else {
        to.iter_mut().zip(from).for_each(|(t, f)| *t = f * gain);
    }
}

/// Computes `to += from * (gains * factor)`, frame by frame.
pub(crate) fn add_shaped(to: &mut [f64], from: &[f64], gains: &[f64], factor: f64) {
    to.iter_mut()
        .zip(from)
        .zip(gains)
        .for_each(|((t, f), g)| *t += f * (g * factor));
}

/// Computes `samples *= gain`.
pub(crate) fn scale(samples: &mut [f64], gain: f64) {
    if gain != 1.0 {
        samples.iter_mut().for_each(|s| *s *= gain);
    }
}

/// Computes `samples *= gains`, frame by frame.
pub(crate) fn shape(samples: &mut [f64], gains: &[f64]) {
    samples.iter_mut().zip(gains).for_each(|(s, g)| *s *= g);
}
