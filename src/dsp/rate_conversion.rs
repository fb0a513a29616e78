//! Converts a fixed ratio of sample rates by overlap-save FFT convolution with one filter.
//!
//! The timeline is cut into hops. The output of a hop depends only on a window of the input: the hop itself and a
//! margin of half a filter on either side. So hops can be converted in any order, and none carries state.
//!
//! ```text
//! input    |-margin-|------------ hop ------------|-margin-|     window: FFT, × filter,
//! output            |------------ hop ------------|              cut or padded to the other rate, inverse FFT
//! ```
//!
//! The filter is a sinc under a Kaiser window. It is symmetric about 0, so its spectrum is real and the
//! conversion delays nothing.

#![expect(
    clippy::cast_precision_loss,
    reason = "lengths of windows are small numbers"
)]

use crate::sync::locked;
use realfft::{ComplexToReal, FftError, RealFftPlanner, RealToComplex, num_complex::Complex};
use std::{
    f64::consts::PI,
    num::NonZero,
    sync::{Arc, Mutex},
    thread::available_parallelism,
};

/// Minimum length of the filter, in frames of the input and of the output.
const MIN_FILTER_IN: usize = 2048;
const MIN_FILTER_OUT: usize = 512;
/// Attenuation of the stop band for which the filter is designed. Beyond the transition more is reached.
const ATTENUATION_DB: f64 = 220.0;
/// A window has at least twice, and about four times, the length of the filter; the longer, the less is computed twice.
/// Windows that are longer than this on either side are not extended further.
const LONG_WINDOW: usize = 20_000;
/// Conversions that are kept for stems that are opened later.
const KEPT: usize = 8;

/// Lengths of a conversion between rates of which `unit_in` input frames last as long as `unit_out` output frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HopSizes {
    unit_in: usize,
    unit_out: usize,
    /// Units of the filter, and of a window. Both are even, so that margins and halves of windows are whole numbers.
    filter: usize,
    window: usize,
}

impl HopSizes {
    pub(crate) fn new(unit_in: usize, unit_out: usize) -> Self {
        let filter = MIN_FILTER_IN
            .div_ceil(unit_in)
            .max(MIN_FILTER_OUT.div_ceil(unit_out))
            .next_multiple_of(2);
        let mut window = (4 * filter).next_power_of_two();
        while window / 2 >= 2 * filter && window * unit_in.max(unit_out) > LONG_WINDOW {
            window /= 2;
        }
        Self {
            unit_in,
            unit_out,
            filter,
            window,
        }
    }

    /// Returns the same with the shortest windows: hops as long as the filter. They wait for less input, and take longer to
    /// compute.
    pub(crate) fn shortened(self) -> Self {
        Self {
            window: 2 * self.filter,
            ..self
        }
    }

    /// Returns the length of the filter in input and in output frames.
    pub(crate) fn filter(&self) -> (usize, usize) {
        (self.filter * self.unit_in, self.filter * self.unit_out)
    }

    /// Returns the input frames of a window.
    pub(crate) fn window_in(&self) -> usize {
        self.window * self.unit_in
    }

    /// Returns the input and output frames of a hop.
    pub(crate) fn hop(&self) -> (usize, usize) {
        let units = self.window - self.filter;
        (units * self.unit_in, units * self.unit_out)
    }

    /// Returns the input frames by which a window begins before its hop, and ends after it.
    pub(crate) fn margin_in(&self) -> usize {
        self.filter / 2 * self.unit_in
    }

    fn margin_out(&self) -> usize {
        self.filter / 2 * self.unit_out
    }

    fn window_out(&self) -> usize {
        self.window * self.unit_out
    }
}

/// A filter with its FFTs. All stems with one ratio of rates share it.
pub(crate) struct RateConversion {
    sizes: HopSizes,
    /// The spectrum of the filter, divided by the length of the window: its bins below both Nyquist frequencies.
    filter: Vec<f64>,
    forward: Arc<dyn RealToComplex<f64>>,
    inverse: Arc<dyn ComplexToReal<f64>>,
    scratch: Mutex<ScratchPool>,
}

/// Buffers for windows, enough that each thread that converts has its own.
#[derive(Default)]
struct ScratchPool {
    /// Buffers that no thread uses.
    spare: Vec<Scratch>,
    made: usize,
}

/// Buffers for one window.
#[derive(Default)]
struct Scratch {
    input: Vec<f64>,
    input_spectrum: Vec<Complex<f64>>,
    output_spectrum: Vec<Complex<f64>>,
    output: Vec<f64>,
    forward: Vec<Complex<f64>>,
    inverse: Vec<Complex<f64>>,
}

