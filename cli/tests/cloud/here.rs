//! `memory://` and `file://`, which need no server.

use crate::stems::{drained, flac, link, mixed_here, read, session, wav};
use soundtrack::{Block, Bounce, ErrorKind, Frames, Load, Plan, media, storage};
use std::{fs, ops::ControlFlow, path::Path, thread};

const FRAMES: usize = 48_000 * 30;

#[test]
fn a_mix_of_objects_is_that_of_files() {
    let (a, b) = (wav(1, FRAMES), flac(2, FRAMES));
    let want = mixed_here(&[("a.wav", &a), ("b.flac", &b)]);
    // Larger than a part, so that it is sent in two.
    assert!(want.len() > 5 << 20);
    storage::write("memory://mix/stems/a.wav", a).unwrap();
    storage::write("memory://mix/stems/b.flac", b).unwrap();
    let mix = session("memory://mix/stems", &["a.wav", "b.flac"]);
    for threads in [1, 2] {
        let report = Bounce::new()
            .threads(threads)
            .overwrite(true)
            .run(&mix, "memory://mix/out.wav")
            .unwrap();
        assert_eq!(report.output.as_deref(), Some("memory://mix/out.wav"));
        assert!(read("memory://mix/out.wav") == want);
    }
    let part = || Bounce::new().range(Frames(0)..Frames(48_000));
    let refused = part().run(&mix, "memory://mix/out.wav").unwrap_err();
    let said = "memory://mix/out.wav: exists already";
    assert_eq!(
        (refused.kind(), refused.to_string().as_str()),
        (ErrorKind::Output, said)
    );
    // Smaller than a part.
    part()
        .overwrite(true)
        .run(&mix, "memory://mix/out.wav")
        .unwrap();
    let second = read("memory://mix/out.wav");
    assert!(second.len() == 68 + 48_000 * 6 && second[68..] == want[68..second.len()]);
    let own = Bounce::new()
        .overwrite(true)
        .run(&mix, "memory://mix/stems/a.wav")
        .unwrap_err();
    assert!(own.to_string().contains("is one of the inputs"), "{own}");
}

