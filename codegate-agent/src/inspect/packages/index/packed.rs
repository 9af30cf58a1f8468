//! The records in memory, as short as they can be read fast.
//!
//! A row is one package: its ecosystem, its name, and its records one after another. A text is its
//! length and its bytes; a list is its length and its items. Rows live no longer than the process: what
//! is on disk has another form.

use std::hash::BuildHasher;

use foldhash::quality::FixedState;

use super::super::{
    Affected, Feed, Record, Status,
    affected::{Event, Range, Scheme},
    hashes::Hashes,
};

/// Rows together take no more than this, in bytes; what comes after it has to be read from the file.
const MOST: usize = 24 << 20;

/// Records by package.
#[derive(Debug, Default)]
pub(super) struct Packed {
    hashes: Hashes,
    /// Where the row of each hash begins, by its place.
    starts: Vec<u32>,
    rows: Vec<u8>,
}

/// What memory knows of a package.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// It has no records.
    Nothing,
    /// It has these.
    Records(Vec<Record>),
    /// It has some, but there was no room for them.
    OnDisk,
}

/// Collects rows.
#[derive(Debug, Default)]
pub(super) struct Packer {
    starts: Vec<(u64, u32)>,
    rows: Vec<u8>,
}

impl Packer {
    pub(super) fn add(&mut self, key: (u8, &str), records: &[Record]) {
        let start = self.rows.len();
        let known = match start < MOST {
            true => start as u32,
            false => u32::MAX,
        };
        self.starts.push((hash(key), known));
        if known != u32::MAX {
            self.rows.push(key.0);
            text(&mut self.rows, key.1);
            list(&mut self.rows, records, record);
        }
    }

    pub(super) fn finish(mut self) -> Packed {
        self.starts.sort_unstable();
        self.rows.shrink_to_fit();
        let hashes = self.starts.iter().map(|(hash, _)| *hash);
        Packed {
            hashes: Hashes::in_order(hashes, self.starts.len()),
            starts: self.starts.iter().map(|(_, start)| *start).collect(),
            rows: self.rows,
        }
    }
}

impl Packed {
    /// The records of a package.
    pub(super) fn of(&self, key: (u8, &str)) -> Found {
        let starts = self.starts.get(self.hashes.places(hash(key)));
        for start in starts.unwrap_or_default() {
            let Some(row) = self.rows.get(*start as usize..) else {
                return Found::OnDisk;
            };
            let mut row = Row(row);
            if (row.byte(), row.slice()) == (Some(key.0), Some(key.1.as_bytes())) {
                return row.list(Row::record).map_or(Found::OnDisk, Found::Records);
            }
        }
        Found::Nothing
    }
}

fn hash(key: (u8, &str)) -> u64 {
    // The seed is any: rows are compared by name.
    FixedState::with_seed(0).hash_one(key)
}

fn number(out: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn text(out: &mut Vec<u8>, text: &str) {
    number(out, text.len());
    out.extend_from_slice(text.as_bytes());
}

fn list<T>(out: &mut Vec<u8>, items: &[T], item: impl Fn(&mut Vec<u8>, &T)) {
    number(out, items.len());
    items.iter().for_each(|one| item(out, one));
}

fn record(out: &mut Vec<u8>, record: &Record) {
    let string = |out: &mut Vec<u8>, string: &String| text(out, string);
    out.push(record.status as u8);
    out.push(record.feed as u8);
    text(out, &record.id);
    text(out, &record.summary);
    list(out, &record.sources, string);
    list(out, record.published.as_slice(), string);
    list(out, record.modified.as_slice(), string);
    list(out, &record.affected.versions, string);
    list(out, &record.affected.ranges, |out, range| {
        out.push(range.scheme as u8);
        list(out, &range.events, |out, event| {
            out.push(match event {
                Event::Introduced(_) => 0,
                Event::Fixed(_) => 1,
                Event::LastAffected(_) => 2,
            });
            text(out, event.version());
        });
    });
}

/// The rest of a row.
struct Row<'a>(&'a [u8]);

