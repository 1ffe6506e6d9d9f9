//! Files that are damaged, or made to do harm.

use std::io::{self, Read, Write as _};

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

use super::super::{COLUMNS_MAX, Export, Format, ImportError, Input, LINE_BYTES_MAX, RECORD_BYTES_MAX, ReadOptions};
use super::{file, open, open_as, read_all, rows};
use crate::auth::import::row::{Fact, Place, Reason, RowFault, SourceRow};

/// A text, then one byte many times, then another text.
struct Endless {
    start: io::Cursor<Vec<u8>>,
    byte: u8,
    left: u64,
    end: io::Cursor<Vec<u8>>,
}

impl Endless {
    fn input(start: &str, byte: u8, length: u64, end: &str) -> Input {
        let cursor = |text: &str| io::Cursor::new(text.as_bytes().to_vec());
        let bytes = Box::new(Self { start: cursor(start), byte, left: length, end: cursor(end) });
        Input { name: "endless".into(), bytes }
    }
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.start.read(buffer)?;
        if length > 0 {
            return Ok(length);
        }
        if self.left > 0 {
            let length = buffer.len().min(usize::try_from(self.left).unwrap());
            buffer[..length].fill(self.byte);
            self.left -= length as u64;
            return Ok(length);
        }
        self.end.read(buffer)
    }
}

/// Gives one byte a time.
struct Trickle(io::Cursor<Vec<u8>>);

impl Read for Trickle {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = buffer.len().min(1);
        self.0.read(&mut buffer[..length])
    }
}

const GIB: u64 = 1 << 30;
const MIB: u64 = 1 << 20;

fn error(text: impl AsRef<[u8]>) -> ImportError {
    read_all(vec![file("hostile", text.as_ref())], ReadOptions::default()).unwrap_err()
}

fn faults(rows: &[SourceRow]) -> Vec<(Place, &RowFault)> {
    rows.iter().filter_map(|row| row.fact.as_ref().err().map(|fault| (row.place, fault))).collect()
}