#[test]
fn nothing_appears_of_a_mix_that_was_stopped() {
    storage::write("memory://stopped/a.wav", wav(3, FRAMES)).unwrap();
    let mix = session("memory://stopped", &["a.wav"]);
    let stop = |p: soundtrack::Progress| {
        if p.done.0 > p.total.0 * 9 / 10 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    let e = Bounce::new()
        .progress(stop)
        .run(&mix, "memory://stopped/out.wav")
        .unwrap_err();
    assert_eq!(e.kind(), ErrorKind::Cancelled);
    let gone = storage::read("memory://stopped/out.wav", 1).unwrap_err();
    assert_eq!(
        gone.to_string(),
        "memory://stopped/out.wav: there is no such object"
    );
    // One that another program makes while the mix runs stays.
    let mut made = false;
    let meanwhile = |_| {
        if !std::mem::replace(&mut made, true) {
            assert!(storage::create("memory://stopped/out.wav", "theirs").unwrap());
        }
        ControlFlow::Continue(())
    };
    let e = Bounce::new()
        .progress(meanwhile)
        .run(&mix, "memory://stopped/out.wav")
        .unwrap_err();
    assert!(e.to_string().contains("exists already"), "{e}");
    assert_eq!(read("memory://stopped/out.wav"), b"theirs");
}

#[test]
fn an_object_that_changes_is_an_error() {
    let places = [
        ("memory://changed/a.wav", wav as fn(u32, usize) -> Vec<u8>),
        ("memory://changed/a.flac", flac),
    ];
    for (name, stem) in places {
        storage::write(name, stem(4, FRAMES)).unwrap();
        let (mut source, info) = media::open(Path::new(name), None).unwrap();
        assert_eq!(info.frames, Frames(FRAMES as u64));
        let mut block = Block::new(info.spec.layout, 1024);
        assert_eq!(source.read(&mut block).unwrap(), 1024);
        storage::write(name, stem(5, FRAMES)).unwrap();
        let e = drained(source.as_mut()).unwrap_err();
        assert_eq!(e.kind(), ErrorKind::Corrupt);
        assert!(
            e.to_string().starts_with(name) && e.to_string().ends_with("changed while it was read"),
            "{e}"
        );
        // The same between the look at it and the render, whole or cut off.
        let file = name.rsplit_once('/').unwrap().1;
        let plan = Plan::compile(&session("memory://changed", &[file])).unwrap();
        storage::write(name, stem(6, FRAMES)).unwrap();
        let e = Bounce::new()
            .write(plan, "memory://changed/out.wav")
            .unwrap_err();
        assert!(
            e.to_string().contains("changed since it was first opened"),
            "{e}"
        );
    }
    assert!(storage::read("memory://changed/out.wav", 1).is_err());
}

#[test]
fn one_of_many_concurrent_creates_succeeds() {
    for round in 0..20 {
        let marker = format!("memory://marks/{round}");
        let created: Vec<bool> = thread::scope(|threads| {
            let one = |n: usize| storage::create(&marker, n.to_string()).unwrap();
            let all: Vec<_> = (0..16).map(|n| threads.spawn(move || one(n))).collect();
            all.into_iter().map(|t| t.join().unwrap()).collect()
        });
        assert_eq!(created.iter().filter(|t| **t).count(), 1);
        let whose: usize = String::from_utf8(read(&marker)).unwrap().parse().unwrap();
        assert!(created[whose]);
        storage::delete(&marker).unwrap();
        storage::delete(&marker).unwrap();
        assert!(storage::create(&marker, "").unwrap());
    }
}

#[test]
fn sessions_use_links_where_they_are_allowed_to() {
    let text = "[track.a]\nfile = \"memory://film/a.wav\"\n[track.b]\nfile = \"stems/b.wav\"\n";
    storage::write("memory://film/a.wav", wav(7, 4800)).unwrap();
    storage::write("memory://film/reel/stems/b.wav", wav(8, 4800)).unwrap();
    storage::write("memory://film/reel/session.toml", text).unwrap();
    let refused = Load::default()
        .session("memory://film/reel/session.toml")
        .unwrap_err();
    let said = "track \"a\": memory://film/a.wav is outside the session's folder: move it there, or set `outside`";
    assert!(refused.to_string().contains(said), "{refused}");
    let load = Load {
        outside: true,
        ..Load::default()
    };
    let mix = load.session("memory://film/reel/session.toml").unwrap();
    assert_eq!(Plan::compile(&mix).unwrap().length(), Frames(4800));
    // What lies beside it needs no permission; what lies above it does.
    let beside = |file: &str| {
        storage::write(
            "memory://film/reel/one.toml",
            format!("[track.b]\nfile = \"{file}\"\n"),
        )
        .unwrap();
        Load::default().session("memory://film/reel/one.toml")
    };
    assert_eq!(
        Plan::compile(&beside("stems/b.wav").unwrap())
            .unwrap()
            .length(),
        Frames(4800)
    );
    assert!(
        beside("../a.wav")
            .unwrap_err()
            .to_string()
            .contains("outside the session's folder")
    );
    assert!(
        beside("https://example.org/a.wav")
            .unwrap_err()
            .to_string()
            .contains("is a link")
    );
    let secret = Load::default()
        .session("s3://key:hunter2@bucket/s.toml")
        .unwrap_err()
        .to_string();
    assert!(
        secret.contains("belong in the environment") && !secret.contains("hunter2"),
        "{secret}"
    );
}

#[test]
fn links_of_files_are_files() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("two words");
    fs::create_dir(&folder).unwrap();
    let stem = wav(9, 48_000);
    fs::write(folder.join("a.wav"), &stem).unwrap();
    let mix = session(&link(&folder), &["a.wav"]);
    Bounce::new()
        .run(&mix, link(&folder.join("out.wav")))
        .unwrap();
    assert!(fs::read(folder.join("out.wav")).unwrap() == mixed_here(&[("a.wav", &stem)]));
    let own = Bounce::new()
        .overwrite(true)
        .run(&mix, folder.join("a.wav"))
        .unwrap_err();
    assert!(own.to_string().contains("is one of the inputs"), "{own}");
    let gone = media::open(Path::new(&link(&folder.join("b.wav"))), None)
        .err()
        .unwrap();
    assert_eq!(gone.kind(), ErrorKind::NotFound);
    // A session that is named by a link is confined to its folder all the same.
    fs::write(dir.path().join("b.wav"), &stem).unwrap();
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("../b.wav", folder.join("b.wav")).unwrap();
        fs::write(folder.join("s.toml"), "[track.b]\nfile = \"b.wav\"\n").unwrap();
        let e = Load::default()
            .session(link(&folder.join("s.toml")))
            .unwrap_err();
        assert!(
            e.to_string().contains("outside the session's folder"),
            "{e}"
        );
    }
}