impl RateConversion {
    /// Returns the conversion of these sizes, for one more stem: the one that others use, or that was used lately.
    ///
    /// # Errors
    /// Passes on the errors of the FFT, for sizes that it cannot transform; none is known.
    pub(crate) fn shared(sizes: HopSizes) -> Result<Arc<Self>, FftError> {
        static LATEST: Mutex<Vec<Arc<RateConversion>>> = Mutex::new(Vec::new());
        let mut latest = locked(&LATEST);
        let found = latest.iter().position(|known| known.sizes == sizes);
        let conversion = match found {
            Some(index) => latest.remove(index),
            None => Arc::new(Self::new(sizes)?),
        };
        latest.truncate(KEPT - 1);
        latest.insert(0, Arc::clone(&conversion));
        let users = Arc::strong_count(&conversion) - 1;
        let cores = available_parallelism().map_or(1, NonZero::get);
        let mut scratch = locked(&conversion.scratch);
        while scratch.made < users.min(cores) {
            scratch.spare.push(conversion.new_scratch());
            scratch.made += 1;
        }
        drop(scratch);
        Ok(conversion)
    }

    fn new(sizes: HopSizes) -> Result<Self, FftError> {
        let mut planner = RealFftPlanner::new();
        let forward = planner.plan_fft_forward(sizes.window_in());
        let inverse = planner.plan_fft_inverse(sizes.window_out());
        let mut conversion = Self {
            sizes,
            filter: Vec::new(),
            forward,
            inverse,
            scratch: Mutex::default(),
        };
        let mut scratch = conversion.new_scratch();
        write_filter(sizes, &mut scratch.input);
        conversion.forward.process_with_scratch(
            &mut scratch.input,
            &mut scratch.input_spectrum,
            &mut scratch.forward,
        )?;
        let bins = sizes.window_in().min(sizes.window_out()) / 2;
        let scale = 1.0 / sizes.window_in() as f64;
        let spectrum = scratch.input_spectrum.iter().take(bins);
        conversion.filter = spectrum.map(|bin| bin.re * scale).collect();
        Ok(conversion)
    }

    fn new_scratch(&self) -> Scratch {
        Scratch {
            input: self.forward.make_input_vec(),
            input_spectrum: self.forward.make_output_vec(),
            output_spectrum: self.inverse.make_input_vec(),
            output: self.inverse.make_output_vec(),
            forward: self.forward.make_scratch_vec(),
            inverse: self.inverse.make_scratch_vec(),
        }
    }

    pub(crate) fn sizes(&self) -> HopSizes {
        self.sizes
    }

    /// Converts a window of one channel into its hop of output frames. A window of silence gives silence, all 0.0.
    ///
    /// Allocates only where more threads convert at the same time than the machine has cores.
    ///
    /// # Errors
    /// Passes on the errors of the FFT, for a window of another size.
    pub(crate) fn convert(&self, window: &[f64]) -> Result<Converted<'_>, FftError> {
        let spare = locked(&self.scratch).spare.pop();
        let mut converted = Converted {
            conversion: self,
            scratch: spare.unwrap_or_else(|| self.new_scratch()),
        };
        if window.iter().all(|sample| *sample == 0.0) {
            converted.scratch.output.fill(0.0);
        } else {
            self.transform(window, &mut converted.scratch)?;
        }
        Ok(converted)
    }

    fn transform(&self, window: &[f64], scratch: &mut Scratch) -> Result<(), FftError> {
        if window.len() != scratch.input.len() {
            return Err(FftError::InputBuffer(scratch.input.len(), window.len()));
        }
        scratch.input.copy_from_slice(window);
        self.forward.process_with_scratch(
            &mut scratch.input,
            &mut scratch.input_spectrum,
            &mut scratch.forward,
        )?;
        let bins = scratch.input_spectrum.iter().zip(&self.filter);
        for (to, (bin, gain)) in scratch.output_spectrum.iter_mut().zip(bins) {
            *to = *bin * *gain;
        }
        let above = scratch.output_spectrum.iter_mut().skip(self.filter.len());
        above.for_each(|bin| *bin = Complex::default());
        self.inverse.process_with_scratch(
            &mut scratch.output_spectrum,
            &mut scratch.output,
            &mut scratch.inverse,
        )
    }
}

/// A hop of one channel, in buffers that are returned when it is dropped.
pub(crate) struct Converted<'a> {
    conversion: &'a RateConversion,
    scratch: Scratch,
}

impl Converted<'_> {
    /// Returns the samples of the hop.
    pub(crate) fn hop(&self) -> &[f64] {
        let (start, frames) = (
            self.conversion.sizes.margin_out(),
            self.conversion.sizes.hop().1,
        );
        let hop = self.scratch.output.get(start..start + frames);
        hop.unwrap_or(&[])
    }
}

impl Drop for Converted<'_> {
    fn drop(&mut self) {
        let scratch = std::mem::take(&mut self.scratch);
        locked(&self.conversion.scratch).spare.push(scratch);
    }
}

