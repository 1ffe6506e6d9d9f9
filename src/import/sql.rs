//! The rows of a dump in SQL, as `pg_dump` and the command line of Supabase write it: COPY blocks and INSERT statements.

use std::rc::Rc;

use serde_json::Value;

use super::error::ImportError;
use super::input::Bytes;
use super::lines::{TooLong, next_line};
use super::record::{Item, Record};
use super::{COLUMNS_MAX, RECORD_BYTES_MAX};
use crate::auth::import::row::Reason;

/// The line that ends the rows of a COPY block.
const COPY_END: &str = "\\.";
/// A schema and its tables that are read.
const SCHEMA: &str = "auth";
const TABLES: [&str; 3] = ["users", "identities", "mfa_factors"];

/// Whether the line begins the rows of a table that is read.
pub(super) fn begins_table(line: &str) -> bool {
    let words = line.replace('"', "").to_lowercase();
    ["copy ", "insert into "].iter().any(|start| {
        let name = words.trim_start().strip_prefix(start).unwrap_or_default();
        let name = name.strip_prefix(SCHEMA).and_then(|name| name.strip_prefix('.')).unwrap_or_default();
        let name = name.split([' ', '(']).next().unwrap_or_default();
        TABLES.contains(&name)
    })
}

#[derive(Debug, Clone)]
enum Mode {
    Statements,
    /// In the rows of a COPY block. Without names the table is not read.
    Copy(Option<Columns>),
    /// In the rows of an INSERT statement.
    Insert(Columns),
}

#[derive(Debug, Clone)]
struct Columns {
    table: Rc<str>,
    names: Rc<[Box<str>]>,
}

#[derive(Debug, PartialEq, Eq)]
enum Token {
    /// A name, a number or a word of the language.
    Word(String),
    /// A name in double quotes.
    Name(String),
    /// A text in single quotes.
    Text(String),
    Symbol(u8),
}

impl Token {
    fn is(&self, word: &str) -> bool {
        matches!(self, Self::Word(own) if own.eq_ignore_ascii_case(word))
    }

    fn into_name(self) -> Option<String> {
        match self {
            Self::Word(name) | Self::Name(name) => Some(name),
            _ => None,
        }
    }
}

pub(super) struct SqlDump {
    bytes: Bytes,
    mode: Mode,
}

impl SqlDump {
    pub(super) fn new(bytes: Bytes) -> Self {
        Self { bytes, mode: Mode::Statements }
    }

    pub(super) fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    pub(super) fn into_bytes(self) -> Bytes {
        self.bytes
    }

    pub(super) fn next(&mut self) -> Result<Option<Item>, ImportError> {
        loop {
            match self.mode.clone() {
                Mode::Statements => {
                    let Some(token) = self.token()? else { return Ok(None) };
                    if token.is("copy") {
                        self.begin_copy()?;
                    } else if token.is("insert") {
                        self.begin_insert()?;
                    } else if token != Token::Symbol(b';') {
                        self.skip_statement()?;
                    }
                }
                Mode::Copy(columns) => {
                    let Some(line) = next_line(&mut self.bytes, RECORD_BYTES_MAX, TooLong::Skip)? else {
                        return Err(self.syntax("the file ends in the rows of a table"));
                    };
                    if line.text.as_deref() == Some(COPY_END) {
                        self.mode = Mode::Statements;
                    } else if let Some(columns) = columns {
                        let Some(text) = line.text else { return Ok(Some(Item::too_large(line.number))) };
                        let values = text.split('\t').map(copy_value).collect();
                        return Ok(Some(columns.record(line.number, values)));
                    }
                }
                Mode::Insert(columns) => {
                    if let Some(item) = self.inserted(&columns)? {
                        return Ok(Some(item));
                    }
                    self.mode = Mode::Statements;
                }
            }
        }
    }

    /// Reads the head of `COPY schema.table (names) FROM stdin;`.
    fn begin_copy(&mut self) -> Result<(), ImportError> {
        let first = self.token()?;
        let (columns, next) = self.columns(first)?;
        let mut comes_from_stdin = false;
        let mut token = next;
        while let Some(found) = token {
            if found == Token::Symbol(b';') {
                break;
            }
            comes_from_stdin |= found.is("stdin");
            token = self.token()?;
        }
        if comes_from_stdin {
            // The rest of the line is empty.
            next_line(&mut self.bytes, RECORD_BYTES_MAX, TooLong::Skip)?;
            self.mode = Mode::Copy(columns);
        }
        Ok(())
    }

