//! What a process is, as the kernel knew it when it called `connect()`: the contract's part on processes.

/// How many octets of an executable's path are kept: of longer ones, the end.
pub const PATH: usize = 512;
/// How many octets of a command line are kept.
pub const ARGUMENTS: usize = 512;
/// How many ancestors are kept.
pub const ANCESTORS: usize = 8;

/// One program in one process: a pid may be another's soon, and a process may become another program.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ProcessKey {
    /// When the process started, in nanoseconds since the machine did (`start_boottime`); 0 if that could
    /// not be read.
    pub start: u64,
    /// Process id (thread group), in the initial pid namespace.
    pub tgid: u32,
    /// How many programs the process and its forefathers have been (`self_exec_id`).
    pub exec: u32,
}

/// What a process runs.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Image {
    /// The executable's inode; 0 if it could not be read.
    pub inode: u64,
    /// Who started it, nearest first; all zeros after the last. The first process is not among them.
    pub ancestors: [ProcessKey; ANCESTORS],
    /// The device that the inode is on, as the kernel writes it (`MKDEV`).
    pub device: u32,
    /// 1 as soon as all is written.
    pub ready: u32,
    /// Where in `path` the path begins; [`PATH`] if it could not be read.
    pub path_at: u32,
    /// How much of `arguments` is there.
    pub arguments_length: u32,
    /// The executable's path, at the end of the array; what follows is for reads that go too far.
    pub path: [u8; PATH + 256],
    /// The command line, each argument with a zero behind it.
    pub arguments: [u8; ARGUMENTS],
}

/// Where things are in the running kernel's structures, in octets: from its type information.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Layout {
    /// In `task_struct`.
    pub group_leader: u32,
    /// In `task_struct`.
    pub real_parent: u32,
    /// In `task_struct`.
    pub tgid: u32,
    /// In `task_struct`.
    pub start_boottime: u32,
    /// In `task_struct`.
    pub self_exec_id: u32,
    /// In `task_struct`.
    pub mm: u32,
    /// In `mm_struct`.
    pub exe_file: u32,
    /// In `mm_struct`.
    pub arg_start: u32,
    /// In `mm_struct`.
    pub arg_end: u32,
    /// The mount of `f_path`, in `file`.
    pub file_mount: u32,
    /// The entry of `f_path`, in `file`.
    pub file_dentry: u32,
    /// In `file`.
    pub f_inode: u32,
    /// In `inode`.
    pub i_ino: u32,
    /// In `inode`.
    pub i_sb: u32,
    /// In `super_block`.
    pub s_dev: u32,
    /// In `dentry`.
    pub d_parent: u32,
    /// The octets of `d_name`, in `dentry`.
    pub name: u32,
    /// The length of `d_name`, in `dentry`.
    pub name_length: u32,
    /// In `vfsmount`.
    pub mnt_root: u32,
    /// The `vfsmount` in `mount`.
    pub mnt: u32,
    /// In `mount`.
    pub mnt_parent: u32,
    /// In `mount`.
    pub mnt_mountpoint: u32,
    /// In `task_struct`.
    pub nsproxy: u32,
    /// In `nsproxy`.
    pub net_ns: u32,
    /// In `net`.
    pub loopback_dev: u32,
    /// In `net_device`.
    pub device_flags: u32,
}

/// What the agent knows of a process.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Class {
    /// It holds as long as this is [`Policy::generation`].
    pub generation: u32,
    /// See [`class`].
    pub class: u32,
    /// The process's cgroup and real user, which rules ask for, too: it holds as long as they are the same.
    pub cgroup: u64,
    /// See `cgroup`.
    pub uid: u32,
    /// Always 0.
    pub zero: u32,
}

/// Values of [`Class::class`].
pub mod class {
    /// Connections to guarded addresses are looked at.
    pub const GUARD: u32 = 0;
    /// All its TLS connections are.
    pub const GUARD_ALL: u32 = 1;
    /// None are.
    pub const PASS: u32 = 2;
}

/// What the rules ask for.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Policy {
    /// Another one for each change of the rules.
    pub generation: u32,
    /// 1 if there may be processes all of whose TLS connections are looked at.
    pub guard_all: u32,
}

const _: () = {
    assert!(size_of::<Class>() == 24);
    assert!(size_of::<Policy>() == 8);
    assert!(size_of::<ProcessKey>() == 16);
    assert!(size_of::<Image>() == 8 + 16 * ANCESTORS + 16 + PATH + 256 + ARGUMENTS);
    assert!(size_of::<Layout>() == 104);
};
