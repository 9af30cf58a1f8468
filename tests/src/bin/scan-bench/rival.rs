//! `codegate scan` beside kingfisher, on the same folder, in turns: as people call it, which looks for cards
//! and the like, too, and for secrets alone, as kingfisher does.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

use lab::{Table, agent};
use nix::sys::resource::{UsageWho, getrusage};

use crate::median;

/// Another scanner, and how it is got: as a wheel, into a folder of its own below target/.
const PACKAGE: &str = "kingfisher-bin";

struct Program {
    name: &'static str,
    command: Box<dyn Fn(&str) -> Command>,
    /// Seconds: wall-clock and CPU.
    took: Vec<(f64, f64)>,
}

pub(crate) fn measure(folder: &Path, rounds: usize) {
    let rival = installed();
    let secrets_alone = without_personal_data();
    let files = bytes_in(folder);
    println!(
        "{}: {:.0} MB, binary files included\n",
        folder.display(),
        files as f64 / 1e6
    );
    for (title, cores, jobs) in [("one core", "0", "1"), ("all cores", "", "")] {
        let mut programs = [
            theirs(folder, rival.clone()),
            ours("codegate scan", folder, None),
            ours("codegate scan, secrets alone", folder, Some(&secrets_alone)),
        ];
        for round in 0..=rounds {
            for program in &mut programs {
                let took = run(cores, (program.command)(jobs));
                // The first round has the files read from the disk.
                if round > 0 {
                    program.took.push(took);
                }
            }
        }
        report(title, files, &programs);
    }
}

fn report(title: &str, files: u64, programs: &[Program]) {
    let mut table = Table::new([title, "wall s", "CPU s", "MB/s of CPU"]).of_figures();
    let of = |program: &Program, which: fn(&(f64, f64)) -> f64| {
        median(&program.took.iter().map(which).collect::<Vec<_>>())
    };
    for program in programs {
        let (wall, cpu) = (of(program, |took| took.0), of(program, |took| took.1));
        let rate = files as f64 / 1e6 / cpu;
        table.push([
            program.name.to_owned(),
            format!("{wall:.2}"),
            format!("{cpu:.2}"),
            format!("{rate:.0}"),
        ]);
    }
    println!("{table}");
    let [theirs, ours @ ..] = programs else {
        return;
    };
    for ours in ours {
        let ratio = |which| of(theirs, which) / of(ours, which);
        let (wall, cpu) = (ratio(|took| took.0), ratio(|took| took.1));
        println!(
            "{}: 1/{wall:.1} of the time, 1/{cpu:.1} of the CPU",
            ours.name
        );
    }
    println!();
}

/// A configuration in which no personal data are looked for.
fn without_personal_data() -> PathBuf {
    let path = agent::target().join("secrets-alone.toml");
    let off = ["card", "iban", "national_id", "email", "phone", "crypto"]
        .map(|kind| format!("{kind} = \"off\"\n"));
    std::fs::write(&path, format!("[pii]\n{}", off.concat())).unwrap();
    path
}

fn ours(name: &'static str, folder: &Path, config: Option<&Path>) -> Program {
    let (folder, config) = (folder.to_owned(), config.map(Path::to_owned));
    let command = move |jobs: &str| {
        let mut command = Command::new(agent::binary());
        if let Some(config) = &config {
            command.arg("--config").arg(config);
        }
        command.args(["--json", "scan", "--no-ignore"]).arg(&folder);
        if !jobs.is_empty() {
            command.args(["--threads", jobs]);
        }
        command
    };
    Program {
        name,
        command: Box::new(command),
        took: Vec::new(),
    }
}

/// Without what we do not do: asking issuers, looking for updates, reading git's history and archives.
fn theirs(folder: &Path, program: PathBuf) -> Program {
    let folder = folder.to_owned();
    let command = move |jobs: &str| {
        let mut command = Command::new(&program);
        command.args([
            "scan",
            "--no-validate",
            "--no-update-check",
            "--no-extract-archives",
        ]);
        command
            .args(["--git-history", "none", "--format", "json", "--quiet"])
            .arg(&folder);
        if !jobs.is_empty() {
            command.args(["--jobs", jobs]);
        }
        command
    };
    Program {
        name: "kingfisher",
        command: Box::new(command),
        took: Vec::new(),
    }
}

/// Wall-clock and CPU seconds of a program on some cores.
fn run(cores: &str, program: Command) -> (f64, f64) {
    let mut command = match cores {
        "" => Command::new(program.get_program()),
        cores => {
            let mut command = Command::new("taskset");
            command
                .args(["--cpu-list", cores])
                .arg(program.get_program());
            command
        }
    };
    command.args(program.get_args()).stdin(Stdio::null());
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let (begun, before) = (Instant::now(), children());
    let status = command.status().unwrap();
    // Findings are no failure: ours says 1, theirs 200 and more.
    let code = status.code();
    assert!(code.is_some_and(|code| code != 2), "{command:?}: {status}");
    (begun.elapsed().as_secs_f64(), children() - before)
}

/// CPU seconds of all programs that have ended.
fn children() -> f64 {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
    let seconds =
        |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    seconds(usage.user_time()) + seconds(usage.system_time())
}

fn installed() -> PathBuf {
    let folder = agent::target().join("kingfisher");
    let program = folder.join("bin/kingfisher");
    if !program.exists() {
        let must = |command: &mut Command| assert!(command.status().unwrap().success());
        must(Command::new("python3").args(["-m", "venv"]).arg(&folder));
        must(Command::new(folder.join("bin/pip")).args(["install", "--quiet", PACKAGE]));
    }
    program
}

fn bytes_in(folder: &Path) -> u64 {
    let entries = folder.read_dir().unwrap().map(|entry| entry.unwrap());
    let size = |entry: std::fs::DirEntry| match entry.file_type().unwrap() {
        kind if kind.is_dir() => bytes_in(&entry.path()),
        kind if kind.is_file() => entry.metadata().unwrap().len(),
        _ => 0,
    };
    entries.map(size).sum()
}
