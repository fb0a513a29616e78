//! Injects faults into stems: cut, damaged, with wrong headers, with wild samples, changing, and files that are no stems.

mod bombs;
mod changing;
mod cuts;
mod damage;
mod lies;
mod odd;
mod small;
pub mod stems;
mod values;
mod wild;

use super::table::Row;
pub use bombs::{CHILD, child};

/// All rows, a slice for each file.
pub const ROWS: [&[Row]; 9] = [
    cuts::ROWS,
    damage::ROWS,
    wild::ROWS,
    bombs::ROWS,
    lies::ROWS,
    values::ROWS,
    small::ROWS,
    changing::ROWS,
    odd::ROWS,
];