    /// Reads the head of `INSERT INTO schema.table (names) VALUES`.
    fn begin_insert(&mut self) -> Result<(), ImportError> {
        let mut first = self.token()?;
        if first.as_ref().is_some_and(|token| token.is("into")) {
            first = self.token()?;
        }
        let (columns, next) = self.columns(first)?;
        let mut token = next;
        while let Some(found) = token {
            if found == Token::Symbol(b';') {
                return Ok(());
            }
            if let (true, Some(columns)) = (found.is("values"), &columns) {
                self.mode = Mode::Insert(columns.clone());
                return Ok(());
            }
            if found.is("values") {
                return self.skip_statement();
            }
            token = self.token()?;
        }
        Ok(())
    }

    /// Reads a table and the names of its columns. Returns them, if the table is one that is read, and the next token.
    fn columns(&mut self, first: Option<Token>) -> Result<(Option<Columns>, Option<Token>), ImportError> {
        let mut path = Vec::new();
        let mut token = first;
        while let Some(Token::Word(_) | Token::Name(_)) = &token {
            path.extend(token.and_then(Token::into_name));
            token = self.token()?;
            if token != Some(Token::Symbol(b'.')) {
                break;
            }
            token = self.token()?;
        }
        let mut names: Vec<Box<str>> = Vec::new();
        if token == Some(Token::Symbol(b'(')) {
            loop {
                match self.token()? {
                    None | Some(Token::Symbol(b')')) => break,
                    Some(token) => names.extend(token.into_name().map(String::into_boxed_str)),
                }
                if names.len() > COLUMNS_MAX {
                    let (file, line) = (self.bytes.name().to_owned(), self.bytes.line());
                    return Err(ImportError::TooManyColumns { file, line });
                }
            }
            token = self.token()?;
        }
        let [schema, table] = path.as_slice() else { return Ok((None, token)) };
        let is_read = schema == SCHEMA && TABLES.contains(&table.as_str()) && !names.is_empty();
        let columns = is_read.then(|| Columns { table: table.as_str().into(), names: names.into() });
        Ok((columns, token))
    }

    /// Reads the next row of an INSERT statement.
    fn inserted(&mut self, columns: &Columns) -> Result<Option<Item>, ImportError> {
        loop {
            match self.token()? {
                Some(Token::Symbol(b'(')) => break,
                Some(Token::Symbol(b',')) => {}
                Some(Token::Symbol(b';')) | None => return Ok(None),
                // ON CONFLICT and the like.
                Some(_) => {
                    self.skip_statement()?;
                    return Ok(None);
                }
            }
        }
        let line = self.bytes.line();
        let mut values = Vec::new();
        let mut value = None;
        let mut depth = 0_u32;
        let mut size = 0;
        loop {
            let Some(token) = self.token()? else { return Err(self.syntax("the file ends in a row")) };
            match token {
                Token::Symbol(b')') if depth == 0 => break,
                Token::Symbol(b',') if depth == 0 => values.push(value.take().unwrap_or(Value::Null)),
                Token::Symbol(b'(') => depth += 1,
                Token::Symbol(b')') => depth -= 1,
                Token::Symbol(_) | Token::Name(_) => {}
                // Only the first token is the value. Others belong to its type.
                Token::Text(text) => {
                    size += text.len();
                    value.get_or_insert(Value::String(text));
                }
                Token::Word(word) if word.eq_ignore_ascii_case("null") => {
                    value.get_or_insert(Value::Null);
                }
                Token::Word(word) => {
                    value.get_or_insert(Value::String(word));
                }
            }
            if size > RECORD_BYTES_MAX || values.len() > COLUMNS_MAX {
                return Err(self.too_large());
            }
        }
        values.push(value.unwrap_or(Value::Null));
        Ok(Some(columns.record(line, values)))
    }

    fn skip_statement(&mut self) -> Result<(), ImportError> {
        while let Some(token) = self.token()? {
            if token == Token::Symbol(b';') {
                break;
            }
        }
        Ok(())
    }

    fn peek(&mut self) -> Result<Option<u8>, ImportError> {
        Ok(self.bytes.fill()?.first().copied())
    }

    fn take(&mut self) -> Result<Option<u8>, ImportError> {
        let byte = self.peek()?;
        self.bytes.consume(1);
        Ok(byte)
    }

