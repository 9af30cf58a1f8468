//! Scans of folders, windows and bodies, with the rules that are compiled in.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests panic")]

use std::{fs, path::Path, sync::LazyLock};

use tempfile::TempDir;

use super::{window::WINDOW, *};
use crate::inspect::pii::Policy;

const TOKEN: &str = "ghp_pR4kx9TqLm2ZsVb7NcY1WdHf8JgA3E0iu5Ko";

static INSPECTOR: LazyLock<Inspector> =
    LazyLock::new(|| Inspector::builtin(Policy::default()).unwrap());

struct Collect(Vec<Report>);

impl Observer for Collect {
    fn report(&mut self, report: Report) -> ControlFlow<()> {
        self.0.push(report);
        ControlFlow::Continue(())
    }

    fn tick(&mut self, _: &Tally) {}
}

fn options(paths: &[&Path]) -> Options {
    Options {
        paths: paths.iter().map(|path| path.to_path_buf()).collect(),
        ignore: true,
        provider: None,
        body_limit: 1 << 20,
        threads: None,
    }
}

fn reports(options: &Options) -> Vec<Report> {
    let mut all = Collect(Vec::new());
    run(&INSPECTOR, options, &mut all);
    all.0
}

/// A folder with files.
fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let dir = TempDir::new().unwrap();
    for (name, content) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    dir
}

fn names(dir: &TempDir, reports: &[Report]) -> Vec<String> {
    let inner = |report: &Report| {
        let path = Path::new(&report.path).strip_prefix(dir.path()).unwrap();
        path.to_str().unwrap().to_owned()
    };
    reports.iter().map(inner).collect()
}

fn leak() -> Vec<u8> {
    format!("x\né {TOKEN}\n").into_bytes()
}

#[test]
fn folders_are_walked_in_order_without_what_is_ignored_or_binary() {
    let leak = leak();
    let binary = [b"\0".as_slice(), &leak].concat();
    let dir = folder(&[
        (".gitignore", b"*.log\n/out\n"),
        ("b.txt", &leak),
        ("a/.env", &leak),
        ("a/z.log", &leak),
        ("out/x", &leak),
        ("clean", b"nothing here\n"),
        ("picture", &binary),
        (".git/config", &leak),
        (".git/objects/ab/cd", &leak),
    ]);
    let mut options = options(&[dir.path()]);
    let found = reports(&options);
    assert_eq!(names(&dir, &found), [".git/config", "a/.env", "b.txt"]);
    assert!(count(&options) >= 6);
    options.ignore = false;
    let all = [".git/config", "a/.env", "a/z.log", "b.txt", "out/x"];
    assert_eq!(names(&dir, &reports(&options)), all);
}

#[test]
fn a_finding_says_where_it_is_and_not_what() {
    let dir = folder(&[("b.txt", &leak())]);
    let reports = reports(&options(&[dir.path()]));
    let [report] = &reports[..] else {
        panic!("{reports:?}")
    };
    let [found] = &report.found[..] else {
        panic!("{report:?}")
    };
    assert_eq!(found.range, 5..5 + TOKEN.len() as u64);
    assert_eq!(found.start, Place { line: 2, column: 3 });
    let column = 3 + TOKEN.len() as u64;
    assert_eq!(found.end, Place { line: 2, column });
    assert_eq!(found.masked, "ghp_****u5Ko");
    assert!(!format!("{reports:?}").contains(&TOKEN[..8]));
}

#[test]
fn what_was_named_is_scanned_even_if_it_is_binary_or_ignored() {
    let binary = [b"\0\0".as_slice(), &leak()].concat();
    let dir = folder(&[(".gitignore", b"*"), ("picture", &binary)]);
    let named = dir.path().join("picture");
    assert_eq!(reports(&options(&[&named])).len(), 1);
}

#[test]
fn what_cannot_be_read_is_a_problem_and_the_rest_is_scanned() {
    let dir = folder(&[("b.txt", &leak())]);
    let missing = dir.path().join("missing");
    let found = reports(&options(&[&missing, dir.path()]));
    assert_eq!(names(&dir, &found), ["missing", "b.txt"]);
    assert!(found[0].problem.is_some() && found[1].problem.is_none());
}

