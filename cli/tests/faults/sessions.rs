//! Injects faults into sessions: absurd levels, empty fades, names of all kinds, endless chains, hostile files.

mod files;
mod levels;
mod routes;

use super::table::Row;

pub const ROWS: &[Row] = &[
    Row {
        section: "sessions",
        fault: "gains of -inf, 0, -0.0, +120 dB",
        run: levels::gains,
    },
    Row {
        section: "sessions",
        fault: "fades of 0 and 1 frame, steps",
        run: levels::fades,
    },
    Row {
        section: "sessions",
        fault: "10,000 buses in a chain",
        run: routes::chain,
    },
    Row {
        section: "sessions",
        fault: "any graph of 12 buses, mutes and solos",
        run: routes::graphs,
    },
    Row {
        section: "sessions",
        fault: "wrong value for every key",
        run: files::values,
    },
    Row {
        section: "sessions",
        fault: "nesting, BOM, UTF-16, NUL, huge text",
        run: files::texts,
    },
    Row {
        section: "sessions",
        fault: "unusual names of stems",
        run: files::names,
    },
];
