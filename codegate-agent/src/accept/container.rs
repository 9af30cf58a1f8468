//! Which container a cgroup belongs to, and from which image it was made: read from the state that the
//! engines keep on disk, without talking to an engine or a registry.
//!
//! A rootless engine's state belongs to its user: what it says of images is that user's word.

use std::{
    collections::HashMap,
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use serde::{Deserialize, de::DeserializeOwned};

use crate::flow::Container;

/// Containers that are remembered.
const MOST: usize = 4_096;
/// How long an image that was not found is not looked for again.
const AGAIN: Duration = Duration::from_secs(10);
/// The longest file of an engine's that is read.
const LONGEST: u64 = 16 << 20;
/// The longest name of an image, in bytes.
const NAME: usize = 512;
/// The machine's own files, also where the agent is in a container itself (with the machine's pids).
const MACHINE: &str = "/proc/1/root";
/// How containers/storage (Podman, CRI-O) calls its drivers.
const DRIVERS: [&str; 5] = ["overlay", "vfs", "btrfs", "zfs", "aufs"];
/// Where containerd has the bundles of running containers, each namespace in a folder.
const TASKS: [&str; 2] = [
    "run/containerd/io.containerd.runtime.v2.task",
    "run/k3s/containerd/io.containerd.runtime.v2.task",
];
/// Where Kubernetes' runtimes write the image's name.
const ANNOTATIONS: [&str; 3] = [
    "io.kubernetes.cri.image-name",
    "io.kubernetes.cri-o.ImageName",
    "io.kubernetes.cri-o.Image",
];

/// Knows containers.
#[derive(Debug)]
pub struct Containers {
    /// The machine's root.
    root: PathBuf,
    /// Where engines keep their state besides.
    engines: Vec<PathBuf>,
    known: Mutex<HashMap<Box<str>, Known>>,
}

#[derive(Debug)]
struct Known {
    since: Instant,
    container: Arc<Container>,
}

impl Containers {
    /// Engines are looked for where they keep their state by default, and in these folders of this machine.
    pub fn new(engines: Vec<PathBuf>) -> Self {
        Self::below(MACHINE.into(), engines)
    }

    fn below(root: PathBuf, engines: Vec<PathBuf>) -> Self {
        Self {
            root,
            engines,
            known: Mutex::default(),
        }
    }

    /// The container that a cgroup (as `/proc/PID/cgroup` writes it) is, or is in.
    pub fn of(&self, cgroup: &str) -> Option<Arc<Container>> {
        let id = id(cgroup)?;
        if let Some(known) = self.known(id) {
            return Some(known);
        }
        let container = Arc::new(Container {
            id: id.to_owned(),
            image: self.image(id, cgroup),
        });
        let known = Known {
            since: Instant::now(),
            container: Arc::clone(&container),
        };
        let mut all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST {
            all.clear();
        }
        all.insert(id.into(), known);
        Some(container)
    }

    fn known(&self, id: &str) -> Option<Arc<Container>> {
        let all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let known = all.get(id)?;
        let holds = known.container.image.is_some() || known.since.elapsed() < AGAIN;
        holds.then(|| Arc::clone(&known.container))
    }

    /// The image's whole name.
    fn image(&self, id: &str, cgroup: &str) -> Option<String> {
        let own = ["var/lib/docker", "var/lib/containers/storage"];
        let own = own.iter().map(|engine| self.root.join(engine));
        let mut engines = own.chain(self.engines.iter().cloned());
        engines
            .find_map(|engine| docker(&engine, id).or_else(|| storage(&engine, id)))
            .or_else(|| self.containerd(id))
            .or_else(|| storage(&self.rootless(cgroup)?, id))
            .filter(|name| !name.is_empty() && name.len() <= NAME)
            .map(|name| whole(&name))
    }

    /// containerd's bundle says so where Kubernetes asked for the container.
    fn containerd(&self, id: &str) -> Option<String> {
        let mut namespaces = TASKS.iter().flat_map(|tasks| {
            let namespaces = self.root.join(tasks).read_dir();
            namespaces.into_iter().flatten().flatten()
        });
        namespaces.find_map(|namespace| {
            let bundle: Bundle = json(&namespace.path().join(id).join("config.json"))?;
            let mut names = ANNOTATIONS.iter();
            names.find_map(|name| bundle.annotations.get(*name).cloned())
        })
    }

    /// Where the user keeps containers in whose slice a cgroup is.
    fn rootless(&self, cgroup: &str) -> Option<PathBuf> {
        let slice = cgroup
            .split('/')
            .find_map(|part| part.strip_prefix("user-"));
        let uid: u32 = slice?.strip_suffix(".slice")?.parse().ok()?;
        let users = text(&self.root.join("etc/passwd"))?;
        let home = users.lines().find_map(|line| {
            let mut fields = line.split(':').skip(2);
            (fields.next()?.parse() == Ok(uid)).then(|| fields.nth(2))?
        })?;
        let home = self.root.join(home.trim_start_matches('/'));
        Some(home.join(".local/share/containers/storage"))
    }
}

/// The id of the container that a cgroup is, or is in: runtimes name a container's cgroup after its id of
/// 64 digits, alone or with their own name before it and `.scope` behind it.
fn id(cgroup: &str) -> Option<&str> {
    const DIGITS: usize = 64;
    cgroup.rsplit('/').find_map(|part| {
        let part = part.strip_suffix(".scope").unwrap_or(part);
        let id = part.get(part.len().checked_sub(DIGITS)?..)?;
        let before =
            part.len() == DIGITS || part.as_bytes().get(part.len() - DIGITS - 1) == Some(&b'-');
        (before && id.bytes().all(|octet| octet.is_ascii_hexdigit())).then_some(id)
    })
}

/// As it was given to `docker run`.
fn docker(engine: &Path, id: &str) -> Option<String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct File {
        config: Config,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Config {
        image: String,
    }
    let file: File = json(&engine.join("containers").join(id).join("config.v2.json"))?;
    Some(file.config.image)
}

/// containers/storage lists its containers; what Podman and CRI-O add is JSON in a string.
fn storage(engine: &Path, id: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Listed {
        id: String,
        #[serde(default)]
        metadata: String,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "kebab-case")]
    struct Metadata {
        image_name: String,
    }
    // A container with a short life is in a list of its own, since containers/storage 1.42.
    let lists = DRIVERS.iter().flat_map(|driver| {
        ["containers.json", "volatile-containers.json"]
            .map(|file| engine.join(format!("{driver}-containers")).join(file))
    });
    let listed = lists.filter_map(|list| json::<Vec<Listed>>(&list));
    let container = listed.flatten().find(|listed| listed.id == id)?;
    let metadata: Metadata = serde_json::from_str(&container.metadata).ok()?;
    Some(metadata.image_name)
}

