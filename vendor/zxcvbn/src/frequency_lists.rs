/// A list of words, sorted, with the rank of each: lines of `word,rank`. The build script makes the text, so that
/// the program pays neither for a table when it starts nor for hashing the words when it first needs them.
pub(crate) struct RankedWords(&'static str);

impl RankedWords {
    /// Finds all words that are a start of `text`, and calls `found` with the word and its rank.
    pub(crate) fn starts_of<'a>(&self, text: &'a str, mut found: impl FnMut(&'a str, usize)) {
        let mut from = 0;
        // The marks of the list are no letters of a word.
        for (at, c) in text.char_indices().take_while(|(_, c)| !matches!(c, ',' | '\n')) {
            let start = &text[..at + c.len_utf8()];
            from = self.line_not_before(start, from);
            let Some(rest) = self.0[from..].strip_prefix(start) else {
                // No word goes on like this.
                return;
            };
            if let Some(rest) = rest.strip_prefix(',') {
                let rank = rest.bytes().take_while(u8::is_ascii_digit);
                found(start, rank.fold(0, |rank, digit| rank * 10 + usize::from(digit - b'0')));
            }
        }
    }

    /// The first line at or behind `from` whose word is not before `word`; the end of the text where there is none.
    fn line_not_before(&self, word: &str, from: usize) -> usize {
        let bytes = self.0.as_bytes();
        let (mut low, mut high) = (from, bytes.len());
        while low < high {
            let middle = low + (high - low) / 2;
            let line = bytes[low..middle]
                .iter()
                .rposition(|&byte| byte == b'\n')
                .map_or(low, |before| low + before + 1);
            let mut parts = bytes[line..].split(|&byte| byte == b',' || byte == b'\n');
            if parts.next().is_some_and(|here| here < word.as_bytes()) {
                let length = bytes[line..].iter().position(|&byte| byte == b'\n');
                low = length.map_or(bytes.len(), |length| line + length + 1);
            } else {
                high = line;
            }
        }
        low
    }
}

macro_rules! ranked_words {
    ($name:literal) => {
        RankedWords(include_str!(concat!(env!("OUT_DIR"), "/", $name, ".txt")))
    };
}

pub(crate) static RANKED_DICTIONARIES: [(DictionaryType, RankedWords); 6] = [
    (DictionaryType::Passwords, ranked_words!("passwords")),
    (DictionaryType::English, ranked_words!("english")),
    (DictionaryType::FemaleNames, ranked_words!("female_names")),
    (DictionaryType::MaleNames, ranked_words!("male_names")),
    (DictionaryType::Surnames, ranked_words!("surnames")),
    (DictionaryType::UsTvAndFilm, ranked_words!("us_tv_and_film")),
];

#[derive(Copy, Clone, Debug, Eq, PartialEq, Hash, Default)]
#[cfg_attr(feature = "ser", derive(serde::Deserialize, serde::Serialize))]
pub enum DictionaryType {
    #[default]
    Passwords,
    English,
    FemaleNames,
    MaleNames,
    Surnames,
    UsTvAndFilm,
    UserInputs,
}