impl<'a> Row<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn number(&mut self) -> Option<usize> {
        let (mut number, mut shift) = (0_usize, 0);
        loop {
            let byte = self.byte()?;
            number |= usize::from(byte & 0x7f).checked_shl(shift)?;
            shift += 7;
            if byte < 0x80 {
                return Some(number);
            }
        }
    }

    fn slice(&mut self) -> Option<&'a [u8]> {
        let length = self.number()?;
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(text)
    }

    fn text(&mut self) -> Option<String> {
        String::from_utf8(self.slice()?.to_vec()).ok()
    }

    fn list<T>(&mut self, item: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        (0..self.number()?).map(|_| item(self)).collect()
    }

    fn record(&mut self) -> Option<Record> {
        let status = variant(self.byte()?, &Status::ALL)?;
        let feed = variant(self.byte()?, &Feed::ALL)?;
        Some(Record {
            status,
            feed,
            id: self.text()?,
            summary: self.text()?,
            sources: self.list(Self::text)?,
            published: self.list(Self::text)?.pop(),
            modified: self.list(Self::text)?.pop(),
            affected: Affected {
                versions: self.list(Self::text)?,
                ranges: self.list(Self::range)?,
            },
        })
    }

    fn range(&mut self) -> Option<Range> {
        Some(Range {
            scheme: variant(self.byte()?, &[Scheme::Semver, Scheme::Ecosystem])?,
            events: self.list(Self::event)?,
        })
    }

    fn event(&mut self) -> Option<Event> {
        let event = [Event::Introduced, Event::Fixed, Event::LastAffected];
        let event = event.get(usize::from(self.byte()?))?;
        Some(event(self.text()?))
    }
}

/// The variant with a number, of all in their order.
fn variant<T: Copy>(number: u8, all: &[T]) -> Option<T> {
    all.get(usize::from(number)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records() -> Vec<Record> {
        let event = Event::LastAffected("x".repeat(300));
        let range = Range {
            scheme: Scheme::Ecosystem,
            events: vec![
                Event::Introduced("0".into()),
                Event::Fixed("2".into()),
                event,
            ],
        };
        let one = |(status, feed)| Record {
            id: format!("{status}-{feed}"),
            status,
            feed,
            sources: vec!["a".into(), "é".into()],
            summary: "s".repeat(20_000),
            published: Some("2025-01-01".into()),
            modified: None,
            affected: Affected {
                versions: vec!["1".into(), String::new()],
                ranges: vec![range.clone()],
            },
        };
        let feeds = Feed::ALL.into_iter().cycle();
        Status::ALL.into_iter().zip(feeds).map(one).collect()
    }

    #[test]
    fn what_is_packed_is_the_same_when_it_is_read() {
        let mut packer = Packer::default();
        packer.add((1, "a"), &records());
        packer.add((2, "a"), &[]);
        let packed = packer.finish();
        assert_eq!(packed.of((1, "a")), Found::Records(records()));
        assert_eq!(packed.of((2, "a")), Found::Records(Vec::new()));
        assert_eq!(packed.of((1, "b")), Found::Nothing);
        assert_eq!(Packed::default().of((1, "a")), Found::Nothing);
    }

    #[test]
    fn what_has_no_room_is_known_to_be_on_disk() {
        let mut packer = Packer::default();
        let many: Vec<String> = (0..400).map(|i| format!("name-{i}")).collect();
        for name in &many {
            packer.add((1, name), &records());
        }
        let packed = packer.finish();
        assert!(packed.rows.len() < MOST + (1 << 20));
        assert!(matches!(packed.of((1, "name-0")), Found::Records(_)));
        assert_eq!(packed.of((1, "name-399")), Found::OnDisk);
        assert_eq!(packed.of((1, "name-400")), Found::Nothing);
    }
}
