//! Mutates a corpus. A seed and a number determine each input, so a finding can be reproduced.

/// The generator `SplitMix64`. The inputs must be reproducible, not unpredictable.
pub struct Rng(u64);

impl Rng {
    pub fn new(seed: u64, number: u64) -> Self {
        let mut rng = Self(seed ^ number.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        rng.next();
        rng
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below a bound; 0 when the bound is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        if bound == 0 { 0 } else { usize::try_from(self.next() % bound as u64).unwrap() }
    }

    pub fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }
}

/// Fragments that have a meaning for at least one parser.
const WORDS: &[&[u8]] = &[
    b"\0",
    b"\n",
    b"\r\n",
    b"\t",
    b" ",
    b"\"",
    b"\\",
    b"'",
    b"<",
    b">",
    b"@",
    b"%",
    b"_",
    b"*",
    b"?",
    b":",
    b"/",
    b"=",
    b",",
    b"\xff",
    b"\xc2\x9b",
    b"\xe2\x80\xae",
    b"\xef\xbb\xbf",
    b"\xcc\x81",
    b"\xed\xa0\x80",
    b"\xf0\x9f\x98\x80",
    b"\xc4\xb0",
    b"\xc3\x9f",
    b"0",
    b"-1",
    b"18446744073709551616",
    b"9223372036854775807",
    b"4294967295",
    b"1e309",
    b"00",
    b"[]",
    b"{}",
    b"null",
    b"$argon2id$v=19$",
    b"m=",
    b"t=",
    b"p=",
    b"$2b$",
    b"$2y$",
    b"smtp://",
    b"smtps://",
    b"sendmail:",
    b"[::1]",
    b"localhost",
    b"1ms",
    b"ns",
    b"us",
    b"d",
    b"w",
    b"mo",
    b"y",
    b"h",
    b"PT",
    b"Z",
    b"+24:00",
    b"9999-12-31T23:59:59Z",
    b"-009999",
    b"T",
    b"\"token\"",
    b"\"email\"",
    b"\"database\"",
    b"\"time\"",
    b"\"tables\"",
    b"\"columns\"",
    b"\"values\"",
    b"user",
    b"admin",
    b"--",
    b"--json",
    b"--db",
    b"--wait",
    b"--after",
    b"--limit",
    b"@example.com",
    b"a@b.co",
];

/// Returns input `number` of a corpus.
pub fn input(corpus: &[Vec<u8>], seed: u64, number: u64, bytes_max: usize) -> Vec<u8> {
    let mut rng = Rng::new(seed, number);
    let mut data = match corpus.len() {
        0 => Vec::new(),
        count => corpus[rng.below(count)].clone(),
    };
    for _ in 0..=rng.below(6) {
        mutate(&mut data, corpus, &mut rng);
    }
    data.truncate(bytes_max);
    data
}

fn mutate(data: &mut Vec<u8>, corpus: &[Vec<u8>], rng: &mut Rng) {
    let at = rng.below(data.len() + 1);
    let end = at + rng.below(data.len() - at + 1).min(rng.below(64) + 1);
    match rng.below(11) {
        0 if at < data.len() => data[at] ^= 1 << rng.below(8),
        1 if at < data.len() => data[at] = rng.next().to_le_bytes()[0],
        2 => data.insert(at, rng.next().to_le_bytes()[0]),
        3 => drop(data.drain(at..end)),
        4 => drop(data.splice(at..at, rng.pick(WORDS).to_vec())),
        5 => drop(data.splice(at..end, rng.pick(WORDS).to_vec())),
        6 => data.truncate(at),
        7 if !corpus.is_empty() => {
            let other = &corpus[rng.below(corpus.len())];
            data.truncate(at);
            data.extend(&other[rng.below(other.len() + 1)..]);
        }
        8 => {
            let piece = data[at..end].to_vec();
            let doublings = if rng.below(50) == 0 { 14 } else { 4 };
            let times = 1 << rng.below(doublings);
            data.splice(at..at, piece.repeat(times).into_iter().take(1 << 16));
        }
        9 => {
            // Changed digits reach the bounds of a parser sooner than random bytes do.
            if let Some(start) = data.iter().position(u8::is_ascii_digit) {
                let digits = data[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
                let number = match rng.below(4) {
                    0 => rng.next().to_string(),
                    1 => (1_u128 << rng.below(66)).to_string(),
                    2 => ((1_u128 << rng.below(66)) - 1).to_string(),
                    _ => rng.below(70).to_string(),
                };
                data.splice(start..start + digits, number.into_bytes());
            }
        }
        _ => {
            for byte in &mut data[at..end] {
                byte.make_ascii_uppercase();
            }
        }
    }
}