#[derive(Deserialize)]
struct Bundle {
    #[serde(default)]
    annotations: HashMap<String, String>,
}

/// With the registry and the folder that a short name leaves out.
fn whole(name: &str) -> String {
    match name.split_once('/') {
        None if name.starts_with("sha256:") => name.to_owned(),
        None => format!("docker.io/library/{name}"),
        Some((first, _)) if first.contains(['.', ':']) || first == "localhost" => name.to_owned(),
        Some(_) => format!("docker.io/{name}"),
    }
}

fn json<T: DeserializeOwned>(path: &Path) -> Option<T> {
    serde_json::from_str(&text(path)?).ok()
}

/// A file that is not there, too long or no text says nothing.
fn text(path: &Path) -> Option<String> {
    let file = File::open(path).ok()?;
    let is_file = file.metadata().is_ok_and(|file| file.is_file());
    let mut text = String::new();
    let read = file.take(LONGEST).read_to_string(&mut text);
    (is_file && read.is_ok()).then_some(text)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use std::fs;

    use serde_json::json;

    use super::*;

    const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    fn image(path: &str, content: &serde_json::Value, cgroup: &str) -> Option<String> {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content.to_string()).unwrap();
        fs::create_dir(root.path().join("etc")).unwrap();
        let users = "root:x:0:0::/root:/bin/sh\nme:x:1000:100:Me:/home/me:/bin/sh\n";
        fs::write(root.path().join("etc/passwd"), users).unwrap();
        let containers = Containers::below(root.path().to_owned(), vec![root.path().join("data")]);
        containers.of(cgroup).unwrap().image.clone()
    }

    fn listed(image: &str) -> serde_json::Value {
        let metadata = json!({"image-name": image, "name": "x"}).to_string();
        json!([{"id": "other"}, {"id": ID, "metadata": metadata, "layer": "x"}])
    }

    #[test]
    fn containers_are_known_by_their_cgroup() {
        for cgroup in [
            format!("/docker/{ID}"),
            format!("/system.slice/docker-{ID}.scope"),
            format!("/kubepods.slice/kubepods-pod1.slice/cri-containerd-{ID}.scope"),
            format!("/user.slice/libpod-{ID}.scope/container"),
        ] {
            assert_eq!(id(&cgroup), Some(ID), "{cgroup}");
        }
        for cgroup in ["/", "/user.slice", "/docker/0123", &format!("/x{ID}"), "/ü"] {
            assert_eq!(id(cgroup), None, "{cgroup}");
        }
    }

    #[test]
    fn images_are_read_from_each_engine() {
        let docker = json!({"Config": {"Image": "node:22", "Env": []}, "State": {}});
        let cri = json!({"ociVersion": "1", "annotations": {
            "io.kubernetes.cri.image-name": "ghcr.io/a/b:1"}});
        let cgroup = format!("/x/{ID}");
        for root in ["var/lib/docker", "data"] {
            let path = format!("{root}/containers/{ID}/config.v2.json");
            let found = image(&path, &docker, &cgroup);
            assert_eq!(found.as_deref(), Some("docker.io/library/node:22"));
        }
        for root in ["var/lib/containers/storage", "data"] {
            let path = format!("{root}/overlay-containers/containers.json");
            let found = image(&path, &listed("quay.io/x/y:2"), &cgroup);
            assert_eq!(found.as_deref(), Some("quay.io/x/y:2"));
        }
        let path = format!("run/containerd/io.containerd.runtime.v2.task/k8s.io/{ID}/config.json");
        assert_eq!(
            image(&path, &cri, &cgroup).as_deref(),
            Some("ghcr.io/a/b:1")
        );
    }

    #[test]
    fn a_user_s_own_containers_are_found_in_their_home() {
        let path = "home/me/.local/share/containers/storage/overlay-containers/containers.json";
        let of_user = |uid: u32| format!("/user.slice/user-{uid}.slice/libpod-{ID}.scope");
        let found = image(path, &listed("me/tool"), &of_user(1000));
        assert_eq!(found.as_deref(), Some("docker.io/me/tool"));
        assert_eq!(image(path, &listed("me/tool"), &of_user(1001)), None);
    }

    #[test]
    fn what_is_no_state_says_nothing() {
        let cgroup = format!("/x/{ID}");
        let path = format!("var/lib/docker/containers/{ID}/config.v2.json");
        for content in [
            json!({}),
            json!([]),
            json!({"Config": {"Image": 7}}),
            json!({"Config": {"Image": ""}}),
        ] {
            assert_eq!(image(&path, &content, &cgroup), None, "{content}");
        }
        let long = json!({"Config": {"Image": "a".repeat(NAME + 1)}});
        assert_eq!(image(&path, &long, &cgroup), None);
    }

    #[test]
    fn names_are_made_whole() {
        for (name, expected) in [
            ("node", "docker.io/library/node"),
            ("me/tool:1", "docker.io/me/tool:1"),
            ("localhost/x", "localhost/x"),
            ("reg.corp:5000/x", "reg.corp:5000/x"),
            ("sha256:00", "sha256:00"),
        ] {
            assert_eq!(whole(name), expected);
        }
    }
}
