//! The bytes of one file: unpacked, checked, counted, and digested.

use std::io::{self, Read};

use flate2::read::MultiGzDecoder;
use sha2::{Digest as _, Sha256};

use super::Input;
use super::error::ImportError;

/// The bytes that are read at once.
const CHUNK_BYTES: usize = 64 << 10;
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
const SQLITE_MAGIC: &[u8] = b"SQLite format 3\0";
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The file itself.
struct Raw {
    /// The first bytes, which were read to find out whether the file is packed.
    start: io::Cursor<Vec<u8>>,
    rest: Box<dyn Read>,
    digest: Sha256,
    count: u64,
    /// Whether an error came from the file and not from unpacking.
    failed: bool,
}

impl Raw {
    fn open(mut file: Box<dyn Read>) -> (Self, io::Result<()>) {
        let mut start = Vec::new();
        let read = (&mut file).take(GZIP_MAGIC.len() as u64).read_to_end(&mut start);
        let raw = Self { start: io::Cursor::new(start), rest: file, digest: Sha256::new(), count: 0, failed: false };
        (raw, read.map(|_| ()))
    }
}

impl Read for Raw {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut length = self.start.read(buffer)?;
        if length == 0 {
            length = match self.rest.read(buffer) {
                Ok(length) => length,
                Err(error) => {
                    self.failed = error.kind() != io::ErrorKind::Interrupted;
                    return Err(error);
                }
            };
        }
        self.digest.update(&buffer[..length]);
        self.count += length as u64;
        Ok(length)
    }
}

enum Layer {
    Plain(Raw),
    Gzip(Box<MultiGzDecoder<Raw>>),
}

impl Layer {
    fn raw(&self) -> &Raw {
        match self {
            Self::Plain(raw) => raw,
            Self::Gzip(unpacked) => unpacked.get_ref(),
        }
    }
}

impl Read for Layer {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(raw) => raw.read(buffer),
            Self::Gzip(unpacked) => unpacked.read(buffer),
        }
    }
}

/// The text of a file in pieces: valid UTF-8 without NUL and without a byte order mark.
pub(super) struct Bytes {
    name: String,
    layer: Layer,
    buffer: Vec<u8>,
    /// The room for the next piece.
    piece: Vec<u8>,
    /// Where the part begins that the caller has not consumed.
    start: usize,
    /// Where the part ends that is checked. The bytes behind it begin a character whose end is not read yet.
    checked: usize,
    /// The number of the line at `start`.
    line: u64,
    /// The bytes of the text that the caller has consumed.
    consumed: u64,
    at_end: bool,
}

impl Bytes {
    pub(super) fn open(input: Input) -> Result<Self, ImportError> {
        let Input { name, bytes } = input;
        let (raw, read) = Raw::open(bytes);
        if let Err(source) = read {
            return Err(ImportError::Read { file: name, source });
        }
        let is_gzip = raw.start.get_ref().as_slice() == GZIP_MAGIC;
        let layer = if is_gzip { Layer::Gzip(Box::new(MultiGzDecoder::new(raw))) } else { Layer::Plain(raw) };
        let mut bytes = Self {
            name,
            layer,
            buffer: Vec::new(),
            piece: vec![0; CHUNK_BYTES],
            start: 0,
            checked: 0,
            line: 1,
            consumed: 0,
            at_end: false,
        };
        while bytes.buffer.len() < BYTE_ORDER_MARK.len() && bytes.read_more()? {}
        if bytes.buffer.starts_with(BYTE_ORDER_MARK) {
            bytes.start = BYTE_ORDER_MARK.len();
        }
        Ok(bytes)
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The number of the line of the next byte, from 1.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// The bytes of the file that were read so far, as they are in the file.
    pub(super) fn bytes_read(&self) -> u64 {
        self.layer.raw().count
    }

    /// The bytes of the text that were consumed so far, unpacked.
    pub(super) fn consumed(&self) -> u64 {
        self.consumed
    }

    /// The start of the text, at least as many bytes. `true` if it is the whole text.
    pub(super) fn sample(&mut self, bytes: usize) -> Result<(&[u8], bool), ImportError> {
        while self.checked - self.start < bytes && self.read_more()? {}
        Ok((&self.buffer[self.start..self.checked], self.at_end))
    }

    /// The next piece of the text, empty only at the end.
    pub(super) fn fill(&mut self) -> Result<&[u8], ImportError> {
        while self.start == self.checked && self.read_more()? {}
        Ok(&self.buffer[self.start..self.checked])
    }

    pub(super) fn consume(&mut self, length: usize) {
        let end = (self.start + length).min(self.checked);
        self.line += newlines(&self.buffer[self.start..end]);
        self.consumed += (end - self.start) as u64;
        self.start = end;
    }

    /// Reads the rest, and returns the SHA-256 of the file and its length.
    pub(super) fn finish(mut self) -> Result<([u8; 32], u64), ImportError> {
        loop {
            let length = self.fill()?.len();
            if length == 0 {
                let raw = self.layer.raw();
                return Ok((raw.digest.clone().finalize().into(), raw.count));
            }
            self.consume(length);
        }
    }

    /// Reads and checks another piece. `false` at the end.
    fn read_more(&mut self) -> Result<bool, ImportError> {
        if self.at_end {
            return Ok(false);
        }
        if self.start == self.checked {
            self.buffer.drain(..self.start);
            self.checked = 0;
            self.start = 0;
        }
        let read = loop {
            match self.layer.read(&mut self.piece) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        match read {
            Ok(length) => {
                self.buffer.extend_from_slice(&self.piece[..length]);
                self.at_end = length == 0;
            }
            Err(source) => {
                let file = self.name.clone();
                let is_of_file = matches!(self.layer, Layer::Plain(_)) || self.layer.raw().failed;
                return Err(if is_of_file { ImportError::Read { file, source } } else { ImportError::Gzip { file } });
            }
        }
        self.check()?;
        Ok(!self.at_end)
    }

    fn check(&mut self) -> Result<(), ImportError> {
        if self.start == 0 && self.consumed == 0 && self.buffer.starts_with(SQLITE_MAGIC) {
            return Err(ImportError::Sqlite { file: self.name.clone() });
        }
        let new = &self.buffer[self.checked..];
        let valid = match std::str::from_utf8(new) {
            Ok(text) => text.len(),
            Err(error) if error.error_len().is_none() && !self.at_end => error.valid_up_to(),
            Err(error) => {
                return Err(self.fault_at(error.valid_up_to(), |file, line| ImportError::NotUtf8 { file, line }));
            }
        };
        if let Some(place) = new[..valid].iter().position(|byte| *byte == 0) {
            return Err(self.fault_at(place, |file, line| ImportError::Nul { file, line }));
        }
        self.checked += valid;
        Ok(())
    }

    fn fault_at(&self, place: usize, fault: impl Fn(String, u64) -> ImportError) -> ImportError {
        let before = &self.buffer[self.start..self.checked + place];
        fault(self.name.clone(), self.line + newlines(before))
    }
}

fn newlines(bytes: &[u8]) -> u64 {
    bytes.iter().map(|byte| u64::from(*byte == b'\n')).sum()
}
