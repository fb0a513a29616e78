//! Names of shapes, as written in session files.

use super::{FadeShape, Shape};
use std::fmt;

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Linear => "linear",
            Self::Sine => "sine",
            Self::Exp => "exp",
            Self::Step => "step",
        })
    }
}

impl fmt::Display for FadeShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Linear => "linear",
            Self::EqualPower => "equal-power",
            Self::Between => "between",
            Self::RaisedCosine => "raised-cosine",
            Self::SquareRoot => "square-root",
            Self::DecibelLinear(60.0) => "decibel-linear",
            Self::DecibelLinear(range) => return write!(f, "decibel-linear({range})"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_back() {
        for shape in [Shape::Linear, Shape::Sine, Shape::Exp, Shape::Step] {
            assert_eq!(shape.to_string().parse(), Ok(shape));
        }
        use FadeShape::*;
        for shape in [
            Linear,
            EqualPower,
            Between,
            RaisedCosine,
            SquareRoot,
            DecibelLinear(60.0),
            DecibelLinear(37.5),
        ] {
            assert_eq!(shape.to_string().parse(), Ok(shape));
        }
        assert!("decibel-linear(0)".parse::<FadeShape>().is_err());
        assert!("decibel-linear(inf)".parse::<FadeShape>().is_err());
    }
}
