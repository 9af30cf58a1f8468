//! A real engine: containers of Podman's, guarded with no set-up inside but trust, and known by their id and
//! image.
#![allow(clippy::unwrap_used, reason = "tests panic")]

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use lab::{Cmd, Dialect, Finished, Lab, Turn, cgroup, clients, samples};

/// What Debian has in the root folder; `/usr` is the machine's own.
const LINKS: [&str; 4] = ["bin", "lib", "lib64", "sbin"];
const FOLDERS: [&str; 6] = ["usr", "etc", "proc", "sys", "dev", "tmp"];
/// Podman wants cgroup2 at the root of the mounts, and nothing else there, as most systems have it.
const UNIFIED: &str =
    "[ -f /sys/fs/cgroup/cgroup.procs ] || mount -t cgroup2 none /sys/fs/cgroup; exec \"$@\"";

struct Podman<'lab> {
    lab: &'lab Lab,
}

impl Podman<'_> {
    fn state(&self) -> PathBuf {
        self.lab.path("podman/storage")
    }

    fn cmd(&self) -> Cmd {
        let service = self.lab.service();
        let cmd = service
            .cmd("unshare")
            .args(["--mount", "sh", "-c", UNIFIED, "sh", "podman"]);
        cmd.arg("--root")
            .arg(self.state())
            .arg("--runroot")
            .arg(self.lab.path("podman/run"))
            .arg("--tmpdir")
            .arg(self.lab.path("podman/tmp"))
            .args(["--storage-driver", "vfs", "--cgroup-manager", "cgroupfs"])
            .args(["--events-backend", "file", "--runtime", "runc"])
    }

    /// An image that has but folders, as nothing can be fetched.
    fn import(&self, name: &str) {
        let root = self.lab.path("rootfs");
        for folder in FOLDERS {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        for link in LINKS {
            _ = symlink(format!("usr/{link}"), root.join(link));
        }
        let tar = self.lab.path("rootfs.tar");
        let pack = self.lab.service().cmd("tar").arg("-C").arg(&root);
        pack.arg("-cf").arg(&tar).arg(".").run().ok();
        self.cmd().arg("import").arg(tar).arg(name).run().ok();
    }

    /// Asks the model from a container of an image, in the namespace of a process.
    fn asks(&self, image: &str, pid: u32, text: &str) -> Finished {
        let parent = self.lab.guarded_cgroup();
        let parent = parent.strip_prefix(cgroup::mount()).unwrap().to_owned();
        let mount = |from: &str, to: &str| format!("{}:{to}:ro", self.lab.path(from).display());
        self.cmd()
            .args(["run", "--rm", "--interactive", "--pids-limit", "-1"])
            .args([
                "--ulimit",
                "nofile=1024:1024",
                "--ulimit",
                "nproc=1000:1000",
            ])
            .arg("--cgroup-parent")
            .arg(PathBuf::from("/").join(parent))
            .args(["--network", &format!("ns:/proc/{pid}/ns/net")])
            .args(["--volume", "/usr:/usr:ro"])
            .args(["--volume", &mount("certs", "/etc/ssl/certs")])
            .args(["--volume", &mount("etc/resolv.conf", "/etc/resolv.conf")])
            .args([
                image,
                "curl",
                "--silent",
                "--show-error",
                "--max-time",
                "20",
            ])
            .args(["--header", "content-type: application/json"])
            .args(["--data-binary", "@-", &Dialect::Chat.url()])
            .input(Dialect::Chat.request(text, false).to_string())
            .run()
    }
}

#[test]
fn a_container_is_guarded_and_named_by_id_and_image() {
    let lab = Lab::new();
    lab.ai(Dialect::Chat.host(), Turn::echo);
    let podman = Podman { lab: &lab };
    podman.import("docker.io/library/lab-tools:1");
    podman.import("docker.io/library/lab-forbidden:1");
    let resident = lab
        .container(1, "resident")
        .cmd("sleep")
        .args(["600"])
        .start();
    let agent = lab
        .agent()
        .capture(&format!("engines = [{:?}]", podman.state()))
        .settings("[[process]]\nimage = \"docker.io/library/lab-forb*\"\naction = \"block\"")
        .start();

    let token = samples::github(1);
    let done = podman
        .asks("docker.io/library/lab-tools:1", resident.pid(), &token)
        .ok();
    assert_eq!(Dialect::Chat.said(&done.text(), false), token);
    lab.journal().never_saw(token.as_bytes());
    let session = agent.sessions(1).remove(0);
    let container = &session["process"]["container"];
    assert_eq!(
        container["image"], "docker.io/library/lab-tools:1",
        "{session}"
    );
    assert_eq!(
        container["id"].as_str().map(str::len),
        Some(64),
        "{session}"
    );

    let refused = podman.asks("docker.io/library/lab-forbidden:1", resident.pid(), &token);
    assert_ne!(refused.code(), 0, "{}", refused.text());
    assert_eq!(agent.sessions(1).len(), 1);
}

#[test]
fn the_agent_guards_from_a_container() {
    let lab = Lab::new();
    lab.ai(Dialect::Chat.host(), Turn::echo);
    let podman = Podman { lab: &lab };
    podman.import("docker.io/library/lab-guard:1");
    let agent = lab.agent().named("contained");
    let same = |path: &Path| format!("{0}:{0}", path.display());
    let folder = agent.folder();
    // Inside, cgroup2 is at the root of the mounts, whatever it is outside.
    let guarded = lab.guarded_cgroup();
    let guarded = Path::new("/sys/fs/cgroup").join(guarded.strip_prefix(cgroup::mount()).unwrap());
    fs::create_dir_all(folder.join("conf.d")).unwrap();
    let capture = format!("[capture]\ncgroup = {guarded:?}\n");
    fs::write(folder.join("conf.d/cgroup.toml"), capture).unwrap();
    let agent = agent.launch_by(
        podman
            .cmd()
            .args(["run", "--rm", "--privileged", "--pids-limit", "-1"])
            .args([
                "--ulimit",
                "nofile=1024:1024",
                "--ulimit",
                "nproc=1000:1000",
            ])
            .args(["--pid", "host", "--cgroupns", "host"])
            .args(["--network", "host"])
            .args(["--volume", &same(Path::new("/sys/fs/cgroup"))])
            .args(["--volume", &same(Path::new("/sys/fs/bpf"))])
            .args(["--volume", "/usr:/usr:ro"])
            .args(["--volume", &same(&folder)])
            .args([
                "--volume",
                &format!("{}:/codegate:ro", lab::agent::binary().display()),
            ])
            .args(["--volume", &same(&lab.path("lab-ca.pem"))])
            .args([
                "--volume",
                &format!(
                    "{}:/etc/resolv.conf:ro",
                    lab.path("etc/resolv.conf").display()
                ),
            ])
            .args(["docker.io/library/lab-guard:1", "/codegate"]),
    );
    let token = samples::github(1);
    let body = Dialect::Chat.request(&token, false).to_string();
    let done = clients::post(&lab.guarded(), &Dialect::Chat.url(), &body)
        .run()
        .ok();
    assert_eq!(Dialect::Chat.said(&done.text(), false), token);
    lab.journal().never_saw(token.as_bytes());
    assert!(
        agent.sessions(1)[0]["process"]["exe"]
            .as_str()
            .unwrap()
            .ends_with("/curl")
    );
    agent.stop();
}
