//! Where things are in the running kernel's structures: read from the type information that it carries
//! (Documentation/bpf/btf.rst in its sources).

use std::fs;

use codegate_ebpf::image::Layout;

const VMLINUX: &str = "/sys/kernel/btf/vmlinux";
const MAGIC: u16 = 0xeb9f;

/// Kinds of types that have members, or stand for another type.
const STRUCT: u32 = 4;
const UNION: u32 = 5;

/// How deep anonymous structures lie within each other at most.
const DEPTH: usize = 8;

/// The layout of this kernel.
///
/// # Errors
/// Why it is unknown, for people.
pub(super) fn layout() -> Result<Layout, String> {
    let bytes = fs::read(VMLINUX).map_err(|error| format!("{VMLINUX}: {error}"))?;
    let types = Types::parse(&bytes).ok_or_else(|| format!("{VMLINUX} cannot be understood"))?;
    types.layout()
}

/// All types, by where they stand.
struct Types<'btf> {
    types: &'btf [u8],
    strings: &'btf [u8],
    /// The place of each type; the first one has the number 1.
    places: Vec<usize>,
}

/// A type's head: three words, of which the last is a size or another type.
struct Head {
    name: u32,
    info: u32,
}

impl Head {
    fn kind(&self) -> u32 {
        self.info >> 24 & 0x1f
    }

    fn members(&self) -> usize {
        (self.info & 0xffff) as usize
    }

    /// How many octets follow the head; `None` for a kind that is newer than this.
    fn behind(&self) -> Option<usize> {
        match self.kind() {
            2 | 7..=12 | 16 | 18 => Some(0),
            1 | 14 | 17 => Some(4),
            3 => Some(12),
            STRUCT | UNION | 15 | 19 => Some(12 * self.members()),
            6 | 13 => Some(8 * self.members()),
            _ => None,
        }
    }
}

const HEAD: usize = 12;

impl<'btf> Types<'btf> {
    fn parse(bytes: &'btf [u8]) -> Option<Self> {
        let magic = u16::from_ne_bytes(bytes.get(..2)?.try_into().ok()?);
        if magic != MAGIC {
            return None;
        }
        let header = word(bytes, 4)? as usize;
        let section = |offset, length| {
            let start = header.checked_add(word(bytes, offset)? as usize)?;
            bytes.get(start..start.checked_add(word(bytes, length)? as usize)?)
        };
        let mut types = Self {
            types: section(8, 12)?,
            strings: section(16, 20)?,
            places: Vec::new(),
        };
        let mut place = 0;
        while place < types.types.len() {
            types.places.push(place);
            place += HEAD + types.head(place)?.behind()?;
        }
        Some(types)
    }

    fn head(&self, place: usize) -> Option<Head> {
        Some(Head {
            name: word(self.types, place)?,
            info: word(self.types, place + 4)?,
        })
    }

    fn is_named(&self, name: u32, text: &str) -> bool {
        let rest = self.strings.get(name as usize..).unwrap_or_default();
        rest.strip_prefix(text.as_bytes())
            .is_some_and(|rest| rest.first() == Some(&0))
    }

    /// The offset of a member, in octets, through anonymous structures and unions.
    fn member(&self, place: usize, member: &str, depth: usize) -> Option<u32> {
        let head = self.head(place)?;
        if depth == DEPTH || !matches!(head.kind(), STRUCT | UNION) {
            return None;
        }
        (0..head.members()).find_map(|n| {
            let at = place + HEAD + n * 12;
            let (name, kind, offset) = (
                word(self.types, at)?,
                word(self.types, at + 4)?,
                word(self.types, at + 8)?,
            );
            // With the first bit of `info` the width of a bit field stands in the upper octet.
            let bits = if head.info >> 31 == 1 {
                offset & 0xff_ffff
            } else {
                offset
            };
            if self.is_named(name, member) {
                return Some(bits / 8);
            }
            if name != 0 {
                return None;
            }
            let inner = *self.places.get((kind as usize).checked_sub(1)?)?;
            Some(bits / 8 + self.member(inner, member, depth + 1)?)
        })
    }

