//! `codegate secrets`.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;
use zeroize::Zeroizing;

use super::{
    args::Secrets,
    client::Client,
    exit::{Exit, Problem},
    output::{Printer, local},
    say,
    table::{Table, number, word},
    text::visible,
};
use crate::control::{Clear, Request, Revealed, SecretLine};

mod literal;

pub(super) fn dispatch(
    client: Client,
    command: &Secrets,
    printer: &mut Printer,
) -> Result<Exit, Problem> {
    match command {
        Secrets::List { uid } => list(client, *uid, printer)?,
        Secrets::Reveal { placeholder, uid } => reveal(client, placeholder, *uid, printer)?,
        Secrets::Add { file, kind, uid } => {
            let values = literal::read(file.as_deref())?;
            add(client, &values, kind.as_deref(), *uid, printer)?;
        }
        Secrets::Forget { placeholder, uid } => forget(client, placeholder, *uid)?,
    }
    Ok(Exit::Fine)
}

fn list(mut client: Client, uid: Option<u32>, printer: &mut Printer) -> Result<(), Problem> {
    let request = Request::SecretsList { uid };
    if printer.json() {
        return client.each(&request, |secret: SecretLine| printer.object(&secret));
    }
    let secrets: Vec<SecretLine> = client.all(&request)?;
    if secrets.is_empty() {
        say(&"nothing was sealed yet");
        return Ok(());
    }
    table(&secrets, printer)
}

fn table(secrets: &[SecretLine], printer: &mut Printer) -> Result<(), Problem> {
    let mut table = Table::new(["PLACEHOLDER", "RULE", ">UID", ">USES", "FIRST", "LAST"]);
    for secret in secrets {
        table.push([
            word(&secret.placeholder),
            word(&secret.rule),
            number(secret.uid),
            number(secret.uses),
            word(local(secret.first_seen)),
            word(local(secret.last_seen)),
        ]);
    }
    printer.table(&table)
}

/// How much of values goes in one request, in bytes: the agent reads no longer lines.
const BATCH: usize = 8 << 10;

fn add(
    mut client: Client,
    values: &[Zeroizing<Vec<u8>>],
    kind: Option<&str>,
    uid: Option<u32>,
    printer: &mut Printer,
) -> Result<(), Problem> {
    let mut added = Vec::new();
    let mut rest = values;
    while !rest.is_empty() {
        let mut size = 0;
        let fits = |value: &&Zeroizing<Vec<u8>>| {
            size += value.len() + 8;
            size <= BATCH
        };
        let count = rest.iter().take_while(fits).count().max(1);
        let (now, later) = rest.split_at_checked(count).unwrap_or((rest, &[]));
        let request = Request::SecretsAdd {
            values: now.iter().map(|v| Clear(STANDARD.encode(v))).collect(),
            kind: kind.map(str::to_owned),
            uid,
        };
        added.extend(client.all::<SecretLine>(&request)?);
        rest = later;
    }
    if printer.json() {
        return added.iter().try_for_each(|line| printer.object(line));
    }
    table(&added, printer)
}

fn reveal(
    mut client: Client,
    placeholder: &str,
    uid: Option<u32>,
    printer: &mut Printer,
) -> Result<(), Problem> {
    let revealed: Revealed = client.one(&Request::SecretsReveal {
        placeholder: placeholder.to_owned(),
        uid,
    })?;
    let not_base64 = |error| Problem::Answer(std::io::Error::other(error));
    let value = STANDARD
        .decode(&revealed.value_base64)
        .map_err(not_base64)?;
    let value = Zeroizing::new(value);
    if printer.json() {
        return match std::str::from_utf8(&value) {
            Ok(text) => printer.object(&json!({"placeholder": placeholder, "value": text})),
            Err(_) => printer.object(
                &json!({"placeholder": placeholder, "value_base64": revealed.value_base64}),
            ),
        };
    }
    if !printer.terminal() {
        return printer.bytes(&value);
    }
    say(&"the value is on your screen now, and in its scroll-back");
    for line in String::from_utf8_lossy(&value).lines() {
        printer.line(&visible(line))?;
    }
    Ok(())
}

fn forget(mut client: Client, placeholder: &str, uid: Option<u32>) -> Result<(), Problem> {
    let request = Request::SecretsForget {
        placeholder: placeholder.to_owned(),
        uid,
    };
    client.each(&request, |_: serde_json::Value| Ok(()))?;
    say(&format!("{placeholder} is forgotten"));
    Ok(())
}
