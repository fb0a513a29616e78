//! Arguments at the ends of their ranges, and inputs damaged at random: no panic, no hang.

mod extremes;
mod mutations;
