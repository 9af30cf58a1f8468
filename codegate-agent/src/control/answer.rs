//! What is answered to whom.

use std::{fmt::Display, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use tokio::task::spawn_blocking;
use zeroize::Zeroizing;

use super::{
    Clear, Code, Failure, Request, Revealed, SecretLine, Shown, State, Watched, commands, handover,
    server::{Peer, Stop},
};
use crate::{
    inspect::Kind,
    seal::{NewSecret, Placeholder, SecretInfo, VaultError},
    session::{Id, Tailed, Viewer},
};

/// The most sessions in one list.
const MAX_LIST: usize = 10_000;

pub(super) type Answer<T = ()> = Result<T, Stop>;

pub(super) async fn answer(peer: &mut Peer, request: Request, state: &State) -> Answer {
    match request {
        Request::Status => status(peer, state).await,
        Request::Trust => Ok(peer.replies.item(&*state.trust.get()).await?),
        Request::Rotate => commands::rotate(peer, state).await,
        Request::Pause { seconds } => {
            commands::pause(peer, state, Duration::from_secs(seconds)).await
        }
        Request::HandOver => handover::hand_over(peer, state).await,
        Request::Go => Err(Failure::new(Code::BadRequest, "there is no hand-over").into()),
        Request::SessionsList { limit } => list_sessions(peer, state, limit).await,
        Request::SessionsShow { id } => show_session(peer, state, id).await,
        Request::SessionsTail => tail_sessions(peer, state).await,
        Request::SecretsList { uid } => list_secrets(peer, state, uid).await,
        Request::SecretsReveal { placeholder, uid } => {
            reveal(peer, state, &parse(&placeholder)?, uid).await
        }
        Request::SecretsAdd { values, kind, uid } => add(peer, state, &values, kind, uid).await,
        Request::SecretsForget { placeholder, uid } => {
            forget(peer, state, &parse(&placeholder)?, uid).await
        }
    }
}

/// The state is everybody's; connections are their users'.
async fn status(peer: &mut Peer, state: &State) -> Answer {
    let mut status = state.status();
    let viewer = peer.viewer;
    status
        .existing
        .retain(|older| viewer.sees(older.process.uid));
    Ok(peer.replies.item(&status).await?)
}

async fn list_sessions(peer: &mut Peer, state: &State, limit: usize) -> Answer {
    let (recorder, viewer) = (state.recorder.clone(), peer.viewer);
    let list = blocking(move || recorder.list(viewer, limit.min(MAX_LIST))).await?;
    for session in list {
        peer.replies.item(&session).await?;
    }
    Ok(())
}

async fn show_session(peer: &mut Peer, state: &State, id: Id) -> Answer {
    let (recorder, viewer) = (state.recorder.clone(), peer.viewer);
    let Some(detail) = blocking(move || recorder.show(viewer, id)).await? else {
        return Err(Failure::new(Code::NotFound, format!("no session {id}")).into());
    };
    peer.replies.item(&Shown::Session(detail.session)).await?;
    for entry in detail.entries {
        peer.replies.item(&Shown::Entry(entry)).await?;
    }
    Ok(())
}

async fn tail_sessions(peer: &mut Peer, state: &State) -> Answer {
    let mut tail = state.recorder.tail(peer.viewer);
    loop {
        let tailed = tokio::select! {
            tailed = tail.next() => tailed,
            () = peer.lines.disturbed() => return Ok(()),
        };
        let watched = match tailed {
            Some(Tailed::Update(update)) => Watched::Update(Box::new((*update).clone())),
            Some(Tailed::Missed) => Watched::Missed { missed: true },
            None => return Ok(()),
        };
        peer.replies.item(&watched).await?;
    }
}

async fn list_secrets(peer: &mut Peer, state: &State, uid: Option<u32>) -> Answer {
    let everybodys = uid.is_none() && peer.viewer.uid() == 0;
    let users = if everybodys {
        state.vault.users()
    } else {
        vec![owner(peer.viewer, uid)?]
    };
    for uid in users {
        let vault = state.vault.clone();
        for secret in blocking(move || vault.list(uid)).await? {
            peer.replies.item(&line(uid, &secret)).await?;
        }
    }
    Ok(())
}

async fn reveal(
    peer: &mut Peer,
    state: &State,
    placeholder: &Placeholder,
    uid: Option<u32>,
) -> Answer {
    let (by, uid) = (peer.viewer.uid(), owner(peer.viewer, uid)?);
    let value = state.vault.reveal(uid, placeholder, by).await;
    let value = value.map_err(unavailable)?.ok_or_else(unknown)?;
    tracing::info!(%placeholder, uid, by, "a secret was revealed");
    let value_base64 = STANDARD.encode(&*value);
    Ok(peer.replies.item(&Revealed { value_base64 }).await?)
}

/// The KIND of a literal's placeholder, unless the user says another.
const LITERAL: &str = "SECRET";

async fn add(
    peer: &mut Peer,
    state: &State,
    values: &[Clear],
    kind: Option<String>,
    uid: Option<u32>,
) -> Answer {
    let uid = owner(peer.viewer, uid)?;
    let bad = |message: String| Failure::new(Code::BadRequest, message);
    let kind = kind.as_deref().unwrap_or(LITERAL);
    let kind = Kind::parse(kind).ok_or_else(|| bad("a KIND has 2 to 12 of A-Z and 0-9".into()))?;
    let decode = |value: &Clear| STANDARD.decode(&value.0).map(Zeroizing::new);
    let values: Vec<_> = values
        .iter()
        .map(decode)
        .collect::<Result<_, _>>()
        .map_err(|_| bad("a value is not in base64".into()))?;
    let item = |value| NewSecret {
        kind,
        rule: "literal",
        value,
    };
    let items: Vec<_> = values.iter().map(|value| item(value)).collect();
    let added = match state.vault.add_literals(uid, &items).await {
        Err(VaultError::Literal(reason)) => return Err(bad(reason).into()),
        added => added.map_err(unavailable)?,
    };
    tracing::info!(
        count = added.len(),
        uid,
        by = peer.viewer.uid(),
        "literals were added"
    );
    let vault = state.vault.clone();
    for secret in blocking(move || vault.list(uid)).await? {
        if added.contains(&secret.placeholder) {
            peer.replies.item(&line(uid, &secret)).await?;
        }
    }
    Ok(())
}

async fn forget(
    peer: &mut Peer,
    state: &State,
    placeholder: &Placeholder,
    uid: Option<u32>,
) -> Answer {
    let uid = owner(peer.viewer, uid)?;
    let forgotten = state
        .vault
        .forget(uid, placeholder)
        .await
        .map_err(unavailable)?;
    if !forgotten {
        return Err(unknown().into());
    }
    tracing::info!(%placeholder, uid, by = peer.viewer.uid(), "a secret was forgotten");
    Ok(())
}

/// Whose secrets are meant: one's own, or for root anybody's.
fn owner(viewer: Viewer, uid: Option<u32>) -> Answer<u32> {
    let uid = uid.unwrap_or(viewer.uid());
    if viewer.sees(uid) {
        return Ok(uid);
    }
    Err(Failure::new(Code::Denied, "only root may ask for another user's secrets").into())
}

fn parse(text: &str) -> Answer<Placeholder> {
    let bad = || {
        Failure::new(
            Code::BadRequest,
            "not a placeholder, or one that was altered",
        )
    };
    Ok(Placeholder::parse(text.as_bytes()).ok_or_else(bad)?)
}

fn line(uid: u32, secret: &SecretInfo) -> SecretLine {
    let time = |time| Timestamp::try_from(time).unwrap_or(Timestamp::UNIX_EPOCH);
    SecretLine {
        placeholder: secret.placeholder.to_string(),
        kind: secret.placeholder.kind.to_string(),
        rule: secret.rule.clone(),
        uid,
        uses: secret.uses,
        first_seen: time(secret.first_seen),
        last_seen: time(secret.last_seen),
        literal: secret.literal,
    }
}

fn unknown() -> Failure {
    Failure::new(Code::NotFound, "no such secret")
}

pub(super) fn unavailable(error: impl Display) -> Failure {
    tracing::error!(%error, "control: a store failed");
    Failure::new(Code::Unavailable, error.to_string())
}

/// Runs what reads the disk where it holds up nobody.
pub(super) async fn blocking<T, E>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Answer<T>
where
    T: Send + 'static,
    E: Display + Send + 'static,
{
    let done = spawn_blocking(work).await.map_err(unavailable)?;
    Ok(done.map_err(unavailable)?)
}
