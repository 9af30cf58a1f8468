//! Everything a connection needs, made in the order of its dependencies.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};

use super::{
    ahead::Ahead,
    authority::Authority,
    classes,
    commands::Switch,
    existing::Existing,
    files,
    heart::Progress,
    lasting::{self, Left},
    namespaces::Namespaces,
    people::People,
    predecessor::Predecessor,
    proxies,
    seat::Seat,
    status::Tally,
    successor::Legacy,
};
use crate::{
    accept::Network,
    config::{Config, Fail, PackageAction},
    control,
    flow::{Flow, Process},
    http::{Guard, PackageGuard},
    inspect::{
        Inspector,
        packages::{Lists, Live},
    },
    kernel::{self, Hooks, KernelError, Names, Redirected, Timing},
    seal::Vault,
    session::Recorder,
    swap::Swap,
    tls::Terminator,
    upstream::{Connector, Through},
};

/// How often it is asked whether there is a new index of packages.
const LOOK: Duration = Duration::from_secs(2);
/// How long stores may stay locked that another agent has let go of.
const LOCKED: Duration = Duration::from_secs(5);
/// How long the next agent may take to hear the last records.
const TELL: Duration = Duration::from_secs(10);
/// From one look whether they are to the next.
const RETRY: Duration = Duration::from_millis(20);

/// The running agent.
pub(super) struct Agent {
    pub(super) config: Swap<Config>,
    pub(super) hooks: Hooks,
    pub(super) names: Names,
    pub(super) connector: Connector,
    /// The company's proxy, if upstreams are reached by one.
    pub(super) through: Swap<Option<Through>>,
    pub(super) terminator: Terminator,
    pub(super) authority: Arc<Authority>,
    pub(super) guard: Arc<Guard>,
    pub(super) status: Arc<Tally>,
    pub(super) people: People,
    /// Where it is itself, and where it is besides.
    pub(super) seat: Arc<Seat>,
    pub(super) network: Network,
    pub(super) namespaces: Arc<Namespaces>,
    /// Connections whose clients wait for what the network says.
    pub(super) ahead: Ahead,
    /// Connections that are older than the guard.
    pub(super) existing: Arc<Existing>,
    /// Below which everything is guarded.
    pub(super) cgroup: PathBuf,
    left: Mutex<Option<Left>>,
    pub(super) legacy: Arc<Legacy>,
    pub(super) progress: Arc<Progress>,
}

impl Agent {
    /// Makes everything. The hooks are attached before there is somebody to take connections, and
    /// redirect none until then; the stores are opened last, as another agent may have to let go of
    /// them.
    pub(super) async fn start(
        config: Config,
        predecessor: Option<&mut Predecessor>,
    ) -> Result<Self> {
        files::make_dirs(&config)?;
        let (authority, ca) = Authority::open(&config)?;
        let connector = Connector::new(&ca, &config.upstream.extra_roots)
            .context("cannot load the roots that upstreams are verified with")?;
        let through = Through::of(&config.upstream)?;
        let kept = config.patterns_dir();
        let inspector = Inspector::with_rules(&config.rules, config.pii, Some(&kept))
            .context("cannot compile the rules")?;
        let packages = packages(&config);
        let terminator = Terminator::new().context("cannot make ticket keys")?;
        let cgroup = cgroup(&config)?;
        let hooks = attach(&cgroup, config.capture.fail)?;
        classes::take_up(&hooks, &config);
        let left = Left::find(&config, &hooks)?;
        let names = Names::start(hooks.clone(), proxies::hosts(&config), Timing::default());
        let namespaces = Arc::<Namespaces>::default();
        let existing = Arc::<Existing>::default();
        let patient = predecessor.is_some();
        if let Some(predecessor) = predecessor {
            names.ready().await;
            inherit(predecessor, &hooks)?;
        }
        let (vault, recorder) = stores(&config, patient)?;
        let guard = Arc::new(Guard {
            inspector: inspector.into(),
            packages,
            vault,
            recorder,
            body_limit: config.limits.body_bytes,
            unscannable: config.policy.unscannable,
        });
        let status = Arc::new(Tally::new(
            hooks.clone(),
            namespaces.clone(),
            existing.clone(),
            guard.packages.live.clone(),
            config.endpoints.iter().count(),
        ));
        let netns = kernel::netns_cookie()?;
        let engines = config.capture.engines.clone();
        let legacy = Legacy::new(
            guard.clone(),
            hooks.clone(),
            (netns, namespaces.clone()),
            vault_dir(&config),
        );
        Ok(Self {
            legacy: Arc::new(legacy),
            progress: Arc::default(),
            config: config.into(),
            hooks,
            names,
            connector,
            through: through.into(),
            terminator,
            authority: Arc::new(authority),
            guard,
            status,
            people: People::new(cgroup.clone(), engines)?,
            ahead: Ahead::default(),
            seat: Arc::new(Seat::own(netns)),
            network: Network::of(std::process::id()).context("no network namespace")?,
            namespaces,
            existing,
            cgroup,
            left: Mutex::new(Some(left)),
        })
    }

