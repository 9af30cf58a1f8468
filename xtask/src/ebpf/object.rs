//! What becomes of the linker's output: without debugging sections, and with its origin.

use anyhow::{Context as _, Result};
use object::{
    Object as _, ObjectSection as _, build,
    elf::{SHF_MERGE, SHF_STRINGS, SHT_PROGBITS, SHT_STRTAB},
};

/// Where compilers tell of themselves.
const ORIGIN: &str = ".comment";

/// Sections that neither the kernel nor aya reads. BTF stays, but not its relocations: on this target
/// the values are in their places already.
const DEBUGGING: [&[u8]; 3] = [b".debug_", b".rel.debug_", b".rel.BTF"];

/// The object to be committed.
pub(super) fn finish(built: &[u8], origin: &str) -> Result<Vec<u8>> {
    let mut builder = build::elf::Builder::read(built).context("the linker made no ELF file")?;
    for section in &mut builder.sections {
        section.delete = DEBUGGING
            .iter()
            .any(|prefix| section.name.starts_with(prefix));
    }
    builder.delete_orphans();
    add_origin(&mut builder, origin);
    add_section_names(&mut builder);
    builder.set_section_sizes();
    let mut finished = Vec::new();
    builder
        .write(&mut finished)
        .context("cannot write the object anew")?;
    Ok(finished)
}

fn add_origin(builder: &mut build::elf::Builder<'_>, origin: &str) {
    let section = builder.sections.add();
    section.name = ORIGIN.into();
    section.sh_type = SHT_PROGBITS;
    section.sh_flags = u64::from(SHF_MERGE | SHF_STRINGS);
    section.sh_entsize = 1;
    section.sh_addralign = 1;
    section.data = build::elf::SectionData::Data(format!("{origin}\0").into_bytes().into());
}

/// LLVM keeps sections' and symbols' names in one table; the builder writes one for each.
fn add_section_names(builder: &mut build::elf::Builder<'_>) {
    let section = builder.sections.add();
    section.name = ".shstrtab".into();
    section.sh_type = SHT_STRTAB;
    section.sh_addralign = 1;
    section.data = build::elf::SectionData::SectionString;
}

/// With what an object was built.
pub(super) fn origin(object: &[u8]) -> Result<String> {
    let object = object::File::parse(object).context("the committed object is no ELF file")?;
    let section = object
        .section_by_name(ORIGIN)
        .with_context(|| format!("the committed object has no {ORIGIN} section"))?;
    let text = String::from_utf8_lossy(section.data()?).into_owned();
    Ok(text.trim_end_matches('\0').to_owned())
}
