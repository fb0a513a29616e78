//! `--target`, `--check`, `--fit`, `--limit` and `--dither`.

use soundtrack_test_support::desk::Desk;

#[test]
fn a_check_writes_nothing_and_says_what_is_wrong() {
    let desk = Desk::with_tones();
    let before = desk.names();
    let failed = desk.run(&["a.wav", "--check", "--target", "ebu-r128"]);
    failed
        .expect(1, "error: ebu-r128: the loudness is +")
        .expect(1, "checked, 1.0 s in ");
    assert!(
        failed.out.contains("ebu-r128: loudness FAILED") && failed.out.contains("true peak passed"),
        "{}",
        failed.out
    );
    desk.run(&["a.wav@+20", "--check"])
        .expect(1, "samples would be clipped");
    desk.run(&["a.wav", "--check"]).expect(0, "");
    assert_eq!(desk.names(), before);
    desk.run(&["a.wav", "--target", "ebu"])
        .expect(2, "no such target; there are ebu-r128");
    desk.run(&["a.wav", "--fit"]).expect(2, "--target");
}

#[test]
fn a_fit_meets_the_target_in_the_file() {
    let desk = Desk::with_tones();
    let report = desk.json(&["a.wav", "--fit", "--target", "ebu-r128"]);
    let verdict = &report["verdict"];
    assert_eq!(
        (&verdict["loudness_passed"], &verdict["fit"]["short_by_lu"]),
        (&true.into(), &0.0.into())
    );
    assert!(
        (report["mix"]["integrated_lufs"].as_f64().unwrap() + 23.0).abs() < 1e-6,
        "{report}"
    );
    // What was written is what was measured.
    let again = desk.json(&["mix.wav", "-o", "again.wav", "--target", "ebu-r128"]);
    assert!(
        (again["mix"]["integrated_lufs"].as_f64().unwrap() + 23.0).abs() < 1e-3,
        "{again}"
    );
}

#[test]
fn limit_and_dither_are_for_the_asking() {
    let desk = Desk::with_tones();
    let loud = desk.json(&["a.wav@+20", "--limit=-1", "--format", "wav16", "--dither"]);
    assert_eq!(
        (&loud["mix"]["clipped_samples"], &loud["dither"]),
        (&0.into(), &"white".into())
    );
    let peak = loud["mix"]["true_peak_dbtp"].as_f64().unwrap();
    assert!((-1.1..=-0.95).contains(&peak), "{peak}");
    let plain = desk.json(&["a.wav", "--format", "wav16", "--dither=weighted", "--force"]);
    assert!(
        plain["dither"].is_null() && plain["mix"]["limiter"].is_null(),
        "16 bits at unity need none: {plain}"
    );
    assert!(
        desk.run(&["a.wav", "--check", "--target", "spotify"])
            .out
            .contains("spotify: the service turns programmes up or down to this loudness"),
    );
    desk.run(&["a.wav", "--limit=3", "--force"])
        .expect(2, "a limit is -60 to 0 dBTP, like -1");
}
