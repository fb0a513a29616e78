//! What stems can do to a mix: cut, damaged, lying, wild, changing, and no stems at all.

#[path = "inputs/bombs.rs"]
mod bombs;
#[path = "inputs/changing.rs"]
mod changing;
#[path = "inputs/cuts.rs"]
mod cuts;
#[path = "inputs/damage.rs"]
mod damage;
#[path = "inputs/lies.rs"]
mod lies;
#[path = "inputs/odd.rs"]
mod odd;
#[path = "inputs/small.rs"]
mod small;
#[path = "inputs/stems.rs"]
pub mod stems;
#[path = "inputs/values.rs"]
mod values;
#[path = "inputs/wild.rs"]
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