    fn token(&mut self) -> Result<Option<Token>, ImportError> {
        loop {
            let Some(byte) = self.take()? else { return Ok(None) };
            match byte {
                _ if byte.is_ascii_whitespace() => {}
                b'-' if self.peek()? == Some(b'-') => self.skip_line()?,
                // A command of psql.
                b'\\' => self.skip_line()?,
                b'/' if self.peek()? == Some(b'*') => self.skip_comment()?,
                b'\'' => return self.quoted(b'\'', false).map(|text| Some(Token::Text(text))),
                b'"' => return self.quoted(b'"', false).map(|name| Some(Token::Name(name))),
                b'$' => return self.dollar_quoted().map(Some),
                b'E' | b'e' if self.peek()? == Some(b'\'') => {
                    self.bytes.consume(1);
                    return self.quoted(b'\'', true).map(|text| Some(Token::Text(text)));
                }
                _ if is_word_byte(byte) => {
                    let mut word = vec![byte];
                    while let Some(next) = self.peek()?.filter(|next| is_word_byte(*next)) {
                        self.bytes.consume(1);
                        word.push(next);
                        self.check_size(&word)?;
                    }
                    return Ok(Some(Token::Word(text_of(word))));
                }
                _ => return Ok(Some(Token::Symbol(byte))),
            }
        }
    }

    /// Reads up to the closing quote, which is doubled within.
    fn quoted(&mut self, quote: u8, has_escapes: bool) -> Result<String, ImportError> {
        let mut text = Vec::new();
        loop {
            self.check_size(&text)?;
            match self.take()? {
                None => return Err(self.syntax("the file ends in a quote")),
                Some(b'\\') if has_escapes => match self.take()? {
                    Some(b'n') => text.push(b'\n'),
                    Some(b't') => text.push(b'\t'),
                    Some(b'r') => text.push(b'\r'),
                    other => text.extend(other),
                },
                Some(byte) if byte == quote => {
                    if self.peek()? != Some(quote) {
                        return Ok(text_of(text));
                    }
                    self.bytes.consume(1);
                    text.push(quote);
                }
                Some(byte) => text.push(byte),
            }
        }
    }

    /// Reads `$tag$text$tag$` after the first dollar sign, as in the bodies of functions.
    fn dollar_quoted(&mut self) -> Result<Token, ImportError> {
        let mut tag = vec![b'$'];
        while let Some(next) = self.peek()?.filter(|next| next.is_ascii_alphanumeric() || *next == b'_') {
            self.bytes.consume(1);
            tag.push(next);
            self.check_size(&tag)?;
        }
        if self.peek()? != Some(b'$') {
            return Ok(Token::Symbol(b'$'));
        }
        self.bytes.consume(1);
        tag.push(b'$');
        let mut text = Vec::new();
        while !text.ends_with(&tag) {
            let Some(byte) = self.take()? else { return Err(self.syntax("the file ends in a quote")) };
            text.push(byte);
            self.check_size(&text)?;
        }
        text.truncate(text.len() - tag.len());
        Ok(Token::Text(text_of(text)))
    }

    fn skip_line(&mut self) -> Result<(), ImportError> {
        while self.take()?.is_some_and(|byte| byte != b'\n') {}
        Ok(())
    }

    fn skip_comment(&mut self) -> Result<(), ImportError> {
        while let Some(byte) = self.take()? {
            if byte == b'*' && self.peek()? == Some(b'/') {
                self.bytes.consume(1);
                break;
            }
        }
        Ok(())
    }

    fn check_size(&self, text: &[u8]) -> Result<(), ImportError> {
        if text.len() > RECORD_BYTES_MAX { Err(self.too_large()) } else { Ok(()) }
    }

    fn too_large(&self) -> ImportError {
        ImportError::RecordTooLarge { file: self.bytes.name().to_owned(), line: self.bytes.line() }
    }

    fn syntax(&self, detail: &'static str) -> ImportError {
        ImportError::Syntax { file: self.bytes.name().to_owned(), line: self.bytes.line(), detail }
    }
}

impl Columns {
    fn record(&self, line: u64, values: Vec<Value>) -> Item {
        if values.len() != self.names.len() {
            return Item::fault(line, Reason::Syntax, "the number of values is not that of the columns");
        }
        let mut record = Record::of_row(line, Rc::clone(&self.names), values);
        record.table = Some(Rc::clone(&self.table));
        Item::Record(record)
    }
}

fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'+' | b'-') || !byte.is_ascii()
}

fn text_of(bytes: Vec<u8>) -> String {
    // The bytes are checked before, and cut at ASCII characters only.
    String::from_utf8(bytes).unwrap_or_default()
}

/// A value of a COPY block.
fn copy_value(text: &str) -> Value {
    if text == "\\N" {
        return Value::Null;
    }
    let mut value = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        if c != '\\' {
            value.push(c);
            continue;
        }
        match characters.next() {
            Some('n') => value.push('\n'),
            Some('t') => value.push('\t'),
            Some('r') => value.push('\r'),
            Some('b') => value.push('\u{8}'),
            Some('f') => value.push('\u{c}'),
            Some('v') => value.push('\u{b}'),
            Some(other) => value.push(other),
            None => {}
        }
    }
    Value::String(value)
}
