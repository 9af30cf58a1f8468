use super::*;
use crate::inspect::packages::{
    Status,
    index::{Index, Sources, update},
};

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// A fleet's owner with an index that knows a package of this name.
struct Owner {
    dir: tempfile::TempDir,
    key: SigningKey,
}

impl Owner {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let key = SigningKey::create(&dir.path().join("key.pem")).unwrap();
        Self { dir, key }
    }

    fn build(&self, name: &str) -> &Self {
        let lists = self.dir.path().join("lists");
        fs::create_dir_all(&lists).unwrap();
        let line = serde_json::json!({"name": name, "status": "malicious"});
        fs::write(lists.join("npm.jsonl"), line.to_string()).unwrap();
        let sources = Sources {
            lists: Some(lists),
            ..Sources::default()
        };
        update(&self.dir.path().join("packages"), &sources, &mut |_| {}).unwrap();
        self
    }

    fn out(&self) -> std::path::PathBuf {
        self.dir.path().join("out")
    }

    fn publish(
        &self,
        version: Option<u64>,
        valid: SignedDuration,
    ) -> Result<Published, IndexError> {
        let packages = self.dir.path().join("packages");
        publish(&packages, &self.key, &self.out(), version, valid)
    }

    fn text(&self) -> Vec<u8> {
        fs::read(self.out().join(NAME)).unwrap()
    }

    fn take(&self, machine: &Path) -> Result<Manifest, IndexError> {
        let published = verify(&self.text(), &[self.key.public()])?;
        install(machine, &published, &self.out().join(&published.index.file))
    }
}

fn knows(machine: &Path, name: &str) -> bool {
    let index = Index::open(machine).unwrap().unwrap();
    let purl: crate::inspect::packages::Purl = format!("pkg:npm/{name}").parse().unwrap();
    let records = index.records(&purl.package).unwrap();
    records
        .iter()
        .any(|record| record.status == Status::Malicious)
}

#[test]
fn what_is_published_is_in_service_elsewhere() {
    let (owner, machine) = (Owner::new(), tempfile::tempdir().unwrap());
    owner.build("first").publish(None, HOUR).unwrap();
    let manifest = owner.take(machine.path()).unwrap();
    assert_eq!((manifest.generation, manifest.published), (1, Some(1)));
    assert!(knows(machine.path(), "first"));
    owner.build("second").publish(None, HOUR).unwrap();
    assert_eq!(owner.take(machine.path()).unwrap().published, Some(2));
    assert!(knows(machine.path(), "second") && !knows(machine.path(), "first"));
    assert_eq!(
        owner.take(machine.path()).unwrap().generation,
        2,
        "it is there already"
    );
}

#[test]
fn nothing_older_comes_back_even_after_an_update_of_ones_own() {
    let (owner, machine) = (Owner::new(), tempfile::tempdir().unwrap());
    owner.build("first").publish(Some(7), HOUR).unwrap();
    let old = owner.text();
    let old_file = verify(&old, &[owner.key.public()]).unwrap();
    let kept = machine.path().join("kept");
    fs::copy(owner.out().join(&old_file.index.file), &kept).unwrap();
    owner.build("second").publish(Some(8), HOUR).unwrap();
    owner.take(machine.path()).unwrap();
    let names = machine.path().join("names");
    fs::create_dir(&names).unwrap();
    fs::write(names.join("npm.txt"), "x\n").unwrap();
    let sources = Sources {
        names: Some(names),
        ..Sources::default()
    };
    update(machine.path(), &sources, &mut |_| {}).unwrap();
    let error = install(machine.path(), &old_file, &kept).unwrap_err();
    assert!(
        error.to_string().contains("version 7 is older than 8"),
        "{error}"
    );
    assert!(knows(machine.path(), "second"));
    assert!(
        owner.publish(Some(8), HOUR).is_err(),
        "a version is published once"
    );
}

#[test]
fn what_is_expired_forged_or_of_a_stranger_is_refused() {
    let owner = Owner::new();
    owner
        .build("first")
        .publish(None, SignedDuration::from_secs(-1))
        .unwrap();
    let refused = |text: &[u8], key: PublicKey| verify(text, &[key]).unwrap_err().to_string();
    let own = owner.key.public();
    assert!(refused(&owner.text(), own).contains("it expired"));
    owner.publish(Some(2), HOUR).unwrap();
    let text = owner.text();
    assert!(verify(&text, &[own]).is_ok());
    assert!(refused(&text, Owner::new().key.public()).contains("is no trusted key"));
    assert!(refused(b"{}", own).contains("it is no signed generation"));
    let whole = String::from_utf8(text).unwrap();
    let forged = whole.replace(r#"\"version\":2"#, r#"\"version\":3"#);
    assert_ne!(forged, whole);
    assert!(refused(forged.as_bytes(), own).contains("its signature is wrong"));
}

#[test]
fn another_file_leaves_the_old_index() {
    let (owner, machine) = (Owner::new(), tempfile::tempdir().unwrap());
    let first = owner.build("first").publish(None, HOUR).unwrap();
    owner.take(machine.path()).unwrap();
    let second = owner.build("second").publish(None, HOUR).unwrap();
    let file = owner.out().join(&second.index.file);
    for damage in [0, 1_000, second.index.bytes as usize - 1] {
        let mut bytes = fs::read(&file).unwrap();
        bytes[damage] ^= 1;
        let bad = machine.path().join("bad");
        fs::write(&bad, &bytes).unwrap();
        assert!(install(machine.path(), &second, &bad).is_err(), "{damage}");
        bytes.truncate(damage);
        fs::write(&bad, &bytes).unwrap();
        assert!(install(machine.path(), &second, &bad).is_err(), "{damage}");
    }
    assert!(knows(machine.path(), "first"));
    assert!(first.version < second.version);
}

#[test]
fn keys_are_read_as_they_were_written() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("key.pem");
    let made = SigningKey::create(&path).unwrap();
    assert_eq!(SigningKey::read(&path).unwrap().public(), made.public());
    assert!(
        SigningKey::create(&path).is_err(),
        "a key is never overwritten"
    );
    let text = made.public().to_string();
    assert_eq!(text.parse(), Ok(made.public()));
    assert_eq!("ed25519:AAAA".parse::<PublicKey>(), Err(BadKey));
}