    fn offset(&self, structure: &str, member: &str) -> Result<u32, String> {
        let structures = self.places.iter().filter(|place| {
            let head = self.head(**place);
            head.is_some_and(|head| head.kind() == STRUCT && self.is_named(head.name, structure))
        });
        let mut found = structures.filter_map(|place| self.member(*place, member, 0));
        found
            .next()
            .ok_or_else(|| format!("{VMLINUX} tells of no {structure}.{member}"))
    }

    fn layout(&self) -> Result<Layout, String> {
        let task = |member| self.offset("task_struct", member);
        let memory = |member| self.offset("mm_struct", member);
        let file = |member| self.offset("file", member);
        let inode = |member| self.offset("inode", member);
        let entry = |member| self.offset("dentry", member);
        let mount = |member| self.offset("mount", member);
        let path = file("f_path")?;
        let name = entry("d_name")?;
        Ok(Layout {
            group_leader: task("group_leader")?,
            real_parent: task("real_parent")?,
            tgid: task("tgid")?,
            start_boottime: task("start_boottime")?,
            self_exec_id: task("self_exec_id")?,
            mm: task("mm")?,
            exe_file: memory("exe_file")?,
            arg_start: memory("arg_start")?,
            arg_end: memory("arg_end")?,
            file_mount: path + self.offset("path", "mnt")?,
            file_dentry: path + self.offset("path", "dentry")?,
            f_inode: file("f_inode")?,
            i_ino: inode("i_ino")?,
            i_sb: inode("i_sb")?,
            s_dev: self.offset("super_block", "s_dev")?,
            d_parent: entry("d_parent")?,
            name: name + self.offset("qstr", "name")?,
            name_length: name + self.offset("qstr", "len")?,
            mnt_root: self.offset("vfsmount", "mnt_root")?,
            mnt: mount("mnt")?,
            mnt_parent: mount("mnt_parent")?,
            mnt_mountpoint: mount("mnt_mountpoint")?,
            nsproxy: task("nsproxy")?,
            net_ns: self.offset("nsproxy", "net_ns")?,
            loopback_dev: self.offset("net", "loopback_dev")?,
            device_flags: self.offset("net_device", "flags")?,
        })
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let octets = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_ne_bytes(octets.try_into().ok()?))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use super::*;

    fn words(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_ne_bytes()).collect()
    }

    /// `struct a { int x; union { int y; }; }`, with its union first.
    fn sample() -> Vec<u8> {
        let types = words(
            &[
                [1, 1 << 24, 4, 32].as_slice(),
                &[0, UNION << 24 | 1, 4, 7, 1, 0],
                &[5, STRUCT << 24 | 2, 8, 9, 1, 0, 0, 2, 32],
            ]
            .concat(),
        );
        let strings = b"\0int\0a\0y\0x\0";
        let lengths = [
            24,
            0,
            types.len() as u32,
            types.len() as u32,
            strings.len() as u32,
        ];
        let mut bytes = [&MAGIC.to_ne_bytes()[..], &[1, 0]].concat();
        bytes.extend(words(&lengths));
        bytes.extend(types);
        bytes.extend(strings);
        bytes
    }

    #[test]
    fn members_are_found_through_anonymous_unions() {
        let bytes = sample();
        let types = Types::parse(&bytes).unwrap();
        assert_eq!(types.offset("a", "x"), Ok(0));
        assert_eq!(types.offset("a", "y"), Ok(4));
        assert!(types.offset("a", "z").is_err());
        assert!(types.offset("int", "x").is_err());
    }

    #[test]
    fn what_is_cut_short_is_not_understood() {
        let bytes = sample();
        for end in 0..bytes.len() {
            assert!(Types::parse(&bytes[..end]).is_none(), "{end}");
        }
    }

    #[test]
    fn this_kernel_tells_its_layout() {
        let layout = layout().unwrap();
        assert_ne!(layout.tgid, 0);
        assert_ne!(layout.name, layout.name_length);
    }
}
