//! The local CA in force: its leaves, and what clients are told of it. Rotation replaces it as a whole,
//! while connections that are under way keep what they have.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context, Result};
use rustls::sign::CertifiedKey;

use crate::{
    config::Config,
    control,
    swap::Swap,
    trust::{self, Ca, Installed, Leaves, Origin, TrustError},
};

/// The generation that leaves are signed by.
pub(super) struct Authority {
    state_dir: PathBuf,
    extra_roots: Vec<PathBuf>,
    /// What the CA may speak for.
    permitted: Vec<String>,
    leaves: Swap<Leaves>,
    trust: Arc<Swap<control::Trust>>,
    /// Two rotations at once would leave files of one and leaves of the other.
    rotating: Mutex<()>,
}

impl Authority {
    /// Opens the CA, or makes one, and writes the files that clients are pointed at.
    pub(super) fn open(config: &Config) -> Result<(Self, Arc<Ca>)> {
        let permitted: Vec<String> = config
            .endpoints
            .name_constraints()
            .into_iter()
            .map(str::to_owned)
            .collect();
        let (state_dir, extra_roots) = (&config.state_dir, &config.upstream.extra_roots);
        let ca = Ca::open_or_create(&directory(state_dir), &permitted)
            .context("cannot open the local CA")?;
        say_origin(ca.origin());
        let installed =
            trust::install(state_dir, &ca, extra_roots).context("cannot write the trust files")?;
        if let Some(barrier) = &installed.barred_by {
            tracing::warn!(directory = %barrier.display(), "other users cannot read the trust files");
        }
        let ca = Arc::new(ca);
        let leaves = Leaves::new(ca.clone()).context("cannot make a key for leaves")?;
        let authority = Self {
            trust: Arc::new(told(&ca, installed).into()),
            state_dir: state_dir.clone(),
            extra_roots: extra_roots.clone(),
            permitted,
            leaves: leaves.into(),
            rotating: Mutex::default(),
        };
        Ok((authority, ca))
    }

    /// The chain and key for a host.
    pub(super) fn leaf(&self, host: &str) -> Result<Arc<CertifiedKey>, TrustError> {
        self.leaves.get().leaf(host)
    }

    /// What clients must trust, now and after rotations.
    pub(super) fn trust(&self) -> Arc<Swap<control::Trust>> {
        self.trust.clone()
    }

    /// Makes a new generation and signs by it from now on. Blocks.
    ///
    /// The key is replaced first and the files last: if the disk fills up in between, the old leaves
    /// stay in use until the next try or start.
    pub(super) fn rotate(&self) -> Result<control::Trust, TrustError> {
        // Whoever panicked before replaced nothing by halves: each part is swapped whole.
        let _turn = self.rotating.lock().unwrap_or_else(PoisonError::into_inner);
        let ca = Arc::new(Ca::rotate(&directory(&self.state_dir), &self.permitted)?);
        let leaves = Leaves::new(ca.clone())?;
        let installed = trust::install(&self.state_dir, &ca, &self.extra_roots)?;
        self.trust.set(told(&ca, installed));
        self.leaves.set(leaves);
        tracing::warn!("the local CA was rotated; clients must be told to trust the new one");
        Ok((*self.trust.get()).clone())
    }
}

fn directory(state_dir: &Path) -> PathBuf {
    state_dir.join("ca")
}

fn say_origin(origin: &Origin) {
    match origin {
        Origin::Stored => {}
        Origin::First => tracing::info!("a local CA was made; `codegate ca show --pem` prints it"),
        Origin::Renewed(why) => {
            tracing::warn!("the local CA was made anew: {why}; clients must be told to trust it");
        }
    }
}

/// What clients are told to trust.
fn told(ca: &Ca, installed: Installed) -> control::Trust {
    let variables = trust::variables(&installed.ca_pem, &installed.bundle);
    control::Trust {
        sha256: ca.fingerprint_sha256(),
        expires: jiff::Timestamp::try_from(ca.not_after()).unwrap_or(jiff::Timestamp::MAX),
        pem: ca.pem(),
        variables: variables
            .into_iter()
            .map(|(name, path)| (name.to_owned(), path))
            .collect(),
        ca_pem: installed.ca_pem,
        bundle: installed.bundle,
    }
}
