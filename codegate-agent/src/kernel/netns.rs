//! How the kernel calls a network namespace: by a cookie, which it never uses again.
//!
//! Since Linux 5.14 a socket tells it. Before, only eBPF programs are told: one is attached to this
//! process's own cgroup for the length of one `socket()`, and writes it down.
#![allow(
    unsafe_code,
    reason = "the namespace's cookie is read by getsockopt(2)"
)]

use std::{
    fs::{self, File},
    io,
    mem::size_of,
    os::fd::{AsFd, AsRawFd as _},
    path::PathBuf,
    ptr::from_mut,
};

use aya::{
    maps::{HashMap, MapError},
    programs::{CgroupAttachMode, CgroupSock},
};
use codegate_ebpf::{maps, programs};
use socket2::{Domain, Socket, Type};

use super::{KernelError, cgroup, load};

const OWN_CGROUPS: &str = "/proc/self/cgroup";

/// The cookie of the calling thread's network namespace.
///
/// # Errors
/// [`KernelError::Socket`]; before Linux 5.14 any that loading and attaching a program has.
pub fn netns_cookie() -> Result<u64, KernelError> {
    match told_by_socket(&socket()?) {
        Err(error) if error.raw_os_error() == Some(libc::ENOPROTOOPT) => told_by_program(),
        told => told.map_err(unread),
    }
}

fn socket() -> Result<Socket, KernelError> {
    Socket::new(Domain::IPV4, Type::DGRAM, None).map_err(unread)
}

/// `SO_NETNS_COOKIE`, socket(7).
fn told_by_socket(socket: &impl AsFd) -> io::Result<u64> {
    read_cookie(socket, libc::SO_NETNS_COOKIE)
}

/// The way of kernels that lack the option. Maps that the program does not touch are made as small as
/// they can be.
fn told_by_program() -> Result<u64, KernelError> {
    let mut object = load::smallest()?;
    let program: &mut CgroupSock = object
        .program_mut(programs::TELL_NETNS)
        .and_then(|program| program.try_into().ok())
        .ok_or(KernelError::Missing(programs::TELL_NETNS))?;
    program
        .load()
        .and_then(|()| program.attach(own_cgroup()?, CgroupAttachMode::Single))
        .map_err(|error| KernelError::program("attach", programs::TELL_NETNS, error))?;
    let cookie = read_cookie(&socket()?, libc::SO_COOKIE).map_err(unread)?;
    let map = object
        .map(maps::NETNS)
        .ok_or(KernelError::Missing(maps::NETNS))?;
    HashMap::<_, u64, u64>::try_from(map)
        .and_then(|told| told.get(&cookie, 0))
        .map_err(of_map)
}

/// The cgroup2 directory that this process is in (cgroups(7)).
fn own_cgroup() -> io::Result<File> {
    let table = fs::read_to_string(OWN_CGROUPS)?;
    let own = table
        .lines()
        .find_map(|line| line.strip_prefix("0::/"))
        .ok_or_else(|| io::Error::other("this process is in no cgroup2"))?;
    let mount = cgroup::find_cgroup2().map_err(io::Error::other)?;
    File::open(mount.join(PathBuf::from(own)))
}

/// An option whose value is a cookie.
fn read_cookie(socket: &impl AsFd, option: i32) -> io::Result<u64> {
    let mut cookie = 0_u64;
    let mut length = size_of::<u64>() as libc::socklen_t;
    // SAFETY: the buffer and its length are ours, and the length is the buffer's.
    let result = unsafe {
        libc::getsockopt(
            socket.as_fd().as_raw_fd(),
            libc::SOL_SOCKET,
            option,
            from_mut(&mut cookie).cast(),
            &raw mut length,
        )
    };
    if result == 0 {
        Ok(cookie)
    } else {
        Err(io::Error::last_os_error())
    }
}

fn of_map(source: MapError) -> KernelError {
    KernelError::Map {
        map: maps::NETNS,
        source,
    }
}

fn unread(source: io::Error) -> KernelError {
    KernelError::Socket {
        action: "read a network namespace's cookie",
        source,
    }
}
