//! The one binary: the daemon and its command line.

fn main() -> std::process::ExitCode {
    codegate::cli::run(std::env::args_os())
}
