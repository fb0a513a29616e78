//! Checks that the lighthouse reel built in Rust and the one read from its file are equal and render the same bytes.

use super::{lighthouse, stems};
use soundtrack::{Delivery, Frames, Session};
use soundtrack_test_support::renders;
use std::{fs, path::Path};

/// Writes the reel into a folder as a file, and loads it.
fn reel(folder: &Path) -> Session {
    stems::write(&folder.join("stems")).unwrap();
    fs::write(
        folder.join("lighthouse.toml"),
        include_str!("lighthouse.toml"),
    )
    .unwrap();
    Session::load(folder.join("lighthouse.toml")).unwrap()
}

#[test]
fn a_reel_in_rust_is_its_twin_in_toml_to_the_byte() {
    let folder = tempfile::tempdir().unwrap();
    let mut read = reel(folder.path());
    let mut built = lighthouse::session(folder.path()).unwrap();
    assert_eq!(built.deliverables, read.deliverables);
    assert_eq!(built.cues(), read.cues());
    assert_eq!(built, read);
    // The same bytes, over a stretch with the storm, its automation, its brass and its end.
    read.length = Some(Frames(48_000 * 75));
    built.length = read.length;
    let bytes = |session: &Session| {
        let done = Delivery::new()
            .overwrite(true)
            .only(["full", "stems"])
            .run(session)
            .unwrap();
        let files = done
            .deliverables
            .iter()
            .flat_map(|d| &d.files)
            .map(|f| f.report.output.clone().unwrap());
        files.map(|f| fs::read(&f).unwrap()).collect::<Vec<_>>()
    };
    let (of_read, of_built) = (bytes(&read), bytes(&built));
    assert!(of_read.len() == 3 && of_read.iter().all(|f| f.len() > 48_000 * 75 * 6));
    assert!(of_read == of_built);
}

#[test]
fn any_range_of_a_film_has_the_bits_of_the_whole() {
    let folder = tempfile::tempdir().unwrap();
    let film = reel(folder.path());
    // Around the end of the titles and the reprise of the storm, whose automation and fades go by the cue's own time.
    let (from, to) = (48_000 * 326, 48_000 * 334);
    let whole = film.render(Frames(from)..Frames(to)).unwrap();
    assert!(whole.iter().flatten().any(|x| *x != 0.0));
    for cut in [
        from + 1,
        48_000 * 330 - 1,
        48_000 * 330,
        48_000 * 330 + 12_345,
        to - 1,
    ] {
        let mut joined = film.render(Frames(from)..Frames(cut)).unwrap();
        let rest = film.render(Frames(cut)..Frames(to)).unwrap();
        joined.iter_mut().zip(rest).for_each(|(a, b)| a.extend(b));
        renders::same_bits(&joined, &whole);
    }
}
