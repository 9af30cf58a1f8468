//! Loads the committed object and attaches its programs to a cgroup.

use std::{
    fs::File,
    hash::{BuildHasher as _, Hasher as _, RandomState},
    io,
    os::fd::AsFd,
    path::Path,
};

use aya::{
    Ebpf, EbpfLoader,
    maps::Array,
    programs::{
        CgroupAttachMode, CgroupSkb, CgroupSkbAttachType, CgroupSock, CgroupSockAddr, Program,
        ProgramError, SockOps, links::FdLink,
    },
    util::KernelVersion,
};
use codegate_ebpf::{DEFAULT_MARK, globals, image::Layout, maps, programs};

use super::{KernelError, btf, layout::Plain, wait};

/// Built by `cargo xtask ebpf`; `--check` holds it to its source.
static OBJECT: &[u8] = aya::include_bytes_aligned!("../../../codegate-ebpf/codegate.bpf.o");

/// What the programs are told before they are loaded, and cannot be told later.
#[derive(Debug, Clone)]
pub struct Options {
    /// `SO_MARK` of the agent's own sockets: give it to [`mark`](super::mark).
    pub mark: u32,
    /// A cgroup whose processes are exempt, too ([`cgroup_id`](super::cgroup_id)).
    pub exempt_cgroup: Option<u64>,
    /// Up to which level the programs speak, through `tracing` (target `codegate::kernel::program`).
    /// `None` costs nothing: the verifier drops what is never reached.
    pub log: Option<tracing::Level>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            mark: DEFAULT_MARK,
            exempt_cgroup: None,
            log: None,
        }
    }
}

/// What [`load`] made.
pub(super) struct Loaded {
    /// The programs and their maps.
    pub(super) object: Ebpf,
    /// Where names' hashes begin.
    pub(super) seed: u64,
    /// What this kernel refused.
    pub(super) lost: Vec<Lost>,
}

/// A program that this kernel does not take, and that the guard can do without.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// Its name.
    pub program: &'static str,
    /// What cannot be done without it.
    pub without: &'static str,
    /// What the kernel says.
    pub why: String,
}

/// The programs that the guard can do without, and what it cannot do then.
const OPTIONAL: [(&str, &str); 3] = [
    (
        programs::LEARN,
        "addresses are not learned from DNS answers: hosts below wildcards are not guarded, and \
         others only on addresses that the agent has resolved itself",
    ),
    (
        programs::SCREEN,
        "HTTP/3 to an address of a guarded host is refused, also where another host shares it, and clients are \
         connected before their services are reached",
    ),
    (
        programs::ANNOUNCE,
        "network namespaces of containers are found late: their first connections may go direct",
    ),
];

/// What is lost where the programs cannot read the kernel's structures, under the name of what they would
/// do.
pub(super) const IDENTIFY: (&str, &str) = (
    "identify",
    "who made a connection is read from /proc when it arrives: a process that is gone by then is not \
     named",
);

/// Loads and verifies all programs, and creates their maps. Nothing is attached yet.
pub(super) fn load(options: &Options) -> Result<Loaded, KernelError> {
    let why = match btf::layout() {
        Ok(layout) => match load_with(options, Some(&layout)) {
            Ok(loaded) => return Ok(loaded),
            Err(error) => error.to_string(),
        },
        Err(why) => why,
    };
    // Some kernels have no type information, and locked down ones do not let programs read (kernel
    // lockdown, "confidentiality"). Whatever else it was, it comes again.
    let mut loaded = load_with(options, None)?;
    loaded.lost.push(Lost::new(IDENTIFY, why));
    Ok(loaded)
}

fn load_with(options: &Options, layout: Option<&Layout>) -> Result<Loaded, KernelError> {
    let seed = RandomState::new().build_hasher().finish();
    let mut object = open(options, seed, layout)?;
    let mut lost = Vec::new();
    for name in order() {
        let Err(error) = verify(program(&mut object, name)?) else {
            continue;
        };
        let error = KernelError::program("load", name, error);
        let optional = OPTIONAL.iter().find(|(program, _)| *program == name);
        let Some(optional) = optional else {
            return Err(error);
        };
        lost.push(Lost::new(*optional, error.to_string()));
    }
    Ok(Loaded { object, seed, lost })
}

impl Lost {
    fn new((program, without): (&'static str, &'static str), why: String) -> Self {
        tracing::warn!(why, "{without}");
        Self {
            program,
            without,
            why,
        }
    }
}

fn open(options: &Options, seed: u64, layout: Option<&Layout>) -> Result<Ebpf, KernelError> {
    let cgroup = options.exempt_cgroup.unwrap_or_default();
    let level = options.log.map_or(0, log_level);
    let netns_in_sock_ops = u8::from(is_at_least(5, 15));
    let errno = u8::from(is_at_least(6, 1));
    let retry = wait::retry();
    let identify = u8::from(layout.is_some());
    let mut loader = EbpfLoader::new();
    loader
        .override_global(globals::AGENT_MARK, &options.mark, true)
        .override_global(globals::AGENT_CGROUP, &cgroup, true)
        .override_global(globals::NETNS_IN_SOCK_OPS, &netns_in_sock_ops, true)
        .override_global(globals::RETRY, &retry, true)
        .override_global(globals::ERRNO, &errno, true)
        .override_global(globals::IDENTIFY, &identify, true)
        .override_global(globals::NAME_SEED, &seed, true)
        .override_global(globals::LOG_LEVEL, &level, true);
    // What is never used must exist, but need not have room; a buffer is rounded up to a page.
    if level == 0 {
        loader.map_max_entries(maps::LOGS, 1);
    }
    if netns_in_sock_ops == 1 {
        loader.map_max_entries(maps::NETNS, 1);
    }
    if errno == 0 {
        loader.map_max_entries(maps::FAILED, 1);
    }
    if layout.is_none() {
        loader.map_max_entries(maps::IMAGES, 1);
    }
    let mut object = loader.load(OBJECT).map_err(KernelError::load)?;
    if let Some(layout) = layout {
        tell(&mut object, *layout)?;
    }
    Ok(object)
}

