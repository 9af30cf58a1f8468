//! Content encodings (RFC 9110 section 8.4.1): taken off within limits, put on again.
//!
//! Knows: compressed bytes. Must not know: what they mean.

use std::io::{self, Write};

use http::{HeaderMap, header::CONTENT_ENCODING};
use zstd::stream::raw::{InBuffer, Operation, OutBuffer};

/// The most encodings one body may be wrapped in; real clients use one.
const MAX_LAYERS: usize = 3;

/// One content encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// RFC 1952.
    Gzip,
    /// RFC 1950, or the bare RFC 1951 stream that some senders mean by it.
    Deflate,
    /// RFC 7932.
    Brotli,
    /// RFC 8878.
    Zstd,
}

/// Why a body could not be decoded.
#[derive(Debug, thiserror::Error)]
pub enum CodingError {
    /// An encoding that the guard does not know.
    #[error("unknown content encoding {0:?}")]
    Unknown(String),
    /// More layers than anybody needs.
    #[error("more than {MAX_LAYERS} content encodings")]
    TooDeep,
    /// The decoded body is larger than allowed.
    #[error("the decoded body is larger than {0} bytes")]
    TooLarge(usize),
    /// The compressed bytes are damaged or end too early.
    #[error("the compressed body is damaged: {0}")]
    Damaged(io::Error),
}

/// The encodings of a body in the order they were applied; empty for an unencoded one.
///
/// # Errors
/// [`CodingError::Unknown`] and [`CodingError::TooDeep`].
pub fn codings(headers: &HeaderMap) -> Result<Vec<Coding>, CodingError> {
    let mut found = Vec::new();
    for value in headers.get_all(CONTENT_ENCODING) {
        let text = String::from_utf8_lossy(value.as_bytes());
        for token in text.split(',').map(str::trim) {
            found.extend(Coding::parse(token)?);
        }
    }
    if found.len() > MAX_LAYERS {
        Err(CodingError::TooDeep)
    } else {
        Ok(found)
    }
}

/// Decodes a whole body.
///
/// # Errors
/// [`CodingError::TooLarge`] past `limit` bytes in any layer, [`CodingError::Damaged`].
pub fn decode(body: &[u8], codings: &[Coding], limit: usize) -> Result<Vec<u8>, CodingError> {
    let mut bytes = None;
    for coding in codings.iter().rev() {
        let mut decoder = Decoder::new(*coding, limit);
        let mut decoded = decoder.push(bytes.as_deref().unwrap_or(body))?;
        decoded.extend(decoder.finish()?);
        bytes = Some(decoded);
    }
    Ok(bytes.unwrap_or_else(|| body.to_vec()))
}

/// Encodes a whole body, at the speed-over-size levels that a client on the way to a model uses.
///
/// # Errors
/// Whatever the encoder reports; writing to memory, it does not.
pub fn encode(body: &[u8], codings: &[Coding]) -> io::Result<Vec<u8>> {
    let mut bytes = None;
    for coding in codings {
        bytes = Some(coding.encode(bytes.as_deref().unwrap_or(body))?);
    }
    Ok(bytes.unwrap_or_else(|| body.to_vec()))
}

impl Coding {
    fn parse(token: &str) -> Result<Option<Self>, CodingError> {
        Ok(match token.to_ascii_lowercase().as_str() {
            "" | "identity" => None,
            "gzip" | "x-gzip" => Some(Self::Gzip),
            "deflate" => Some(Self::Deflate),
            "br" => Some(Self::Brotli),
            "zstd" => Some(Self::Zstd),
            _ => return Err(CodingError::Unknown(token.to_owned())),
        })
    }