/// Tokens across the ends of windows are found once each, with the right place.
#[test]
fn a_file_of_many_windows_is_one_text() {
    let line = "an ordinary line of some text, over and over\n";
    let mut text = line.repeat(3 * WINDOW / line.len());
    let mut places = Vec::new();
    for near in [WINDOW, 2 * WINDOW] {
        for step in -300..300_i64 {
            let at = (near as i64 + step * 977) as usize / line.len() * line.len();
            places.push(at);
        }
    }
    places.sort_unstable();
    places.dedup();
    let put = format!("{TOKEN:<width$}\n", width = line.len() - 1);
    for at in &places {
        text.replace_range(*at..at + line.len(), &put);
    }
    let dir = folder(&[("large", text.as_bytes())]);
    let reports = reports(&options(&[dir.path()]));
    let found = &reports[0].found;
    let starts: Vec<_> = found
        .iter()
        .map(|found| found.range.start as usize)
        .collect();
    assert_eq!(starts, places);
    for (found, at) in found.iter().zip(places) {
        let line = (at / line.len()) as u64 + 1;
        assert_eq!(found.start, Place { line, column: 1 });
    }
}

#[test]
fn a_body_is_read_as_the_guard_reads_it() {
    let inner = format!("{{\\\"key\\\": \\\"{TOKEN}\\\"}}");
    let body = format!(
        r#"{{"model":"m","prompt_cache_key":"{TOKEN}","messages":[{{"role":"user","content":"\u00e9 {inner}"}}]}}"#
    );
    let dir = folder(&[("body.json", body.as_bytes())]);
    let mut options = options(&[dir.path()]);
    options.provider = Some("openai".to_owned());
    let reports = reports(&options);
    let at = body.rfind(TOKEN).unwrap() as u64;
    assert_eq!(reports[0].problem, None);
    let last = reports[0].found.last().unwrap();
    assert_eq!(last.range, at..at + TOKEN.len() as u64);
    assert_eq!(
        last.start,
        Place {
            line: 1,
            column: at + 1
        }
    );
}

#[test]
fn a_body_that_the_guard_would_refuse_is_a_problem() {
    let long = format!(r#"{{"messages":[],"x":"{}"}}"#, "y".repeat(1 << 20));
    let dir = folder(&[
        ("1", b"{\"messages\":["),
        ("2", b"not json"),
        ("3", long.as_bytes()),
        ("4", b"{\"messages\":[]}"),
    ]);
    let mut options = options(&[dir.path()]);
    for provider in ["openai", "anthropic"] {
        options.provider = Some(provider.to_owned());
        assert_eq!(names(&dir, &reports(&options)), ["1", "2", "3"]);
    }
    options.provider = Some("opaque".to_owned());
    assert_eq!(names(&dir, &reports(&options)), ["3"]);
}

#[test]
fn many_files_come_in_order_from_many_threads() {
    let leak = leak();
    let names_: Vec<String> = (0..300).map(|number| format!("{number:03}")).collect();
    let files: Vec<_> = names_
        .iter()
        .map(|name| (name.as_str(), &leak[..]))
        .collect();
    let dir = folder(&files);
    let mut options = options(&[dir.path()]);
    options.threads = NonZero::new(8);
    assert_eq!(names(&dir, &reports(&options)), names_);
}

#[test]
fn who_has_seen_enough_ends_the_scan() {
    struct First(u32);
    impl Observer for First {
        fn report(&mut self, _: Report) -> ControlFlow<()> {
            self.0 += 1;
            ControlFlow::Break(())
        }
        fn tick(&mut self, _: &Tally) {}
    }
    let leak = leak();
    let names: Vec<String> = (0..2000).map(|number| number.to_string()).collect();
    let files: Vec<_> = names
        .iter()
        .map(|name| (name.as_str(), &leak[..]))
        .collect();
    let dir = folder(&files);
    let mut first = First(0);
    let tally = run(&INSPECTOR, &options(&[dir.path()]), &mut first);
    assert_eq!(first.0, 1);
    assert!(tally.files() < 2000);
}
