//! Two-pole filter that can be swept while it runs (topology-preserving state-variable form).
//!
//! With `g = tan(π·hz/rate)` and `k = 1/q`, after Simper, "Linear Trapezoidal State Variable Filter":
//! `a1 = 1/(1 + g(g + k))`, `a2 = g·a1`, `a3 = g·a2`.

use std::f64::consts::PI;

/// Outputs of a filter for one sample.
pub struct Bands {
    pub low: f64,
    pub band: f64,
    pub high: f64,
}

/// State-variable filter.
#[derive(Clone)]
pub struct Filter {
    rate: f64,
    k: f64,
    a: [f64; 3],
    state: [f64; 2],
}

impl Filter {
    /// Creates a filter with this corner in Hz and this resonance.
    pub fn new(hz: f64, q: f64, rate: f64) -> Self {
        let mut filter = Self {
            rate,
            k: 1.0 / q,
            a: [0.0; 3],
            state: [0.0; 2],
        };
        filter.tune(hz);
        filter
    }

    /// Sets the corner. It is limited to 0.45 of the rate, above which the form is inaccurate.
    pub fn tune(&mut self, hz: f64) {
        let g = (PI * hz.min(self.rate * 0.45) / self.rate).tan();
        let a1 = 1.0 / (1.0 + g * (g + self.k));
        self.a = [a1, g * a1, g * g * a1];
    }

    /// Filters one sample.
    pub fn next(&mut self, x: f64) -> Bands {
        let ([a1, a2, a3], [s1, s2]) = (self.a, self.state);
        let v3 = x - s2;
        let band = a1 * s1 + a2 * v3;
        let low = s2 + a2 * s1 + a3 * v3;
        self.state = [2.0 * band - s1, 2.0 * low - s2];
        Bands {
            low,
            band,
            high: x - self.k * band - low,
        }
    }
}
