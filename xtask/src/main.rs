//! Every developer action. Each does its own set-up on a fresh Debian or Ubuntu machine with Rust.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a tool that talks to a developer"
)]

mod accuracy;
mod debian;
mod ebpf;
mod law;
mod lint;
mod setup;
mod shell;
mod test;
mod vm;

use std::{path::PathBuf, process::ExitCode};

use clap::Parser;

/// Every developer action.
#[derive(Parser)]
enum Action {
    /// Install what the machine lacks, and the real clients that the tests use.
    Setup,
    /// Build the eBPF object, or compare the committed one with its source.
    Ebpf {
        /// Build it aside and fail if the committed object differs.
        #[arg(long)]
        check: bool,
    },
    /// Formatting, clippy, the law of dependencies, and the committed eBPF object.
    Lint,
    /// Unit and property tests, then the lab's: eBPF, real clients, the agent from end to end, and the
    /// eBPF programs in other kernels.
    Test {
        /// Only a part of it.
        part: Option<Part>,
        /// Of the kernels, only those of these Debian suites.
        #[arg(long, value_name = "SUITE", requires = "part")]
        suite: Vec<String>,
    },
    /// What the rules find, what they miss, and what they wrongly take.
    Accuracy {
        /// Make what is reached now the committed baseline.
        #[arg(long)]
        accept: bool,
        /// Write every case that did not go well to a file.
        #[arg(long, value_name = "FILE")]
        failures: Option<PathBuf>,
    },
    /// The whole way of the data, shown: a real client, a secret, and who saw what.
    Demo,
    /// Direct and guarded side by side, in a release build; or what packages or
    /// secrets cost.
    Bench {
        /// Only a part of it.
        part: Option<Measured>,
        /// Rounds of each, one after the other.
        #[arg(long, default_value_t = 7)]
        rounds: u32,
    },
}

/// A part of the tests.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Part {
    /// The eBPF programs in Debian's kernels, from 5.10 to the newest, under qemu.
    Vm,
}

/// What can be measured by itself.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Measured {
    /// Looking up packages among five million names, and reading an answer for them.
    Packages,
    /// Finding secrets, step by step, and `codegate scan` beside kingfisher.
    Secrets,
}

fn main() -> ExitCode {
    match act(Action::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn act(action: Action) -> anyhow::Result<()> {
    match action {
        Action::Setup => setup::run(),
        Action::Ebpf { check } => ebpf::run(check),
        Action::Lint => lint::run(),
        Action::Test { part: None, .. } => test::run(),
        Action::Test {
            part: Some(Part::Vm),
            suite,
        } => test::matrix(&suite),
        Action::Accuracy { accept, failures } => {
            setup::system()?;
            accuracy::run(accept, failures.as_deref())
        }
        Action::Demo => {
            setup::run()?;
            lab_program("lab-demo", "dev", &[])
        }
        Action::Bench {
            part: Some(Measured::Packages),
            ..
        } => {
            setup::system()?;
            shell::cargo(&[
                "bench",
                "--package",
                "codegate-agent",
                "--bench",
                "packages",
            ])
            .run()
        }
        Action::Bench {
            part: Some(Measured::Secrets),
            rounds,
        } => {
            setup::system()?;
            lab_program("scan-bench", "release", &["--rounds", &rounds.to_string()])
        }
        Action::Bench { part: None, rounds } => {
            setup::system()?;
            lab_program("lab-bench", "release", &["--rounds", &rounds.to_string()])
        }
    }
}

/// Builds the agent and a program of the lab in the same profile, and runs the program as root.
fn lab_program(name: &str, profile: &str, words: &[&str]) -> anyhow::Result<()> {
    let profile_is = ["--profile", profile];
    shell::cargo(&["build", "--package", "codegate-agent"])
        .args(profile_is)
        .run()?;
    let folder = if profile == "dev" { "debug" } else { profile };
    let agent = shell::target().join(folder).join("codegate");
    let run = [
        "run",
        "--quiet",
        "--package",
        "codegate-tests",
        "--bin",
        name,
    ];
    let program = shell::cargo(&run).args(profile_is).arg("--").args(words);
    program.env("CODEGATE_BIN", agent).with_root().run()
}