#[test]
fn stems_that_are_none_are_refused_by_name() {
    let refused = |name: &str| media::open(Path::new(name), None).err().unwrap();
    storage::write("memory://none/empty.wav", "").unwrap();
    storage::write("memory://none/text.wav", "hello world, this is text").unwrap();
    assert_eq!(
        refused("memory://none/empty.wav").to_string(),
        "memory://none/empty.wav: the object is empty"
    );
    assert_eq!(
        refused("memory://none/text.wav").kind(),
        ErrorKind::Unsupported
    );
    let gone = refused("memory://none/gone.wav");
    let said = "memory://none/gone.wav: there is no such object or bucket";
    assert_eq!(
        (gone.kind(), gone.to_string().as_str()),
        (ErrorKind::NotFound, said)
    );
    assert_eq!(read("memory://none/empty.wav"), b"");
    assert!(
        storage::read("memory://none/text.wav", 5)
            .unwrap_err()
            .to_string()
            .ends_with("is larger than 5 bytes")
    );
}

#[test]
fn patterns_find_objects_and_files_of_links() {
    let text = "rate = 48000\n[cue.one]\nfolder = \"stems\"\nfiles = \"*.wav\"\nat = \"0s\"\n";
    for name in ["b.wav", "a.wav", ".hidden.wav", "notes.txt", "old/c.wav"] {
        storage::write(&format!("memory://found/reel/stems/{name}"), wav(1, 4800)).unwrap();
    }
    storage::write("memory://found/reel/session.toml", text).unwrap();
    let mix = Load::default()
        .session("memory://found/reel/session.toml")
        .unwrap();
    let plan = Plan::compile(&mix).unwrap();
    let found = ["a.wav", "b.wav"].map(|name| Path::new("memory://found/reel/stems").join(name));
    assert_eq!(
        (plan.files(), plan.length()),
        (found.to_vec(), Frames(4800))
    );
    storage::write(
        "memory://found/reel/session.toml",
        text.replace("*.wav", "*.flac"),
    )
    .unwrap();
    let none = Load::default()
        .session("memory://found/reel/session.toml")
        .unwrap_err();
    assert!(
        none.to_string()
            .contains("no file of memory://found/reel/stems matches \"*.flac\""),
        "{none}"
    );
    assert_eq!(
        storage::list("memory://found/reel").unwrap(),
        ["session.toml"]
    );
    assert_eq!(storage::list("memory://found/none").unwrap(), [""; 0]);
    assert_eq!(storage::list("memory://found").unwrap(), [""; 0]);
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("a b")).unwrap();
    fs::write(dir.path().join("a b/x.wav"), "").unwrap();
    assert_eq!(
        storage::list(&link(&dir.path().join("a b"))).unwrap(),
        ["x.wav"]
    );
    assert!(storage::list(&link(dir.path())).unwrap().is_empty());
    assert_eq!(
        storage::list("file:///no/such/folder").unwrap_err().kind(),
        ErrorKind::NotFound
    );
    assert_eq!(
        storage::list("s3://").unwrap_err().kind(),
        ErrorKind::Unsupported
    );
}
