//! Splits JSON of any size into its records: the objects of its arrays, or one object a line.

use std::rc::Rc;

use serde_json::Value;

use super::error::ImportError;
use super::input::Bytes;
use super::record::{Item, Record};
use super::{DEPTH_MAX, RECORD_BYTES_MAX};
use crate::auth::import::row::Reason;

/// Where the scanner stands between two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Start,
    /// In the array that is the whole file.
    Array,
    /// In the array of realms that is the whole file.
    Realms,
    /// In the object that is the whole file, or a realm.
    Object,
    /// In an array of that object.
    Table,
    End,
}

impl Place {
    fn depth(self) -> usize {
        match self {
            Self::Start | Self::End => 0,
            Self::Array | Self::Realms | Self::Object => 1,
            Self::Table => 2,
        }
    }
}

/// The realms of a file of Keycloak.
pub(super) struct Realms {
    /// The realm whose users are wanted; all without it.
    wanted: Option<String>,
    /// Whether the file is an array of realms.
    is_array: bool,
    /// The name of the realm that is read.
    current: Option<String>,
    /// The first realms with users.
    found: Vec<String>,
}

/// The most realms that are remembered, so that a file cannot fill the memory with them.
const REALMS_MAX: usize = 100;

impl Realms {
    pub(super) fn new(wanted: Option<&str>, is_array: bool) -> Self {
        Self { wanted: wanted.map(str::to_owned), is_array, current: None, found: Vec::new() }
    }

    /// Begins the users of a realm, and says whether they are wanted.
    fn begin_users(&mut self) -> Result<bool, &'static str> {
        let Some(current) = &self.current else {
            let is_clear = self.wanted.is_none() && !self.is_array;
            return if is_clear { Ok(true) } else { Err("users come before the name of their realm") };
        };
        let is_wanted = self.wanted.as_ref().is_none_or(|wanted| wanted == current);
        if !self.found.contains(current) && (is_wanted || self.found.len() < REALMS_MAX) {
            self.found.push(current.clone());
        }
        Ok(is_wanted)
    }
}

/// The records of a file that is one array of objects, or one object with such arrays.
pub(super) struct JsonTree {
    bytes: Bytes,
    place: Place,
    /// Whether no value of the array or object has been read.
    is_first: bool,
    table: Option<Rc<str>>,
    realms: Option<Realms>,
    /// The arrays whose objects are records. Others are skipped.
    wanted: fn(&str) -> bool,
    value: Vec<u8>,
}

impl JsonTree {
    pub(super) fn new(bytes: Bytes, wanted: fn(&str) -> bool, realms: Option<Realms>) -> Self {
        Self { bytes, place: Place::Start, is_first: true, table: None, realms, wanted, value: Vec::new() }
    }

    /// The realms with users that were found.
    pub(super) fn realms(&self) -> &[String] {
        self.realms.as_ref().map_or(&[], |realms| &realms.found)
    }

    /// Whether the file is an array of realms.
    fn is_array_of_realms(&self) -> bool {
        self.realms.as_ref().is_some_and(|realms| realms.is_array)
    }

    pub(super) fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    pub(super) fn into_bytes(self) -> Bytes {
        self.bytes
    }

    pub(super) fn next(&mut self) -> Result<Option<Item>, ImportError> {
        loop {
            match self.place {
                Place::Start => {
                    self.place = match self.peek()? {
                        Some(b'[') if self.is_array_of_realms() => Place::Realms,
                        Some(b'[') => Place::Array,
                        Some(b'{') => Place::Object,
                        _ => return Err(self.syntax("an array or an object was expected")),
                    };
                    self.bytes.consume(1);
                }
                Place::Array | Place::Table => {
                    if self.has_next(b']')? {
                        return self.record().map(Some);
                    }
                    self.place = if self.place == Place::Table { Place::Object } else { Place::End };
                }
                Place::Realms => {
                    if !self.has_next(b']')? {
                        self.place = Place::End;
                    } else if self.peek()? == Some(b'{') {
                        self.bytes.consume(1);
                        (self.place, self.is_first) = (Place::Object, true);
                        self.realms.iter_mut().for_each(|realms| realms.current = None);
                    } else {
                        return Err(self.syntax("a realm was expected"));
                    }
                }
                Place::Object => {
                    if self.has_next(b'}')? {
                        self.entry()?;
                    } else {
                        self.place = if self.is_array_of_realms() { Place::Realms } else { Place::End };
                    }
                }
                Place::End => {
                    return if self.peek()?.is_none() { Ok(None) } else { Err(self.syntax("more follows the end")) };
                }
            }
        }
    }

