//! Who calls `connect()`: read from the kernel's own structures while the caller waits in the call, so
//! that a process that is gone a moment later is named all the same, and no other is taken for it.
//!
//! Where things are in those structures the agent has told ([`Layout`]). Reads of the kernel's memory
//! fail softly: what cannot be read is missing, and the agent asks `/proc`.

use core::ptr::addr_of_mut;

use aya_ebpf::{
    bindings::BPF_NOEXIST,
    helpers::generated::{bpf_get_current_task, bpf_probe_read_kernel, bpf_probe_read_user},
    macros::map,
    maps::{Array, LruHashMap},
};
use codegate_ebpf::image::{ANCESTORS, ARGUMENTS, Image, Layout, PATH, ProcessKey};

use crate::{
    maps::IDENTIFY,
    socket::{field, set},
};

/// Programs that were redirected. LRU: whoever starts many processes makes the agent ask `/proc`.
#[map]
static IMAGES: LruHashMap<ProcessKey, Image> = LruHashMap::with_max_entries(4_096, 0);

/// An image of nothing, from which entries are made: there is no room for one on the stack.
#[map]
static BLANK: Array<Image> = Array::with_max_entries(1, 0);

/// Written once, before anything is attached.
#[map]
static LAYOUT: Array<Layout> = Array::with_max_entries(1, 0);

/// Folders and mounts on the way from an executable to the root.
const DEPTH: usize = 40;

/// The first process, which all are descended from.
const INIT: u32 = 1;

/// Sees to it that the caller's program is known, and says which one it is. Without permission to read
/// the kernel's memory, only its pid is told.
#[inline(always)]
pub(crate) fn identify(tgid: u32) -> ProcessKey {
    let Some((task, key, layout)) = current() else {
        return ProcessKey {
            start: 0,
            tgid,
            exec: 0,
        };
    };
    // SAFETY: only whether it is there matters.
    if unsafe { IMAGES.get(key) }.is_none() {
        remember(task, &key, layout);
    }
    key
}

/// The caller's program; `None` without permission to read the kernel's memory.
#[inline(always)]
pub(crate) fn caller() -> Option<ProcessKey> {
    current().map(|(_, key, _)| key)
}

/// Whether connections to loopback addresses lead nowhere in the caller's network namespace, as its `lo` is
/// down. Where that cannot be read they are taken to lead somewhere.
#[inline(always)]
pub(crate) fn has_no_loopback() -> bool {
    /// `IFF_UP`, netdevice(7).
    const UP: u32 = 1;
    IDENTIFY.load() != 0 && loopback_flags().is_some_and(|flags| flags & UP == 0)
}

#[inline(always)]
fn loopback_flags() -> Option<u32> {
    let layout = LAYOUT.get_ptr(0)?;
    // SAFETY: the helper has no preconditions.
    let task = unsafe { bpf_get_current_task() };
    let namespaces: u64 = read(task, field!(layout, nsproxy))?;
    let network: u64 = read(namespaces, field!(layout, net_ns))?;
    let device: u64 = read(network, field!(layout, loopback_dev))?;
    read(device, field!(layout, device_flags))
}

#[inline(always)]
fn current() -> Option<(u64, ProcessKey, *const Layout)> {
    if IDENTIFY.load() == 0 {
        return None;
    }
    let layout = LAYOUT.get_ptr(0)?;
    // SAFETY: the helper has no preconditions.
    let task = unsafe { bpf_get_current_task() };
    Some((task, key_of(task, layout)?, layout))
}

/// Which program a thread runs.
#[inline(always)]
fn key_of(task: u64, layout: *const Layout) -> Option<ProcessKey> {
    let leader: u64 = read(task, field!(layout, group_leader))?;
    let exec: u64 = read(task, field!(layout, self_exec_id))?;
    Some(ProcessKey {
        start: read(leader, field!(layout, start_boottime))?,
        tgid: read(leader, field!(layout, tgid))?,
        exec: exec as u32,
    })
}

/// Writes into the map itself. Of threads that do so at the same time only the first one may: to insert again would
/// free the entry that another one is writing into, and the kernel gives freed entries of an LRU away at once.
#[inline(always)]
fn remember(task: u64, key: &ProcessKey, layout: *const Layout) {
    let Some(blank) = BLANK.get(0) else {
        return;
    };
    if IMAGES.insert(key, blank, u64::from(BPF_NOEXIST)).is_err() {
        return;
    }
    let Some(image) = IMAGES.get_ptr_mut(key) else {
        return;
    };
    read_ancestors(image, task, layout);
    set!(image, path_at, PATH as u32);
    if read_program(image, task, layout).is_none() {
        // A part of a path would be another path.
        set!(image, path_at, PATH as u32);
    }
    set!(image, ready, 1);
}