fn packed(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn endless_row_of_a_table_ends_the_import() {
    for input in [
        Endless::input("id,email\n1,", b'a', GIB, "\n"),
        Endless::input("id,email\n1,\"", b'a', GIB, "\"\n"),
        Endless::input("id,email\n", b',', GIB, "\n"),
    ] {
        let error = read_all(vec![input], ReadOptions::default()).unwrap_err();
        assert!(
            matches!(error, ImportError::LineTooLong { line: 2, .. } | ImportError::TooManyColumns { line: 2, .. }),
            "{error}"
        );
    }
    // No cell is too long, and all together are.
    let names: Vec<String> = (0..100).map(|number| format!("c{number}")).collect();
    let cells = format!("email,{}\na@example.com{}\n", names.join(","), format!(",{}", "x".repeat(700)).repeat(100));
    assert!(matches!(error(cells), ImportError::LineTooLong { line: 2, .. }));
    let wide = error("c,".repeat(COLUMNS_MAX) + "email\n");
    assert!(matches!(wide, ImportError::TooManyColumns { line: 1, .. }), "{wide}");
    let header = read_all(vec![Endless::input("id,email,", b'a', GIB, "\n")], ReadOptions::default()).unwrap_err();
    assert!(matches!(header, ImportError::LineTooLong { line: 1, .. }), "{header}");
}

#[test]
fn endless_record_of_json_is_a_fault_of_its_row() {
    let record = r#"{"id":"2","email":"two@example.com","emailVerified":true,"createdAt":null}"#;
    let start = format!("[{record},\n{{\"id\":\"1\",\"email\":\"");
    let tree = Endless::input(&start, b'a', 8 * MIB, &format!("\"}},\n{record}]"));
    let start = format!("{record}\n{{\"id\":\"1\",\"email\":\"");
    let lines = Endless::input(&start, b'a', 8 * MIB, &format!("\"}}\n{record}\n"));
    for input in [tree, lines] {
        let rows = read_all(vec![input], ReadOptions::default()).unwrap();
        let faults = faults(&rows);
        assert_eq!(rows.len(), 3);
        assert_eq!(faults[0].0, Place { file: 0, row: 2, line: 2 });
        assert_eq!(faults[0].1.reason, Reason::TooLarge);
        assert_eq!(rows[2].place, Place { file: 0, row: 3, line: 3 });
    }
}

#[test]
fn endless_lines_of_other_layouts_end_the_import() {
    for start in ["dn: uid=", "a:$apr1$", "anouk:$6$"] {
        let error = read_all(vec![Endless::input(start, b'a', GIB, "")], ReadOptions::default()).unwrap_err();
        assert!(matches!(error, ImportError::LineTooLong { line: 1, .. }), "{start}: {error}");
    }
    let dump = "INSERT INTO auth.users (id, email) VALUES\n('";
    let error = read_all(vec![Endless::input(dump, b'a', 2 * MIB, "')")], ReadOptions::default()).unwrap_err();
    assert!(matches!(error, ImportError::RecordTooLarge { line: 2, .. }), "{error}");
}

#[test]
fn endless_first_record_is_too_large_and_not_unknown() {
    for (start, bytes) in [
        ("", LINE_BYTES_MAX),
        (r#"{"id":"1","email":""#, RECORD_BYTES_MAX),
        (r#"[{"id":"1","email":""#, RECORD_BYTES_MAX),
        (r#"{"users":[{"localId":""#, RECORD_BYTES_MAX),
    ] {
        let error = read_all(vec![Endless::input(start, b'a', GIB, "")], ReadOptions::default()).unwrap_err();
        assert!(matches!(error, ImportError::FirstTooLarge { bytes: found, .. } if found == bytes), "{start}: {error}");
    }
    // A tree of no known system is that, whatever its size.
    let tree = Endless::input(r#"{"people":[{"a":1},{"b":""#, b'a', GIB, "");
    assert!(matches!(read_all(vec![tree], ReadOptions::default()), Err(ImportError::NotRecognised { .. })));
    // A record that is longer than the sample shows its format.
    let long = format!(r#"[{{"id":"1","email":"ada@example.com","image":"{}"}}]"#, "a".repeat(500_000));
    assert_eq!(rows(&long).len(), 1);
}

#[test]
fn deep_nesting_ends_the_import() {
    let deep = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    let tree = |depth| format!("[{{\"email\":\"a@example.com\"}},\n{{\"x\":{}}}]", deep(depth));
    let lines = |depth| format!("{{\"email\":\"a@example.com\"}}\n{{\"email\":\"\",\"x\":{}}}", deep(depth));
    // The array and the object around it count.
    assert_eq!(rows(&tree(30)).len(), 2);
    assert_eq!(rows(&lines(31)).len(), 2);
    for text in [tree(31), lines(32), tree(500_000), lines(500_000), "[".repeat(3_000_000)] {
        let options = ReadOptions { format: Some(Format::JsonLines), ..ReadOptions::default() };
        let error = read_all(vec![file("deep", text.as_bytes())], options).unwrap_err();
        assert!(matches!(error, ImportError::TooDeep { line: 1 | 2, .. }), "{error}");
    }
    let unknown = error(format!("[\n{}", "{\"a\":".repeat(3_000_000)).as_bytes());
    assert!(matches!(unknown, ImportError::TooDeep { line: 2, .. }), "a file of no known system: {unknown}");
}

#[test]
fn bytes_that_are_no_text_are_named_with_their_line() {
    let nul = error(b"id,email\n1,a@example.com\n2,b\0@example.com\n");
    assert!(matches!(nul, ImportError::Nul { line: 3, .. }), "{nul}");
    let latin1 = error(b"id,email,name\n1,a@example.com,Jos\xe9\n");
    assert!(matches!(latin1, ImportError::NotUtf8 { line: 2, .. }), "{latin1}");
    let cut = error(b"id,email,name\n1,a@example.com,Jos\xc3");
    assert!(matches!(cut, ImportError::NotUtf8 { line: 2, .. }), "{cut}");
    let utf16 = error(b"\xff\xfei\0d\0");
    assert!(matches!(utf16, ImportError::NotUtf8 { line: 1, .. }), "{utf16}");
    let database = error(b"SQLite format 3\0\x10\0\x02\x02");
    assert!(matches!(database, ImportError::Sqlite { .. }), "{database}");
    for text in ["", "\n\n", "\u{feff}", "  \r\n"] {
        let empty = error(text);
        assert!(matches!(empty, ImportError::Empty { .. }), "{empty}");
    }
}

#[test]
fn unclosed_quote_ends_the_import() {
    let unclosed = error("id,email,name\n1,a@example.com,\"Anouk\n2,b@example.com,Bastian\n");
    assert!(matches!(unclosed, ImportError::UnclosedQuote { line: 2, .. }), "{unclosed}");
    let doubled = error("id,email,name\n1,a@example.com,\"Anouk\"\"");
    assert!(matches!(doubled, ImportError::UnclosedQuote { line: 2, .. }), "{doubled}");
}

#[test]
fn json_that_ends_early_ends_the_import() {
    let whole = r#"[{"email":"a@example.com"},{"email":"b@example.com"}]"#;
    for length in 1..whole.len() {
        let options = ReadOptions { format: Some(Format::JsonLines), ..ReadOptions::default() };
        let error = read_all(vec![file("cut", &whole.as_bytes()[..length])], options).unwrap_err();
        assert!(matches!(error, ImportError::Syntax { .. }), "{length}: {error}");
    }
    let after = error(format!("{whole}{{"));
    assert!(matches!(after, ImportError::Syntax { .. }), "{after}");
}

#[test]
fn packed_files_are_unpacked_and_damaged_ones_refused() {
    let text = b"id,email\n1,a@example.com\n".to_vec();
    let whole = packed(&text);
    assert_eq!(read_all(vec![file("packed", &whole)], ReadOptions::default()).unwrap().len(), 1);
    for damaged in [&whole[..whole.len() - 1], &whole[..12], &whole[..2], &[&whole[..], b"more"].concat()] {
        let error = error(damaged);
        assert!(matches!(error, ImportError::Gzip { .. }), "{error}");
    }
    let members = [packed(b"id,email\n1,a@"), packed(b"example.com\n")].concat();
    assert_eq!(read_all(vec![file("members", &members)], ReadOptions::default()).unwrap().len(), 1);
}

#[test]
fn packed_rows_are_streamed() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(b"id,email\n").unwrap();
    let block = ",a@example.com\n".repeat(10_000);
    for _ in 0..5 {
        encoder.write_all(block.as_bytes()).unwrap();
    }
    let bomb = encoder.finish().unwrap();
    assert!(bomb.len() < 100_000);
    let mut export = open(vec![file("bomb", &bomb)]);
    let mut count = 0;
    while export.next_row().unwrap().is_some() {
        count += 1;
    }
    assert_eq!(count, 50_000);
}

#[test]
fn formulas_and_control_characters_are_only_text() {
    let rows = rows("id,email,name\nh1,h@example.com,\"=cmd|' /C calc'!A0\"\nh2,i@example.com,\u{1b}[2JFive\n");
    let names: Vec<_> = rows
        .iter()
        .map(|row| match &row.fact {
            Ok(Fact::User(user)) => user.name.clone().unwrap(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(names, ["=cmd|' /C calc'!A0", "\u{1b}[2JFive"]);
}

#[test]
fn failing_read_is_reported_as_one() {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the disk is gone"))
        }
    }
    let bytes = Box::new(io::Cursor::new(b"id,email\n").chain(Failing));
    let input = Input { name: "broken".into(), bytes };
    let error = read_all(vec![input], ReadOptions::default()).unwrap_err();
    assert!(matches!(error, ImportError::Read { .. }), "{error}");
    assert_eq!(error.to_string(), "cannot read broken: the disk is gone");
}

/// All fixtures, as starts for damaged files.
fn fixtures() -> Vec<Vec<u8>> {
    super::exports::cases().iter().flat_map(super::exports::files).map(|(_, bytes)| bytes).collect()
}

/// Reads to the end or to an error, and checks that the end comes.
fn read_within_bounds(inputs: Vec<Input>, length: usize, format: Option<Format>) {
    let hash_config = super::super::HashConfig::parse(
        r#"{"base64_signer_key":"AAAA","base64_salt_separator":"Bw==","rounds":8,"mem_cost":14}"#,
    );
    let options = ReadOptions { format, hash_config: hash_config.ok(), ..ReadOptions::default() };
    let Ok(mut export) = Export::open(inputs, options) else { return };
    for _ in 0..=length {
        match export.next_row() {
            Ok(Some(row)) => drop(format!("{row:?}")),
            Ok(None) | Err(_) => return,
        }
    }
    panic!("more rows than bytes");
}

fn any_format() -> impl Strategy<Value = Option<Format>> {
    proptest::option::of(proptest::sample::select(Format::ALL.to_vec()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), format in any_format()) {
        read_within_bounds(vec![file("random", &bytes)], bytes.len(), format);
    }

    #[test]
    fn random_text_never_panics(text in "[\\[\\]{},:\"'a-c0-9\\\\\n\r \t$.;()-]{0,200}", format in any_format()) {
        read_within_bounds(vec![file("random", text.as_bytes())], text.len(), format);
    }

    #[test]
    fn damaged_exports_never_panic(
        which in any::<prop::sample::Index>(),
        place in any::<prop::sample::Index>(),
        change in proptest::collection::vec(any::<u8>(), 0..4),
        removed in 0_usize..40,
        format in any_format(),
    ) {
        let all = fixtures();
        let mut bytes = which.get(&all).clone();
        let start = place.index(bytes.len());
        let end = (start + removed).min(bytes.len());
        bytes.splice(start..end, change);
        read_within_bounds(vec![file("damaged", &bytes)], bytes.len(), format);
    }
}

#[test]
fn pieces_of_any_length_give_the_same_rows() {
    for case in super::exports::cases() {
        let files = super::exports::files(&case);
        let whole = files.iter().map(|(name, bytes)| file(name, bytes)).collect();
        let trickled = files
            .iter()
            .map(|(name, bytes)| Input { name: name.clone(), bytes: Box::new(Trickle(io::Cursor::new(bytes.clone()))) })
            .collect();
        let options = || super::exports::options(&case);
        let text = |inputs| format!("{:?}", read_all(inputs, options()).unwrap());
        assert_eq!(text(trickled), text(whole), "{}", case["name"]);
    }
}

#[test]
fn rows_and_lines_are_counted() {
    let places = |text: &str| rows(text).iter().map(|row| (row.place.row, row.place.line)).collect::<Vec<_>>();
    let table = "\u{feff}id,email,name\r\n1,a@example.com,\"two\r\nlines\"\r\n\r\n2,b@example.com,B\r\n3,c\r\n\r\n";
    assert_eq!(places(table), [(1, 2), (2, 5), (3, 6)]);
    let tree = "{\n\"user\": [\n{\"id\":\"1\"},\n{\"id\":\n\"2\"}\n],\n\"account\": [\n{\"userId\":\"1\",\"providerId\":\"credential\",\"accountId\":\"1\"}\n]\n}\n";
    assert_eq!(places(tree), [(1, 3), (2, 4), (1, 8)]);
    let htpasswd = "# people\n\na:$apr1$x\nb:$apr1$y";
    assert_eq!(places(htpasswd), [(1, 3), (2, 4)]);
    let ldif =
        "version: 1\n\ndn: ou=people\nou: people\n\ndn: uid=a\nmail: a@example.com\n\n\ndn: uid=b\nmail: b@example.com";
    assert_eq!(places(ldif), [(1, 6), (2, 10)]);
    let lines = "\n{\"email\":\"a@example.com\"}\nbroken\n{\"email\":\"b@example.com\"}";
    assert_eq!(places(lines), [(1, 2), (2, 3), (3, 4)]);
}

#[test]
fn files_of_different_systems_are_refused() {
    let clerk = file("clerk.csv", b"id,password_digest,password_hasher\n");
    let laravel = file("laravel.csv", b"id,email,email_verified_at,remember_token\n");
    let error = read_all(vec![clerk, laravel], ReadOptions::default()).unwrap_err();
    assert!(matches!(error, ImportError::Mixed { first: Format::Clerk, format: Format::Laravel, .. }), "{error}");
    let both = file("both.csv", b"id,email_verified_at,remember_token,user_pass,user_login\n");
    let error = read_all(vec![both], ReadOptions::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "both.csv fits several formats (laravel, wordpress); name the right one with --format"
    );
    let unknown = error_of_unknown("colour,shape\nred,round\n");
    assert!(unknown.contains("better-auth") && unknown.contains("workos"), "{unknown}");
    let named = open_as(vec![file("table.csv", b"colour,email\nred,a@example.com\n")], Format::Laravel);
    assert_eq!(named.format(), Format::Laravel);
}

fn error_of_unknown(text: &str) -> String {
    let error = error(text);
    assert!(matches!(error, ImportError::NotRecognised { .. }), "{error}");
    error.to_string()
}

#[test]
fn digest_is_that_of_the_file() {
    let digest = |files: &[&[u8]]| {
        let mut export = open(files.iter().map(|bytes| file("users", bytes)).collect());
        while export.next_row().unwrap().is_some() {}
        let length: usize = files.iter().map(|bytes| bytes.len()).sum();
        assert_eq!(export.bytes_read(), length as u64);
        export.digest()
    };
    let (one, other) = (b"id,email\n1,a@example.com\n\n\n".as_slice(), b"email,id\n".as_slice());
    let own = |bytes: &[u8]| <[u8; 32]>::from(Sha256::digest(bytes));
    assert_eq!(digest(&[one]), own(one));
    assert_eq!(digest(&[&packed(one)]), own(&packed(one)));
    assert_eq!(digest(&[one, other]), own(&[own(one), own(other)].concat()));
}