    /// Passes the comma before the next value, or the end of the array or object.
    fn has_next(&mut self, close: u8) -> Result<bool, ImportError> {
        let next = self.peek()?;
        if next == Some(close) {
            self.bytes.consume(1);
            self.is_first = false;
            return Ok(false);
        }
        if !self.is_first {
            if next != Some(b',') {
                return Err(self.syntax("a comma was expected"));
            }
            self.bytes.consume(1);
        }
        self.is_first = false;
        Ok(true)
    }

    /// Reads a name of the outer object, and its value or the start of it.
    fn entry(&mut self) -> Result<(), ImportError> {
        if self.peek()? != Some(b'"') {
            return Err(self.syntax("a name in quotes was expected"));
        }
        if !self.walk(true)? {
            return Err(ImportError::RecordTooLarge { file: self.bytes.name().to_owned(), line: self.bytes.line() });
        }
        let name: String = serde_json::from_slice(&self.value).map_err(|_| self.syntax("a name is not valid"))?;
        if self.peek()? != Some(b':') {
            return Err(self.syntax("a colon was expected"));
        }
        self.bytes.consume(1);
        if self.peek()? == Some(b'[') && (self.wanted)(&name) {
            match self.realms.as_mut().map(Realms::begin_users) {
                None | Some(Ok(true)) => {}
                Some(Ok(false)) => return self.walk(false).map(drop),
                Some(Err(detail)) => return Err(self.syntax(detail)),
            }
            self.bytes.consume(1);
            self.place = Place::Table;
            self.is_first = true;
            self.table = Some(name.into());
        } else {
            let is_name = self.realms.is_some() && name == "realm";
            let fits = self.walk(is_name)?;
            if let Some(realms) = self.realms.as_mut().filter(|_| is_name && fits) {
                realms.current = serde_json::from_slice(&self.value).ok();
            }
        }
        Ok(())
    }

    fn record(&mut self) -> Result<Item, ImportError> {
        self.peek()?;
        let line = self.bytes.line();
        if !self.walk(true)? {
            return Ok(Item::too_large(line));
        }
        Ok(record_of(&self.value, line, self.table.clone()))
    }

    /// The next byte that is not blank.
    fn peek(&mut self) -> Result<Option<u8>, ImportError> {
        loop {
            let piece = self.bytes.fill()?;
            if piece.is_empty() {
                return Ok(None);
            }
            let blanks = piece.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            let next = piece.get(blanks).copied();
            self.bytes.consume(blanks);
            if next.is_some() {
                return Ok(next);
            }
        }
    }

    /// Passes one value. With `keep`, its text is in `value`; `false` if it is longer than a record may be.
    fn walk(&mut self, keep: bool) -> Result<bool, ImportError> {
        let mut value = std::mem::take(&mut self.value);
        value.clear();
        let walked = self.walk_into(keep, &mut value);
        self.value = value;
        walked
    }