#[inline(always)]
fn read_ancestors(image: *mut Image, task: u64, layout: *const Layout) {
    let mut task = task;
    for i in 0..ANCESTORS {
        let Some(parent) = read::<u64>(task, field!(layout, real_parent)) else {
            return;
        };
        let Some(key) = key_of(parent, layout) else {
            return;
        };
        if key.tgid <= INIT {
            return;
        }
        // SAFETY: the entry is valid as long as the program runs, and `i` less than the array's length.
        unsafe {
            let ancestors = addr_of_mut!((*image).ancestors).cast::<ProcessKey>();
            ancestors.add(i).write_volatile(key);
        }
        task = parent;
    }
}

#[inline(always)]
fn read_program(image: *mut Image, task: u64, layout: *const Layout) -> Option<()> {
    let memory: u64 = read(task, field!(layout, mm))?;
    // It may have been swapped out: that is no reason to keep the rest back.
    _ = read_arguments(image, memory, layout);
    let file: u64 = read(memory, field!(layout, exe_file))?;
    let inode: u64 = read(file, field!(layout, f_inode))?;
    let device: u64 = read(inode, field!(layout, i_sb))?;
    set!(image, inode, read(inode, field!(layout, i_ino))?);
    set!(image, device, read(device, field!(layout, s_dev))?);
    read_path(image, file, layout)
}

/// The command line is the process's own memory: it may say anything.
#[inline(always)]
fn read_arguments(image: *mut Image, memory: u64, layout: *const Layout) -> Option<()> {
    let start: u64 = read(memory, field!(layout, arg_start))?;
    let end: u64 = read(memory, field!(layout, arg_end))?;
    let there = end.wrapping_sub(start);
    let length = if there > ARGUMENTS as u64 {
        ARGUMENTS as u32
    } else {
        there as u32
    };
    // SAFETY: the array has room for that much.
    let failed = unsafe {
        let to = addr_of_mut!((*image).arguments).cast();
        bpf_probe_read_user(to, length, start as *const _)
    };
    if failed == 0 {
        set!(image, arguments_length, length);
    }
    Some(())
}

/// From the executable to the root, writing from the array's end to its beginning.
#[inline(always)]
fn read_path(image: *mut Image, file: u64, layout: *const Layout) -> Option<()> {
    let mut mount: u64 = read(file, field!(layout, file_mount))?;
    let mut entry: u64 = read(file, field!(layout, file_dentry))?;
    for _ in 0..DEPTH {
        let root: u64 = read(mount, field!(layout, mnt_root))?;
        let parent: u64 = read(entry, field!(layout, d_parent))?;
        if entry == root || entry == parent {
            let outer = mount.wrapping_sub(u64::from(field!(layout, mnt)));
            let above: u64 = read(outer, field!(layout, mnt_parent))?;
            if above == outer || entry != root {
                return Some(());
            }
            entry = read(outer, field!(layout, mnt_mountpoint))?;
            mount = above.wrapping_add(u64::from(field!(layout, mnt)));
        } else {
            prepend(image, entry, layout)?;
            entry = parent;
        }
    }
    None
}

/// Writes a slash and a name in front of the path.
#[inline(always)]
fn prepend(image: *mut Image, entry: u64, layout: *const Layout) -> Option<()> {
    let name: u64 = read(entry, field!(layout, name))?;
    let length: u32 = read(entry, field!(layout, name_length))?;
    let length = length & 0xff;
    let at = field!(image, path_at);
    if at < length + 1 {
        return None;
    }
    let at = at - length;
    let slash = (at - 1) as usize & (PATH - 1);
    set!(image, path_at, slash as u32);
    // SAFETY: the array is 256 octets longer than what the index is masked to.
    let failed = unsafe {
        let path = addr_of_mut!((*image).path).cast::<u8>();
        path.add(slash).write_volatile(b'/');
        bpf_probe_read_kernel(path.add(slash + 1).cast(), length, name as *const _)
    };
    (failed == 0).then_some(())
}

/// Reads a value of the kernel's, wherever that is.
#[inline(always)]
fn read<T: Copy + Default>(base: u64, offset: u32) -> Option<T> {
    let mut value = T::default();
    // SAFETY: the buffer has the length that is given, and the helper survives any address.
    let failed = unsafe {
        let from = base.wrapping_add(u64::from(offset)) as *const _;
        bpf_probe_read_kernel(addr_of_mut!(value).cast(), size_of::<T>() as u32, from)
    };
    (failed == 0).then_some(value)
}
