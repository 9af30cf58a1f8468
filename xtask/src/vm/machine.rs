//! A machine: started, listened to on its serial line, and judged by its last words.

use std::fs;

use anyhow::{Context as _, Result};

use super::{image::Image, kernel::Kernel};
use crate::shell::shell;

/// How long a machine may take, in seconds: more than ten times what it takes without KVM.
const PATIENCE: &str = "1500";
/// What the first process says first.
const BEGAN: &str = "vm: ";
/// What the first process says last, before the tests' exit code.
const ENDED: &str = "vm: ended with ";
/// How many processors and how much memory (MiB) it has.
const SIZE: (&str, &str) = ("2", "1024");

/// Runs the tests in a machine: whether they all went well, and what was said. All of it is in a file,
/// too.
pub(super) fn run(kernel: &Kernel, image: &Image) -> Result<(bool, Vec<String>)> {
    println!("Linux {}:", kernel.release);
    let (_, lines) = shell("timeout")
        .args([PATIENCE, "qemu-system-x86_64"])
        .args(["-accel", "tcg", "-nodefaults", "-nographic"])
        // QEMU 7.2 leaves wrong flags behind a 16-byte compare-and-exchange, and newer kernels use it
        // in their allocator where there is one.
        .args(["-cpu", "qemu64,-cx16"])
        .args(["-no-reboot", "-serial", "stdio"])
        .args(["-smp", SIZE.0, "-m", SIZE.1])
        .arg("-kernel")
        .arg(&kernel.image)
        .arg("-initrd")
        .arg(image.path())
        .args(["-append", "console=ttyS0 quiet panic=-1"])
        .collect()?;
    let log = kernel.folder.join("serial.log");
    fs::write(&log, lines.join("\n")).with_context(|| log.display().to_string())?;
    let lines: Vec<String> = lines
        .iter()
        .map(|line| line.trim_end().to_owned())
        .collect();
    // Before its first process speaks, a machine says what firmware it has.
    let told = lines.iter().skip_while(|line| !line.contains(BEGAN));
    for line in told.skip(1).filter(|line| is_news(line)) {
        println!("{}: {line}", kernel.release);
    }
    let ended = lines.iter().find_map(|line| line.strip_prefix(ENDED));
    let ended =
        ended.with_context(|| format!("the machine did not come to the end: {}", log.display()))?;
    Ok((ended == "0", lines))
}

/// Lines that tell of neither a test that passed nor the kernel's own affairs.
fn is_news(line: &str) -> bool {
    let usual = line.is_empty() || line.ends_with(" ... ok") || line.starts_with("running ");
    !usual && !line.starts_with('[') && !line.starts_with("vm: ")
}
