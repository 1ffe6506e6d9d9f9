//! bcrypt of the password and a pepper behind it, as Devise computes it. The row names the pepper and does not hold it.

use zeroize::Zeroizing;

use super::kind::HashRefusal;
use super::{HashError, bcrypt};
use crate::auth::secret::Pepper;

/// Finds a pepper by the name that the hashes have for it.
pub trait Peppers: std::fmt::Debug {
    /// The pepper of a name.
    ///
    /// # Errors
    /// [`HashError::Failed`] if it does not exist or cannot be read.
    fn find(&self, name: &str) -> Result<Pepper, HashError>;
}

/// For a hash without a database: no pepper is known.
#[derive(Debug, Clone, Copy)]
pub struct NoPeppers;

impl Peppers for NoPeppers {
    fn find(&self, name: &str) -> Result<Pepper, HashError> {
        Err(HashError::Failed(format!("the pepper {name} is not known here")))
    }
}

/// A pepper for every name, for hashes that have none yet.
impl Peppers for Pepper {
    fn find(&self, _name: &str) -> Result<Pepper, HashError> {
        Ok(self.clone())
    }
}

const PREFIX: &str = "$authctl-pepper$";
/// The longest name of a pepper.
const NAME_CHARS_MAX: usize = 32;

#[derive(Debug)]
pub(super) struct Peppered {
    name: String,
    bcrypt: String,
}

/// Whether a text can be the name of a pepper.
fn is_name(name: &str) -> bool {
    (1..=NAME_CHARS_MAX).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

impl Peppered {
    /// A bcrypt hash of an export, whose pepper has this name.
    pub(super) fn new(name: &str, bcrypt: &str) -> Option<Self> {
        is_name(name).then(|| Self { name: name.to_owned(), bcrypt: bcrypt.to_owned() })
    }

    /// Reads authctl's own notation; `None` for a text of another form.
    pub(super) fn parse(text: &str) -> Option<Result<Self, HashRefusal>> {
        let rest = text.strip_prefix(PREFIX)?;
        let (name, bcrypt) = rest.split_at_checked(rest.find('$')?)?;
        let read = bcrypt::read(bcrypt)?;
        Self::new(name, bcrypt).map(|hash| read.map(|_| hash))
    }

    pub(super) fn canonical(&self) -> String {
        format!("{PREFIX}{}{}", self.name, self.bcrypt)
    }

    pub(super) fn verify(&self, text: &str, peppers: &dyn Peppers) -> Result<bool, HashError> {
        let pepper = peppers.find(&self.name)?;
        let mut both = Zeroizing::new(String::with_capacity(text.len() + pepper.expose().len()));
        both.push_str(text);
        both.push_str(pepper.expose());
        Ok(bcrypt::verify(&both, &self.bcrypt))
    }
}
