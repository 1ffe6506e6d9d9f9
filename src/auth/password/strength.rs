//! The requirements of a new password. Existing passwords are compared and not checked.

use zxcvbn::zxcvbn;

use crate::auth::policy::PasswordRules;
use crate::auth::secret::Password;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    #[error("the password is shorter than {min} characters")]
    TooShort {
        /// Fewest UTF-16 units.
        min: u32,
    },
    #[error("the password is longer than {max} characters")]
    TooLong {
        /// Most UTF-16 units.
        max: u32,
    },
    /// A hidden prompt drops control characters, so such a password could be set but never typed.
    #[error("the password contains control characters, which cannot be typed at a prompt")]
    Control,
    #[error("the password is too easy to guess: {why}")]
    Guessable {
        /// The reason, as zxcvbn words it.
        why: String,
    },
}

/// Checks the length of a new password and its characters. `--allow-weak` does not lift these requirements.
///
/// The length is in UTF-16 units, because Better Auth counts JavaScript's `length`.
///
/// # Errors
/// [`WeakPassword`] except `Guessable`.
pub fn check_form(password: &Password, rules: &PasswordRules) -> Result<(), WeakPassword> {
    // A secret has at most a kilobyte, so the count fits.
    let units = u32::try_from(password.expose().encode_utf16().count()).unwrap_or(u32::MAX);
    if password.expose().chars().any(char::is_control) {
        Err(WeakPassword::Control)
    } else if units < rules.length_min {
        Err(WeakPassword::TooShort { min: rules.length_min })
    } else if units > rules.length_max {
        Err(WeakPassword::TooLong { max: rules.length_max })
    } else {
        Ok(())
    }
}

/// Checks a new password in full. `own_words` are words that an attacker tries first: the user's name and address.
///
/// # Errors
/// [`WeakPassword`], with the reason to show the user.
pub fn check(password: &Password, own_words: &[&str], rules: &PasswordRules) -> Result<(), WeakPassword> {
    check_form(password, rules)?;
    let mut words: Vec<&str> = vec!["authctl"];
    for word in own_words {
        words.push(word);
        words.extend(word.split_once('@').map(|(local_part, _)| local_part));
        words.extend(word.split(|c: char| !c.is_alphanumeric()).filter(|part| part.chars().count() > 2));
    }
    if rules.strength_min > 0 && is_made_of(password.expose(), &words) {
        return Err(WeakPassword::Guessable {
            why: "it is made of your name, your address or the name authctl".into(),
        });
    }
    let estimate = zxcvbn(password.expose(), &words);
    if u32::from(u8::from(estimate.score())) >= rules.strength_min {
        return Ok(());
    }
    let why = estimate
        .feedback()
        .and_then(zxcvbn::feedback::Feedback::warning)
        .map_or_else(|| "it is close to what guessers try first".to_owned(), |warning| warning.to_string());
    Err(WeakPassword::Guessable { why: tidy(&why) })
}

/// The number of letters and digits that a password needs beside the user's own words.
const OWN_LETTERS_MIN: usize = 6;

/// Whether a password is made of these words with too little between them. zxcvbn rates each word as weak, but two
/// words with a dot between them as strong.
fn is_made_of(password: &str, words: &[&str]) -> bool {
    let mut rest = password.to_lowercase();
    let mut words: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    let mut found = false;
    for word in words.iter().filter(|word| word.chars().count() > 2) {
        found |= rest.contains(word.as_str());
        rest = rest.replace(word.as_str(), " ");
    }
    found && rest.chars().filter(|c| c.is_alphanumeric()).count() < OWN_LETTERS_MIN
}

/// Converts zxcvbn's sentence to the form of our messages: lower case at the start, no full stop at the end.
fn tidy(sentence: &str) -> String {
    let trimmed = sentence.trim_end_matches('.');
    let mut chars = trimmed.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::fixtures::password;

    fn verdict(text: &str, own_words: &[&str]) -> Result<(), WeakPassword> {
        check(&password(text), own_words, &PasswordRules::default())
    }

    #[test]
    fn length_is_counted_in_utf16_units() {
        assert_eq!(verdict("Xk9#mQz", &[]), Err(WeakPassword::TooShort { min: 8 }));
        assert_ne!(verdict("😀😀😀😀", &[]), Err(WeakPassword::TooShort { min: 8 }));
        let rules = PasswordRules::default();
        assert_eq!(check_form(&password(&"😀".repeat(64)), &rules), Ok(()));
        assert_eq!(check_form(&password(&"😀".repeat(65)), &rules), Err(WeakPassword::TooLong { max: 128 }));
    }

    #[test]
    fn common_passwords_are_refused_with_a_reason() {
        for text in ["password", "passwordpassword", "12345678", "aaaaaaaaaaaa", "qwertyuiop", "iloveyou1"] {
            let refused = verdict(text, &[]);
            assert!(matches!(&refused, Err(WeakPassword::Guessable { why }) if !why.is_empty()), "{text}: {refused:?}");
        }
    }

    #[test]
    fn passwords_of_the_users_own_words_are_refused() {
        let own = ["Ada Lovelace", "ada.lovelace@engine.example"];
        for text in ["ada.lovelace@engine.example", "ada.lovelace", "Lovelace1", "authctl1", "engineengine"] {
            assert!(matches!(verdict(text, &own), Err(WeakPassword::Guessable { .. })), "{text}");
        }
        for text in ["lovelace.ada", "authctl-authctl", "LOVELACE-ada-2026", "engine.example"] {
            assert!(matches!(verdict(text, &own), Err(WeakPassword::Guessable { why }) if why.contains("your name")));
        }
        for text in ["ada plum otter quietly", "lovelace kT7pWz2q", "adamant umbrellas sing"] {
            assert_eq!(verdict(text, &own), Ok(()), "{text}");
        }
    }

    #[test]
    fn phrases_and_random_text_pass_without_composition_rules() {
        for text in ["correct horse battery staple", "kT7pWz2q", "               x y z q", "пароль из четырёх слов"]
        {
            assert_eq!(verdict(text, &["Ada"]), Ok(()), "{text}");
        }
    }

    #[test]
    fn control_characters_are_refused() {
        assert_eq!(verdict("correct\thorse battery", &[]), Err(WeakPassword::Control));
        assert_eq!(verdict("correct\u{1b}[Ahorse", &[]), Err(WeakPassword::Control));
    }
}