    fn encode(self, body: &[u8]) -> io::Result<Vec<u8>> {
        let sink = Vec::with_capacity(body.len() / 3);
        match self {
            Self::Gzip => {
                let mut w = flate2::write::GzEncoder::new(sink, flate2::Compression::fast());
                w.write_all(body)?;
                w.finish()
            }
            Self::Deflate => {
                let mut w = flate2::write::ZlibEncoder::new(sink, flate2::Compression::fast());
                w.write_all(body)?;
                w.finish()
            }
            Self::Brotli => {
                let mut w = brotli::CompressorWriter::new(sink, 4096, 3, 20);
                w.write_all(body)?;
                w.flush()?;
                Ok(w.into_inner())
            }
            Self::Zstd => zstd::bulk::compress(body, 1),
        }
    }
}

/// Takes one encoding off a body that arrives in pieces.
pub struct Decoder {
    layer: Layer,
    limit: usize,
}

enum Layer {
    Gzip(Box<flate2::write::MultiGzDecoder<Limited>>),
    /// `deflate` whose form the first two bytes will tell.
    Undecided(Vec<u8>),
    Deflate {
        inflate: flate2::Decompress,
        ended: bool,
    },
    Brotli(Box<brotli::DecompressorWriter<Limited>>),
    Zstd {
        decoder: zstd::stream::raw::Decoder<'static>,
        ended: bool,
    },
    /// The decoder could not be made (out of memory).
    Broken,
}

impl Decoder {
    /// A decoder that yields at most `limit` bytes for each piece it is given.
    pub fn new(coding: Coding, limit: usize) -> Self {
        let sink = Limited {
            bytes: Vec::new(),
            limit,
        };
        let layer = match coding {
            Coding::Gzip => Layer::Gzip(Box::new(flate2::write::MultiGzDecoder::new(sink))),
            Coding::Deflate => Layer::Undecided(Vec::new()),
            Coding::Brotli => Layer::Brotli(Box::new(brotli::DecompressorWriter::new(sink, 4096))),
            Coding::Zstd => {
                zstd::stream::raw::Decoder::new().map_or(Layer::Broken, |decoder| Layer::Zstd {
                    decoder,
                    ended: true,
                })
            }
        };
        Self { layer, limit }
    }

    /// Decodes what has arrived and gives all that it yields.
    ///
    /// # Errors
    /// [`CodingError::TooLarge`], [`CodingError::Damaged`].
    pub fn push(&mut self, chunk: &[u8]) -> Result<Vec<u8>, CodingError> {
        match &mut self.layer {
            Layer::Gzip(w) => {
                let written = w.write_all(chunk).and_then(|()| w.flush());
                w.get_mut().delivered(written)
            }
            Layer::Brotli(w) => {
                let written = w.write_all(chunk);
                w.get_mut().delivered(written)
            }
            Layer::Deflate { inflate, ended } => inflate_into(inflate, ended, chunk, self.limit),
            Layer::Zstd { decoder, ended } => unzstd_into(decoder, ended, chunk, self.limit),
            Layer::Undecided(_) => self.settle(chunk),
            Layer::Broken => Err(damaged(io::ErrorKind::OutOfMemory)),
        }
    }

    /// The body has ended: checks that the encoding has too, and gives the rest.
    ///
    /// # Errors
    /// [`CodingError::Damaged`] where the compressed stream was cut short.
    pub fn finish(&mut self) -> Result<Vec<u8>, CodingError> {
        match &mut self.layer {
            Layer::Gzip(w) => {
                let finished = w.try_finish();
                w.get_mut().delivered(finished)
            }
            Layer::Brotli(w) => {
                let closed = w.close();
                w.get_mut().delivered(closed)
            }
            Layer::Deflate { ended: true, .. } | Layer::Zstd { ended: true, .. } => Ok(Vec::new()),
            _ => Err(damaged(io::ErrorKind::UnexpectedEof)),
        }
    }

