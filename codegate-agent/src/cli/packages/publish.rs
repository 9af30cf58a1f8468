//! `codegate packages keygen` and `publish`: for the owner of a fleet.

use std::path::Path;

use jiff::SignedDuration;
use serde_json::json;

use crate::{
    cli::{
        args::{Cli, Publish},
        exit::{Exit, Problem},
        output::{Printer, bytes, local},
        say,
    },
    inspect::packages::index::fleet::{self, SigningKey},
};

pub(super) fn keygen(file: &Path, printer: &mut Printer) -> Result<Exit, Problem> {
    let public = SigningKey::create(file)?.public();
    if printer.json() {
        printer.object(&json!({"file": file, "public_key": public}))?;
    } else {
        printer.line(&format!("{public}"))?;
        say(&"put this key into `[packages] trusted_keys` of the fleet; keep the file to yourself");
    }
    Ok(Exit::Fine)
}

pub(super) fn publish(
    cli: &Cli,
    publish: &Publish,
    printer: &mut Printer,
) -> Result<Exit, Problem> {
    let dir = cli.configuration()?.packages_dir();
    let key = SigningKey::read(&publish.key)?;
    let valid = SignedDuration::from_hours(24 * i64::from(publish.days));
    let done = fleet::publish(&dir, &key, &publish.dir, publish.release, valid)?;
    if printer.json() {
        printer.object(&json!({
            "version": done.version,
            "expires": done.expires,
            "key": key.public(),
            "file": done.index.file,
            "bytes": done.index.bytes,
            "sha256": done.index.sha256,
        }))?;
    } else {
        say(&format!(
            "version {} ({}) is published in {}; it is valid until {}",
            done.version,
            bytes(done.index.bytes),
            publish.dir.display(),
            local(done.expires)
        ));
    }
    Ok(Exit::Fine)
}
