//! What a fresh machine lacks: the system's packages, and the real clients that the tests use, at
//! pinned versions, from their registries by their ordinary tools. Quick where nothing is missing.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

use crate::shell::{find, is_root, shell, target};

/// The official Python SDKs.
const PYTHON_CLIENTS: [&str; 4] = [
    "openai==3.54.0",
    "anthropic==2.12.0",
    "ollama==0.6.3",
    "aioquic==1.7.2",
];
/// The official SDKs for Node: the newest that Debian's Node runs.
const NODE_CLIENTS: [&str; 2] = ["openai@6.30.1", "@anthropic-ai/sdk@1.14.0"];
/// Claude Code's version.
const CLAUDE: &str = "2.1.330";

/// Installs everything.
pub(crate) fn run() -> Result<()> {
    system()?;
    clients()
}

/// Something that a package of the system brings.
struct Need {
    present: fn() -> bool,
    packages: &'static [&'static str],
}

const NEEDS: [Need; 13] = [
    Need {
        present: || find("cc").is_some(),
        packages: &["build-essential"],
    },
    Need {
        present: || find("pkg-config").is_some(),
        packages: &["pkg-config"],
    },
    Need {
        present: has_hyperscan,
        packages: &[HYPERSCAN],
    },
    Need {
        present: || find("ip").is_some(),
        packages: &["iproute2"],
    },
    Need {
        present: || find("curl").is_some(),
        packages: &["curl"],
    },
    Need {
        present: || find("openssl").is_some(),
        packages: &["openssl", "ca-certificates"],
    },
    Need {
        present: || find("gnutls-cli").is_some(),
        packages: &["gnutls-bin"], // what Debian's git and wget verify with
    },
    Need {
        present: || find("setpriv").is_some(),
        packages: &["util-linux"],
    },
    Need {
        present: || find("tinyproxy").is_some(),
        packages: &["tinyproxy-bin"], // a real HTTP proxy, for those behind one
    },
    Need {
        present: || find("podman").is_some(),
        packages: &["podman"], // a real engine, for the tests of containers
    },
    Need {
        present: || find("runc").is_some(),
        packages: &["runc"], // crun refuses a machine that has cgroups of both versions
    },
    Need {
        present: has_python,
        packages: &["python3", "python3-venv"],
    },
    Need {
        present: || find("npm").is_some(),
        packages: &["npm"],
    },
];

/// The library behind the crate `hyperscan`; elsewhere than on x86 its fork, with the same interface.
const HYPERSCAN: &str = if cfg!(target_arch = "x86_64") {
    "libhyperscan-dev"
} else {
    "libvectorscan-dev"
};

fn has_hyperscan() -> bool {
    shell("pkg-config").args(["--exists", "libhs"]).quietly()
}

fn has_python() -> bool {
    shell("python3")
        .args(["-c", "import ensurepip, venv"])
        .quietly()
}

/// What runs other kernels.
const MACHINE_NEEDS: [Need; 3] = [
    Need {
        present: || find("qemu-system-x86_64").is_some(),
        packages: &["qemu-system-x86"],
    },
    Need {
        present: || find("busybox").is_some(),
        packages: &["busybox-static"],
    },
    Need {
        present: || find("cpio").is_some(),
        packages: &["cpio"],
    },
];

/// Installs what is missing of the system's packages.
pub(crate) fn system() -> Result<()> {
    install(&NEEDS)
}

/// Installs what the kernel matrix needs besides.
pub(crate) fn machines() -> Result<()> {
    install(&MACHINE_NEEDS)
}

fn install(needs: &[Need]) -> Result<()> {
    let missing: Vec<&str> = needs
        .iter()
        .filter(|need| !(need.present)())
        .flat_map(|need| need.packages)
        .copied()
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    apt(&["update", "--quiet"])?;
    apt(&[
        &["install", "--yes", "--quiet", "--no-install-recommends"],
        missing.as_slice(),
    ]
    .concat())?;
    let still = needs.iter().find(|need| !(need.present)());
    still.map_or(Ok(()), |need| {
        bail!("{:?} did not bring what was missing", need.packages)
    })
}

fn apt(words: &[&str]) -> Result<()> {
    if find("apt-get").is_none() {
        bail!("no apt-get here: install {words:?} in your system's own way, then run this again");
    }
    let command = if is_root() {
        shell("apt-get")
    } else if find("sudo").is_some() {
        shell("sudo").args(["--preserve-env=DEBIAN_FRONTEND", "apt-get"])
    } else {
        bail!(
            "not root and no sudo: run as root: apt-get {}",
            words.join(" ")
        );
    };
    command
        .args(words)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .run()
}

/// Installs the clients into the target folder.
fn clients() -> Result<()> {
    let folder = target().join("clients");
    fs::create_dir_all(folder.join("bin")).context("the clients' folder")?;
    once(&folder.join("python"), &PYTHON_CLIENTS.join(" "), python)?;
    once(&folder.join("node"), &NODE_CLIENTS.join(" "), |into| {
        npm(into, &NODE_CLIENTS)
    })?;
    let package = claude_package()?;
    let claude = format!("{package}@{CLAUDE}");
    once(&folder.join("claude"), &claude, |into| {
        npm(into, &[&claude])
    })?;
    let link = folder.join("bin/claude");
    let binary = folder
        .join("claude/node_modules")
        .join(package)
        .join("claude");
    if link.canonicalize().ok() != binary.canonicalize().ok() {
        remove(&link)?;
        symlink(&binary, &link).context("the link to Claude Code")?;
    }
    Ok(())
}

/// Makes `folder` unless it was made from the same `versions` before. The note is written last, so
/// that an interrupted installation starts afresh.
fn once(folder: &Path, versions: &str, make: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let note = folder.join("installed");
    if fs::read_to_string(&note).is_ok_and(|installed| installed == versions) {
        return Ok(());
    }
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("remove {}", folder.display()))?;
    }
    make(folder)?;
    fs::write(&note, versions).with_context(|| format!("write {}", note.display()))
}

fn python(folder: &Path) -> Result<()> {
    shell("python3").args(["-m", "venv"]).arg(folder).run()?;
    let pip = folder.join("bin/pip");
    let quiet = [
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-input",
    ];
    shell(pip).args(quiet).args(PYTHON_CLIENTS).run()
}

/// Claude Code's own package wants a newer Node than Debian has, but only to start a native binary
/// that lies in a package per platform: that one is enough.
fn claude_package() -> Result<&'static str> {
    match std::env::consts::ARCH {
        "x86_64" => Ok("@anthropic-ai/claude-code-linux-x64"),
        "aarch64" => Ok("@anthropic-ai/claude-code-linux-arm64"),
        other => bail!("Claude Code has no package for {other}"),
    }
}

/// Installs packages from npm's registry into a folder of their own.
fn npm(folder: &Path, packages: &[&str]) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("create {}", folder.display()))?;
    let quiet = [
        "install",
        "--silent",
        "--no-audit",
        "--no-fund",
        "--no-update-notifier",
    ];
    let prefix: PathBuf = folder.into();
    shell("npm")
        .args(quiet)
        .arg("--prefix")
        .arg(prefix)
        .args(packages)
        .run()
}

fn remove(path: &Path) -> Result<()> {
    if path.symlink_metadata().is_ok() {
        fs::remove_file(path).with_context(|| format!("remove {}", path.display()))?;
    }
    Ok(())
}