    /// A zlib stream begins with a header whose two bytes, read big-endian, are a multiple of 31
    /// (RFC 1950 section 2.2); anything else sent as `deflate` is the bare stream.
    fn settle(&mut self, chunk: &[u8]) -> Result<Vec<u8>, CodingError> {
        let Layer::Undecided(seen) = &mut self.layer else {
            return Ok(Vec::new());
        };
        seen.extend_from_slice(chunk);
        let &[first, second, ..] = seen.as_slice() else {
            return Ok(Vec::new());
        };
        let start = std::mem::take(seen);
        let zlib = first & 0x0f == 8 && u16::from_be_bytes([first, second]).is_multiple_of(31);
        self.layer = Layer::Deflate {
            inflate: flate2::Decompress::new(zlib),
            ended: false,
        };
        self.push(&start)
    }
}

/// How much is decoded between two looks at the limit.
const STEP: usize = 32 * 1024;

fn inflate_into(
    inflate: &mut flate2::Decompress,
    ended: &mut bool,
    mut chunk: &[u8],
    limit: usize,
) -> Result<Vec<u8>, CodingError> {
    let mut out = Vec::new();
    loop {
        if *ended {
            let clean = chunk.is_empty();
            return if clean {
                Ok(out)
            } else {
                Err(damaged(io::ErrorKind::InvalidData))
            };
        }
        out.reserve(STEP);
        let (read, written) = (inflate.total_in(), inflate.total_out());
        let status = inflate
            .decompress_vec(chunk, &mut out, flate2::FlushDecompress::Sync)
            .map_err(|e| CodingError::Damaged(e.into()))?;
        chunk = &chunk[((inflate.total_in() - read) as usize).min(chunk.len())..];
        *ended = status == flate2::Status::StreamEnd;
        within(&out, limit)?;
        let idle = inflate.total_in() == read && inflate.total_out() == written;
        if !*ended && chunk.is_empty() && (idle || out.len() < out.capacity()) {
            return Ok(out);
        }
        if idle && !*ended {
            return Err(damaged(io::ErrorKind::InvalidData));
        }
    }
}

fn unzstd_into(
    decoder: &mut zstd::stream::raw::Decoder<'static>,
    ended: &mut bool,
    chunk: &[u8],
    limit: usize,
) -> Result<Vec<u8>, CodingError> {
    let (mut out, mut step) = (Vec::new(), vec![0; STEP]);
    let mut input = InBuffer::around(chunk);
    loop {
        let mut output = OutBuffer::around(step.as_mut_slice());
        if input.pos() < chunk.len() || !*ended {
            let hint = decoder
                .run(&mut input, &mut output)
                .map_err(CodingError::Damaged)?;
            *ended = hint == 0;
        }
        let written = output.pos();
        out.extend_from_slice(step.get(..written).unwrap_or_default());
        within(&out, limit)?;
        if input.pos() >= chunk.len() && written < STEP {
            return Ok(out);
        }
    }
}

fn within(out: &[u8], limit: usize) -> Result<(), CodingError> {
    if out.len() > limit {
        Err(CodingError::TooLarge(limit))
    } else {
        Ok(())
    }
}

fn damaged(kind: io::ErrorKind) -> CodingError {
    CodingError::Damaged(kind.into())
}

/// A buffer that refuses to grow past its limit, so that a small bomb cannot become a large one.
struct Limited {
    bytes: Vec<u8>,
    limit: usize,
}

impl Limited {
    fn delivered(&mut self, result: io::Result<()>) -> Result<Vec<u8>, CodingError> {
        match result {
            Ok(()) => Ok(std::mem::take(&mut self.bytes)),
            Err(_) if self.bytes.len() >= self.limit => Err(CodingError::TooLarge(self.limit)),
            Err(error) => Err(CodingError::Damaged(error)),
        }
    }
}

impl Write for Limited {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let room = self.limit - self.bytes.len();
        if room == 0 && !data.is_empty() {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let taken = data.len().min(room);
        self.bytes.extend_from_slice(&data[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
#[path = "coding_tests.rs"]
mod tests;