/// Writes the filter into a window, with its centre at frame 0 and what lies before it at the end.
///
/// Its stop band begins at the lower Nyquist frequency; below it the response falls over as little as the length allows.
fn write_filter(sizes: HopSizes, window: &mut [f64]) {
    let taps = sizes.filter().0 as f64;
    let (unit_in, unit_out) = (sizes.unit_in as f64, sizes.unit_out as f64);
    // Kaiser's formula for the width of the transition, as a share of the input's Nyquist frequency.
    let transition = (ATTENUATION_DB - 8.0) / (2.285 * PI * taps);
    let cutoff = (unit_out / unit_in).min(1.0) - transition / 2.0;
    let beta = 0.1102 * (ATTENUATION_DB - 8.7);
    let peak = bessel_i0(beta);
    let tap = |offset: usize| {
        let phase = PI * offset as f64 * cutoff;
        let sinc = if offset == 0 {
            1.0
        } else {
            libm::sin(phase) / phase
        };
        let place = 2.0 * offset as f64 / taps;
        sinc * bessel_i0(beta * (1.0 - place * place).sqrt()) / peak
    };
    let half: Vec<f64> = (0..sizes.filter().0 / 2).map(tap).collect();
    // The tap at the centre is 1, and has no twin.
    let sum = 2.0 * half.iter().rev().sum::<f64>() - 1.0;
    window.fill(0.0);
    for (to, tap) in window.iter_mut().zip(&half) {
        *to = tap / sum;
    }
    for (to, tap) in window.iter_mut().rev().zip(half.iter().skip(1)) {
        *to = tap / sum;
    }
}

/// Returns the modified Bessel function of the first kind and order 0, by its power series.
fn bessel_i0(x: f64) -> f64 {
    let quarter = x * x / 4.0;
    let (mut sum, mut term, mut n) = (1.0, 1.0, 0.0);
    while term > sum * f64::EPSILON / 4.0 {
        n += 1.0;
        term *= quarter / (n * n);
        sum += term;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_of_the_usual_ratios() {
        let lengths = |unit_in, unit_out| {
            let sizes = HopSizes::new(unit_in, unit_out);
            (sizes.filter(), sizes.window_in(), sizes.hop())
        };
        assert_eq!(lengths(147, 160), ((2058, 2240), 9408, (7350, 8000)));
        assert_eq!(lengths(160, 147), ((2240, 2058), 10_240, (8000, 7350)));
        assert_eq!(lengths(1, 2), ((2048, 4096), 8192, (6144, 12_288)));
        assert_eq!(lengths(4, 1), ((2048, 512), 8192, (6144, 1536)));
        let short = HopSizes::new(147, 160).shortened();
        assert_eq!((short.window_in(), short.hop()), (4116, (2058, 2240)));
        // A window of 4 times the filter would be too long.
        assert_eq!(lengths(1, 6), ((2048, 12_288), 4096, (2048, 12_288)));
        // It is halved as long as the filter takes no more than half of it.
        assert_eq!(lengths(147, 640), ((2058, 8960), 4704, (2646, 11_520)));
        let (filter, window, hop) = lengths(47_999, 48_000);
        assert_eq!((filter, window), ((95_998, 96_000), 191_996));
        assert_eq!(hop, (95_998, 96_000));
    }

    #[test]
    fn the_sum_of_the_taps_is_1_and_they_are_symmetric() {
        let sizes = HopSizes::new(147, 160);
        let mut window = vec![1.0; sizes.window_in()];
        write_filter(sizes, &mut window);
        assert!((window.iter().sum::<f64>() - 1.0).abs() < 1e-14);
        let last = window.len();
        assert!((1..last).all(|n| window[n] == window[last - n]));
        assert!(window[1029..=last - 1029].iter().all(|tap| *tap == 0.0));
    }

    #[test]
    fn the_response_is_1_up_to_0_9_of_the_band_and_0_from_its_end_on() {
        let sizes = HopSizes::new(147, 160);
        let mut window = vec![0.0; sizes.window_in()];
        write_filter(sizes, &mut window);
        let response = |share: f64| {
            let twice = |n: usize| 2.0 * window[n] * (PI * share * n as f64).cos();
            window[0] + (1..1029).map(twice).sum::<f64>()
        };
        for share in [0.0, 0.5, 0.9] {
            let ripple = (response(share) - 1.0).abs();
            assert!(ripple < 1e-11, "{share}: {ripple:e}");
        }
        let transition = (ATTENUATION_DB - 8.0) / (2.285 * PI * 2058.0);
        assert!((response(1.0 - transition / 2.0) - 0.5).abs() < 1e-4);
        assert!(response(1.0).abs() < 1e-9, "{:e}", response(1.0));
    }

    #[test]
    fn bessel_functions_of_some_arguments() {
        // As computed by SciPy.
        for (x, value) in [
            (0.0, 1.0),
            (1.0, 1.266_065_877_752_008_4),
            (5.0, 27.239_871_823_604_442),
            (20.0, 43_558_282.559_553_53),
        ] {
            assert!((bessel_i0(x) / value - 1.0).abs() < 1e-14, "{x}");
        }
    }
}