fn tell(object: &mut Ebpf, layout: Layout) -> Result<(), KernelError> {
    const MAP: &str = maps::LAYOUT;
    let map = object.map_mut(MAP).ok_or(KernelError::Missing(MAP))?;
    Array::try_from(map)
        .and_then(|mut map| map.set(0, Plain(layout), 0))
        .map_err(|source| KernelError::Map { map: MAP, source })
}

/// The object with all maps but the one for namespaces as small as they can be, and no program loaded.
pub(super) fn smallest() -> Result<Ebpf, KernelError> {
    let mut loader = EbpfLoader::new();
    for map in [
        maps::ENDPOINTS,
        maps::LEARNED,
        maps::NAMES,
        maps::ANSWERS,
        maps::IMAGES,
        maps::DATAGRAMS,
        maps::HANDSHAKES,
        maps::SYNS,
        maps::LET_GO,
        maps::CLASSES,
        maps::LISTENERS,
        maps::ORIG,
        maps::FLOW,
        maps::DEAF,
        maps::FAILED,
        maps::SEEN,
        maps::NEWCOMERS,
        maps::LOGS,
    ] {
        loader.map_max_entries(map, 1);
    }
    loader.load(OBJECT).map_err(KernelError::load)
}

/// A program's name, and what keeps it attached.
pub(super) type Named = (&'static str, FdLink);

/// Attaches what [`load`] loaded to a cgroup, and so to all that live below it. When the links are
/// dropped, or the process dies that holds them, the programs detach, unless somebody pinned them.
pub(super) fn attach(loaded: &mut Loaded, cgroup: &Path) -> Result<Vec<Named>, KernelError> {
    let directory = File::open(cgroup).map_err(|source| KernelError::Read {
        path: cgroup.to_owned(),
        source,
    })?;
    let Loaded { object, lost, .. } = loaded;
    let mut links = Vec::new();
    for name in order().filter(|name| lost.iter().all(|lost| lost.program != *name)) {
        let link = attach_one(name, program(object, name)?, &directory)
            .map_err(|error| KernelError::program("attach", name, error))?;
        links.push((name, link));
    }
    Ok(links)
}

/// The programs' names, in the order in which they are attached.
pub fn order() -> impl Iterator<Item = &'static str> {
    [
        programs::PUBLISH,
        programs::RELEASE,
        programs::LEARN,
        programs::ANNOUNCE,
        programs::SCREEN,
    ]
    .into_iter()
    .chain(programs::GETPEERNAME)
    .chain(programs::SENDMSG)
    .chain(programs::CONNECT)
}

fn program<'a>(object: &'a mut Ebpf, name: &'static str) -> Result<&'a mut Program, KernelError> {
    object.program_mut(name).ok_or(KernelError::Missing(name))
}

fn verify(program: &mut Program) -> Result<(), ProgramError> {
    match program {
        Program::CgroupSockAddr(program) => program.load(),
        Program::CgroupSock(program) => program.load(),
        Program::CgroupSkb(program) => program.load(),
        Program::SockOps(program) => program.load(),
        _ => Err(ProgramError::UnexpectedProgramType),
    }
}

/// `Single` is what a link asks for that coexists with other links; the kernel refuses the other
/// modes for links.
fn attach_one(
    name: &str,
    program: &mut Program,
    cgroup: impl AsFd,
) -> Result<FdLink, ProgramError> {
    const MODE: CgroupAttachMode = CgroupAttachMode::Single;
    match program {
        Program::CgroupSockAddr(program) => {
            let id = CgroupSockAddr::attach(program, cgroup, MODE)?;
            link(program.take_link(id)?)
        }
        Program::CgroupSock(program) => {
            let id = CgroupSock::attach(program, cgroup, MODE)?;
            link(program.take_link(id)?)
        }
        Program::CgroupSkb(program) => {
            let way = if name == programs::SCREEN {
                CgroupSkbAttachType::Egress
            } else {
                CgroupSkbAttachType::Ingress
            };
            let id = CgroupSkb::attach(program, cgroup, way, MODE)?;
            link(program.take_link(id)?)
        }
        Program::SockOps(program) => {
            let id = SockOps::attach(program, cgroup, MODE)?;
            link(program.take_link(id)?)
        }
        _ => Err(ProgramError::UnexpectedProgramType),
    }
}

/// Before Linux 5.7, a cgroup's programs have no links that are descriptors.
fn link(link: impl TryInto<FdLink>) -> Result<FdLink, ProgramError> {
    let old = |_| io::Error::from(io::ErrorKind::Unsupported);
    link.try_into().map_err(old).map_err(ProgramError::IOError)
}

/// An unreadable version counts as an old one: that costs a check, not the load.
fn is_at_least(major: u8, minor: u8) -> bool {
    KernelVersion::current().is_ok_and(|current| current >= KernelVersion::new(major, minor, 0))
}

/// aya-log's numbers.
fn log_level(level: tracing::Level) -> u8 {
    match level {
        tracing::Level::ERROR => 1,
        tracing::Level::WARN => 2,
        tracing::Level::INFO => 3,
        tracing::Level::DEBUG => 4,
        tracing::Level::TRACE => 5,
    }
}