    /// What the control socket answers from.
    pub(super) fn control(&self) -> Arc<control::State> {
        Arc::new(control::State {
            source: Box::new(self.status.clone()),
            commands: Arc::new(Switch {
                heart: self.hooks.heart().clone(),
                recorder: self.guard.recorder.clone(),
                legacy: self.legacy.clone(),
                authority: self.authority.clone(),
            }),
            recorder: self.guard.recorder.clone(),
            vault: self.guard.vault.clone(),
            trust: self.authority.trust(),
        })
    }

    /// Where it is, all of it.
    pub(super) fn seats(&self) -> Vec<Arc<Seat>> {
        let mut seats = self.namespaces.seats();
        seats.push(self.seat.clone());
        seats
    }

    /// Where it is in a network namespace, if it is there.
    pub(super) fn seat_in(&self, network: &Network) -> Option<Arc<Seat>> {
        if *network == self.network {
            return Some(self.seat.clone());
        }
        self.namespaces.seat_in(network)
    }

    /// Where it is in the network namespace with a cookie, if it is there.
    pub(super) fn seat_of(&self, netns: u64) -> Option<Arc<Seat>> {
        if netns == self.seat.netns() {
            return Some(self.seat.clone());
        }
        self.namespaces.seat_of(netns)
    }

    /// Whether it listens in a network namespace.
    pub(super) fn listens_in(&self, netns: u64) -> bool {
        self.seat_of(netns).is_some()
    }

    /// The listeners are open: the kernel may redirect to them.
    pub(super) fn listens(&self, v4: u16, v6: Option<u16>) -> Result<()> {
        self.hooks
            .listen(self.seat.netns(), Some(v4), v6)
            .context("cannot tell the kernel of the listeners")?;
        self.status.listens(v4, v6);
        Ok(())
    }

    /// Who is behind an accepted connection; `None` if it was not redirected.
    pub(super) fn caller(&self, seat: &Seat, client: SocketAddr) -> Option<Flow> {
        let redirected = self.hooks.take_flow(seat.netns(), client)?;
        Some(Flow {
            client,
            original: redirected.original,
            process: self.process(&redirected),
        })
    }

    /// Who it is that the kernel tells of; the kernel is told in turn what becomes of their other connections.
    pub(super) fn process(&self, caller: &Redirected) -> Process {
        let process = self.people.name(caller);
        classes::tell(&self.hooks, &self.config.get(), caller, &process);
        process
    }

    /// Waits until the endpoints' addresses are known, as far as the resolver answers.
    pub(super) async fn learn_names(&self) {
        self.names.ready().await;
    }

    /// The heart beats: this agent's programs may outlive it, where that was chosen.
    pub(super) fn pin(&self) -> Result<()> {
        lasting::pin(&self.config.get(), &self.hooks)
    }

    /// This agent guards: what another one left is not needed any more.
    pub(super) fn supersede(&self) -> Result<()> {
        let left = self
            .left
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        left.map_or(Ok(()), Left::remove)
    }

    /// Hears out the agent that this one follows.
    pub(super) fn follow(&self, predecessor: Predecessor) -> Result<()> {
        tell_manager(sd_notify::NotifyState::MainPid(std::process::id()));
        predecessor
            .hear_out(self.guard.clone(), vault_dir(&self.config.get()))
            .context("the last agent cannot be heard out")
    }

    /// Says that connections are guarded from now on.
    pub(super) fn ready(&self) {
        self.status.ready();
        tell_manager(sd_notify::NotifyState::Ready);
        tracing::info!(pid = std::process::id(), "ready");
    }