    fn walk_into(&mut self, keep: bool, value: &mut Vec<u8>) -> Result<bool, ImportError> {
        self.peek()?;
        let mut walk = Walk::default();
        let mut fits = true;
        let depth_max = DEPTH_MAX - self.place.depth() - usize::from(self.is_array_of_realms());
        loop {
            let piece = self.bytes.fill()?;
            if piece.is_empty() {
                // Only a number or a word can end with the file, and the outer array or object is still open.
                return Err(self.syntax("the file ends in the middle"));
            }
            let (length, state) = walk.through(piece, depth_max);
            if keep && fits {
                fits = value.len() + length <= RECORD_BYTES_MAX;
                if fits {
                    value.extend_from_slice(&piece[..length]);
                } else {
                    value.clear();
                }
            }
            self.bytes.consume(length);
            match state {
                Walked::Within => {}
                Walked::Done => return Ok(fits),
                Walked::TooDeep => {
                    return Err(ImportError::TooDeep { file: self.bytes.name().to_owned(), line: self.bytes.line() });
                }
                Walked::Invalid => return Err(self.syntax("it is not valid JSON")),
            }
        }
    }

    fn syntax(&self, detail: &'static str) -> ImportError {
        ImportError::Syntax { file: self.bytes.name().to_owned(), line: self.bytes.line(), detail }
    }
}

/// The way through one value, which may come in several pieces.
#[derive(Debug, Default)]
pub(super) struct Walk {
    open: Vec<u8>,
    in_string: bool,
    is_escaped: bool,
    has_begun: bool,
}

/// How a piece ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Walked {
    /// In the value.
    Within,
    /// At the end of the value.
    Done,
    TooDeep,
    Invalid,
}

impl Walk {
    /// Goes through a piece, and returns how much of it belongs to the value.
    pub(super) fn through(&mut self, piece: &[u8], depth_max: usize) -> (usize, Walked) {
        for (place, byte) in piece.iter().copied().enumerate() {
            let after = place + 1;
            if self.in_string {
                match byte {
                    _ if self.is_escaped => self.is_escaped = false,
                    b'\\' => self.is_escaped = true,
                    b'"' => {
                        self.in_string = false;
                        if self.open.is_empty() {
                            return (after, Walked::Done);
                        }
                    }
                    _ => {}
                }
                continue;
            }
            let is_outside = self.open.is_empty();
            match byte {
                // The end of a number or a word.
                b',' | b']' | b'}' if is_outside => {
                    return (place, if self.has_begun { Walked::Done } else { Walked::Invalid });
                }
                _ if is_outside && self.has_begun && byte.is_ascii_whitespace() => return (place, Walked::Done),
                b'"' | b'{' | b'[' if is_outside && self.has_begun => return (place, Walked::Invalid),
                b'"' => self.in_string = true,
                b'{' | b'[' => {
                    if self.open.len() == depth_max {
                        return (place, Walked::TooDeep);
                    }
                    self.open.push(byte);
                }
                b'}' | b']' => {
                    let opened = if byte == b'}' { b'{' } else { b'[' };
                    if self.open.pop() != Some(opened) {
                        return (place, Walked::Invalid);
                    }
                    if self.open.is_empty() {
                        return (after, Walked::Done);
                    }
                }
                _ => {}
            }
            self.has_begun = true;
        }
        (piece.len(), Walked::Within)
    }
}

fn record_of(text: &[u8], line: u64, table: Option<Rc<str>>) -> Item {
    match serde_json::from_slice(text) {
        Ok(Value::Object(fields)) => Item::Record(Record::of_object(line, table, fields).name_table()),
        Ok(_) => Item::fault(line, Reason::Syntax, "an object was expected"),
        Err(_) => Item::fault(line, Reason::Syntax, "it is not valid JSON"),
    }
}

/// Reads the record of a line.
pub(super) fn read_line(bytes: &Bytes, line: u64, text: &str) -> Result<Option<Item>, ImportError> {
    let text = text.trim();
    if Walk::default().through(text.as_bytes(), DEPTH_MAX).1 == Walked::TooDeep {
        return Err(ImportError::TooDeep { file: bytes.name().to_owned(), line });
    }
    Ok(Some(record_of(text.as_bytes(), line, None)))
}
