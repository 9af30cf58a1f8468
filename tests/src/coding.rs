//! Content codings (RFC 9110, section 8.4.1), whole and in steps.

use std::{
    io::{self, Read, Write},
    sync::{Arc, Mutex},
};

use flate2::{Compression, read, write};

/// How a body is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Coding {
    /// Not at all.
    #[default]
    Identity,
    /// gzip.
    Gzip,
    /// deflate, which is the zlib format.
    Deflate,
    /// Brotli.
    Br,
    /// Zstandard.
    Zstd,
}

impl Coding {
    /// All that compress.
    pub const ALL: [Self; 4] = [Self::Gzip, Self::Deflate, Self::Br, Self::Zstd];

    /// Its name in `content-encoding`; `None` for none.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::Identity => None,
            Self::Gzip => Some("gzip"),
            Self::Deflate => Some("deflate"),
            Self::Br => Some("br"),
            Self::Zstd => Some("zstd"),
        }
    }

    /// The coding of that name; `None` for one that the lab does not know.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let lower = name.trim().to_ascii_lowercase();
        if lower.is_empty() || lower == "identity" {
            return Some(Self::Identity);
        }
        Self::ALL
            .into_iter()
            .find(|coding| coding.name() == Some(lower.as_str()))
    }

    /// Compresses a whole body.
    #[must_use]
    pub fn encode(self, body: &[u8]) -> Vec<u8> {
        let mut encoder = Encoder::new(self);
        let mut coded = encoder.push(body);
        coded.extend(encoder.finish());
        coded
    }

    /// Decompresses a whole body; `None` where it is not in this coding.
    #[must_use]
    pub fn decode(self, body: &[u8]) -> Option<Vec<u8>> {
        let mut plain = Vec::new();
        let read = match self {
            Self::Identity => return Some(body.to_vec()),
            Self::Gzip => read::MultiGzDecoder::new(body).read_to_end(&mut plain),
            Self::Deflate => read::ZlibDecoder::new(body).read_to_end(&mut plain),
            Self::Br => brotli::Decompressor::new(body, 4096).read_to_end(&mut plain),
            Self::Zstd => zstd::stream::read::Decoder::new(body)
                .ok()?
                .read_to_end(&mut plain),
        };
        read.ok().map(|_| plain)
    }
}

/// Compresses in steps, so that every event can go out as it is made.
pub(crate) struct Encoder {
    writer: Box<dyn Write + Send>,
    coded: Buffer,
}

impl Encoder {
    pub(crate) fn new(coding: Coding) -> Self {
        let coded = Buffer::default();
        let sink = coded.clone();
        let writer: Box<dyn Write + Send> = match coding {
            Coding::Identity => Box::new(sink),
            Coding::Gzip => Box::new(write::GzEncoder::new(sink, Compression::fast())),
            Coding::Deflate => Box::new(write::ZlibEncoder::new(sink, Compression::fast())),
            Coding::Br => Box::new(brotli::CompressorWriter::new(sink, 4096, 4, 20)),
            Coding::Zstd => {
                let encoder = zstd::stream::write::Encoder::new(sink, 1).expect("zstd");
                Box::new(encoder.auto_finish())
            }
        };
        Self { writer, coded }
    }

    /// The bytes that let a reader see all of `plain`.
    pub(crate) fn push(&mut self, plain: &[u8]) -> Vec<u8> {
        let written = self
            .writer
            .write_all(plain)
            .and_then(|()| self.writer.flush());
        written.expect("writing into memory");
        self.coded.take()
    }

    /// The bytes that end the body.
    pub(crate) fn finish(self) -> Vec<u8> {
        // Every one of these writers ends its format when it is dropped.
        drop(self.writer);
        self.coded.take()
    }
}

/// Where a writer's bytes can be fetched from while it still writes.
#[derive(Debug, Clone, Default)]
struct Buffer {
    bytes: Arc<Mutex<Vec<u8>>>,
}

impl Buffer {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.bytes.lock().unwrap())
    }
}

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_coding_reads_back_what_it_wrote() {
        let body = "data: {\"delta\":\"ü\"}\n\n".repeat(50);
        for coding in Coding::ALL {
            assert_eq!(
                coding.decode(&coding.encode(body.as_bytes())).unwrap(),
                body.as_bytes()
            );
            assert_eq!(Coding::named(coding.name().unwrap()), Some(coding));
        }
    }

    #[test]
    fn every_step_can_be_read_before_the_next() {
        for coding in Coding::ALL {
            let mut encoder = Encoder::new(coding);
            let first = encoder.push(b"first event");
            assert!(first.len() > 4, "{coding:?} keeps the event back");
            let whole = [first, encoder.push(b", second"), encoder.finish()].concat();
            assert_eq!(coding.decode(&whole).unwrap(), b"first event, second");
        }
    }
}