    /// Takes no new connections: they go direct, or are refused where that was chosen.
    pub(super) fn release(&self) {
        self.status.stopping();
        tell_manager(sd_notify::NotifyState::Stopping);
        let released = match self.config.get().capture.fail {
            Fail::Open => self.unlisten(),
            Fail::Closed => self.hooks.heart().still(),
        };
        if let Err(error) = released {
            tracing::warn!(%error, "the kernel could not be told to let go");
        }
    }

    fn unlisten(&self) -> Result<(), KernelError> {
        self.hooks.expect_no_more()?;
        let others = self.namespaces.cookies().into_iter();
        let mut all = others.chain([self.seat.netns()]);
        all.try_for_each(|netns| self.hooks.unlisten(netns))
    }

    /// Takes new indexes of packages into service as they are built.
    pub(super) async fn follow_packages(&self) {
        loop {
            tokio::time::sleep(LOOK).await;
            let live = self.guard.packages.live.clone();
            let refreshed = tokio::task::spawn_blocking(move || live.refresh()).await;
            if refreshed.is_ok_and(|new| new) {
                let live = &self.guard.packages.live;
                tracing::info!(
                    generation = live.generation(),
                    "a new index of packages is in service"
                );
            }
        }
    }

    /// Brings what was recorded to disk, or to the agent that has followed this one.
    pub(super) async fn flush(&self) {
        let recorder = self.guard.recorder.clone();
        let flush = move || {
            recorder.flush();
            recorder.end();
        };
        if tokio::task::spawn_blocking(flush).await.is_err() {
            tracing::warn!("the last sessions may not be recorded");
        }
        if tokio::time::timeout(TELL, self.legacy.told())
            .await
            .is_err()
        {
            tracing::warn!("the next agent may not know the last sessions");
        }
    }
}

fn packages(config: &Config) -> PackageGuard {
    let chosen = &config.packages;
    let lists = Lists {
        allow: chosen.allow.clone(),
        deny: chosen.deny.clone(),
    };
    let live = Live::open(&config.packages_dir(), lists);
    for problem in live.problems() {
        tracing::warn!("{problem}");
    }
    let block = chosen.action == PackageAction::Block;
    PackageGuard::new(Arc::new(live), block, chosen.notices)
}

/// Has the running agent let go of its stores, and guards what it guards.
fn inherit(predecessor: &mut Predecessor, hooks: &Hooks) -> Result<()> {
    let estate = predecessor.estate()?;
    tracing::info!(pid = estate.pid, "taking over from another agent");
    hooks.inherit(&estate.guarded)?;
    if !estate.paused.is_zero() {
        hooks.heart().pause(estate.paused)?;
    }
    Ok(())
}

fn vault_dir(config: &Config) -> PathBuf {
    config.state_dir.join("vault")
}

/// Opens the vault and the sessions. Another agent that has just closed them may need a moment.
fn stores(config: &Config, patient: bool) -> Result<(Arc<Vault>, Recorder)> {
    let patience = if patient { LOCKED } else { Duration::ZERO };
    let vault = retry(patience, || Vault::open(&vault_dir(config)));
    let sessions = config.state_dir.join("sessions.redb");
    let recorder = retry(patience, || Recorder::open(&sessions));
    Ok((
        Arc::new(vault.context("cannot open the vault")?),
        recorder.context("cannot open the sessions")?,
    ))
}

fn retry<T, E>(patience: Duration, act: impl Fn() -> Result<T, E>) -> Result<T, E> {
    let since = Instant::now();
    loop {
        match act() {
            Err(_) if since.elapsed() < patience => std::thread::sleep(RETRY),
            done => return done,
        }
    }
}

/// Without a service manager there is nobody to tell.
pub(super) fn tell_manager(state: sd_notify::NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::debug!(%error, "the service manager was not told");
    }
}

fn cgroup(config: &Config) -> Result<PathBuf, KernelError> {
    match &config.capture.cgroup {
        Some(cgroup) => Ok(cgroup.clone()),
        None => kernel::find_cgroup2(),
    }
}

fn attach(cgroup: &Path, fail: Fail) -> Result<Hooks> {
    let level = tracing::enabled!(target: "codegate::kernel::program", tracing::Level::DEBUG);
    let options = kernel::Options {
        log: level.then_some(tracing::Level::DEBUG),
        ..kernel::Options::default()
    };
    let hooks = Hooks::load_and_attach(cgroup, &options)
        .with_context(|| format!("cannot attach to {}", cgroup.display()))?;
    hooks
        .heart()
        .close(fail == Fail::Closed)
        .context("the kernel cannot be told what to do without the agent")?;
    Ok(hooks)
}
