//! The databases that the configuration file names. Reads its text, and opens no files.

use std::fmt;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use super::{DatabaseLocation, PathEnv, PathError};

/// The longest name of a database, in bytes.
const NAME_BYTES_MAX: usize = 64;

/// A database of the configuration file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedDatabase {
    pub name: String,
    /// With the name.
    pub location: DatabaseLocation,
    /// The absolute path of its schema file (`--schema`).
    pub schema: Option<PathBuf>,
    /// The configuration file, if other users can read it.
    pub readable_config: Option<PathBuf>,
}

/// The databases of the configuration file, in the order of their names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NamedDatabases(pub Vec<NamedDatabase>);

/// A configuration file that cannot be used, or that does not have a name.
#[derive(Debug, thiserror::Error)]
pub struct ConfigError {
    /// The configuration file.
    pub path: PathBuf,
    pub problem: ConfigProblem,
}

/// What is wrong with a configuration file.
#[derive(Debug)]
pub enum ConfigProblem {
    /// It does not exist, and a database was named.
    Missing { name: String },
    /// It cannot be read.
    Unreadable(std::io::Error),
    /// Other users can change it.
    Insecure { problem: String, remedy: String },
    /// Its text makes no sense.
    Text { line: Option<usize>, problem: String },
    /// It does not have the name.
    Unknown {
        name: String,
        /// The names that it has.
        names: Vec<String>,
        /// The one that is nearest to the wanted name.
        nearest: Option<String>,
    },
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.problem {
            ConfigProblem::Missing { name } => {
                write!(f, "no database is named @{name}: the configuration file {path} does not exist")
            }
            ConfigProblem::Unreadable(error) => write!(f, "the configuration file {path} cannot be read: {error}"),
            ConfigProblem::Insecure { problem, .. } => {
                write!(f, "the configuration file {path} cannot be trusted: {problem}")
            }
            ConfigProblem::Text { line: Some(line), problem } => {
                write!(f, "the configuration file {path} cannot be used: line {line}: {problem}")
            }
            ConfigProblem::Text { line: None, problem } => {
                write!(f, "the configuration file {path} cannot be used: {problem}")
            }
            ConfigProblem::Unknown { name, names, .. } if names.is_empty() => {
                write!(f, "no database is named @{name}: {path} names none")
            }
            ConfigProblem::Unknown { name, names, .. } => {
                let names: Vec<String> = names.iter().map(|name| format!("@{name}")).collect();
                write!(f, "no database is named @{name}: {path} has {}", names.join(", "))
            }
        }
    }
}

/// The name of a database in an argument (`@prod`). A file of such a name is reached as `./@prod`.
pub fn name_of(given: &Path) -> Option<&str> {
    given.to_str()?.strip_prefix('@')
}

impl NamedDatabases {
    /// Reads the text of a configuration file. A relative path in it is one of its directory, and `~/` begins with the
    /// home directory.
    ///
    /// # Errors
    /// The problem, with its line, and without a value, which may hold a password.
    pub fn parse(text: &str, config: &Path, env: &PathEnv) -> Result<Self, ConfigProblem> {
        let line_of = |at: usize| text.get(..at).map(|before| before.matches('\n').count() + 1);
        let wrong = |at: usize, problem: String| ConfigProblem::Text { line: line_of(at), problem };
        let document = DeTable::parse(text).map_err(|error| ConfigProblem::Text {
            line: error.span().and_then(|span| line_of(span.start)),
            problem: error.message().to_owned(),
        })?;
        let mut databases = Vec::new();
        for (key, value) in document.get_ref() {
            if key.get_ref() != "databases" {
                return Err(wrong(key.span().start, format!("{} is not a setting", key.get_ref())));
            }
            let Some(tables) = value.get_ref().as_table() else {
                return Err(wrong(key.span().start, "databases is not a table: write [databases.NAME]".to_owned()));
            };
            for (name, value) in tables {
                let at = name.span().start;
                let name = name.get_ref().as_ref();
                if !is_name(name) {
                    let problem = "a name has small letters, digits, - and _, and begins with a letter or a digit";
                    return Err(wrong(at, problem.to_owned()));
                }
                let Some(settings) = value.get_ref().as_table() else {
                    return Err(wrong(
                        at,
                        format!("{name} is not a table: write [databases.{name}] and url = \"...\""),
                    ));
                };
                databases.push(
                    read(name, settings, config, env)
                        .map_err(|(found, problem)| wrong(found.unwrap_or(at), format!("{name}: {problem}")))?,
                );
            }
        }
        databases.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        Ok(Self(databases))
    }

    /// Finds a database by its name.
    ///
    /// # Errors
    /// [`ConfigProblem::Unknown`].
    pub fn find(self, name: &str) -> Result<NamedDatabase, ConfigProblem> {
        let names: Vec<String> = self.0.iter().map(|one| one.name.clone()).collect();
        self.0.into_iter().find(|one| one.name == name).ok_or_else(|| {
            let nearest = names.iter().map(|one| (strsim::osa_distance(name, one), one)).min();
            let nearest = nearest.filter(|(distance, one)| *distance <= 2 && *distance < one.chars().count());
            let nearest = nearest.map(|(_, one)| one.clone());
            ConfigProblem::Unknown { name: name.to_owned(), names, nearest }
        })
    }
}

fn is_name(name: &str) -> bool {
    let is_first = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    name.len() <= NAME_BYTES_MAX
        && name.starts_with(is_first)
        && name.chars().all(|c| is_first(c) || matches!(c, '-' | '_'))
}

/// Reads the settings of a database. An error has the place of the setting, if it is about one.
fn read(
    name: &str,
    settings: &DeTable<'_>,
    config: &Path,
    env: &PathEnv,
) -> Result<NamedDatabase, (Option<usize>, String)> {
    let directory = config.parent().unwrap_or(Path::new("/"));
    let (mut url, mut schema) = (None, None);
    for (key, value) in settings {
        let at = Some(key.span().start);
        let place = match key.get_ref().as_ref() {
            "url" => &mut url,
            "schema" => &mut schema,
            other => return Err((at, format!("{other} is not a setting; a database has url and schema"))),
        };
        match value.get_ref() {
            DeValue::String(text) if !text.is_empty() => *place = Some((at, text.as_ref())),
            _ => return Err((at, format!("{} is not a text in quotes", key.get_ref()))),
        }
    }
    let Some((at, url)) = url else { return Err((None, "url is missing".to_owned())) };
    let url = at_home(url, env);
    if name_of(&url).is_some() {
        return Err((at, "url is a name, and not a path or an address".to_owned()));
    }
    let location = DatabaseLocation::parse_in(directory, &url).map_err(|error: PathError| (at, error.to_string()))?;
    Ok(NamedDatabase {
        name: name.to_owned(),
        location: location.with_name(name),
        schema: schema.map(|(_, path)| directory.join(at_home(path, env))),
        readable_config: None,
    })
}

/// A path with the home directory in the place of `~`, which a shell would have put there.
fn at_home(text: &str, env: &PathEnv) -> PathBuf {
    match (text.strip_prefix("~/"), &env.home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Vec<NamedDatabase>, String> {
        let env = PathEnv { home: Some("/home/ada".into()), ..PathEnv::default() };
        let path = Path::new("/conf/authctl/config.toml");
        NamedDatabases::parse(text, path, &env).map(|found| found.0).map_err(|problem| {
            ConfigError { path: "config.toml".into(), problem }
                .to_string()
                .replace("the configuration file config.toml cannot be used: ", "")
        })
    }

    #[test]
    fn paths_are_relative_to_the_configuration_file() {
        let found = parse(
            "[databases]\nb.url = 'x/b.db'\nb.schema = 's.json'\na.url = 'sqlite:a.db'\n\
             c.url = '~/c.db'\nd.url = '/d.db'\ne.url = 'postgres://ada:secret@db.example.com/app'\n",
        );
        let shown: Vec<String> =
            found.unwrap().iter().map(|one| format!("{:#} {:?}", one.location, one.schema)).collect();
        assert_eq!(
            shown,
            [
                "@a (/conf/authctl/a.db) None",
                "@b (/conf/authctl/x/b.db) Some(\"/conf/authctl/s.json\")",
                "@c (/home/ada/c.db) None",
                "@d (/d.db) None",
                "@e (postgres://ada@db.example.com/app) None",
            ]
        );
    }

    #[test]
    fn problem_has_its_line_and_no_value() {
        for (text, problem) in [
            ("\n[database.prod]\nurl = 'a'\n", "line 2: database is not a setting"),
            ("databases = 3", "line 1: databases is not a table: write [databases.NAME]"),
            (
                "[databases]\nprod = 'postgres://a:secret@b/c'\n",
                "line 2: prod is not a table: write [databases.prod] and url = \"...\"",
            ),
            ("[databases.prod]\nurl = 7\n", "line 2: prod: url is not a text in quotes"),
            ("[databases.prod]\nurl = ''\n", "line 2: prod: url is not a text in quotes"),
            (
                "[databases.prod]\n\nurl = 'a'\nport = 1\n",
                "line 4: prod: port is not a setting; a database has url and schema",
            ),
            ("[databases.prod]\nschema = 'a'\n", "line 1: prod: url is missing"),
            ("[databases.prod]\nurl = '@b'\n", "line 2: prod: url is a name, and not a path or an address"),
            (
                "[databases.prod]\nurl = ':memory:'\n[databases.\"a b\"]\n",
                "line 3: a name has small letters, digits, - and _, and begins with a letter or a digit",
            ),
        ] {
            assert_eq!(parse(text), Err(problem.to_owned()), "{text}");
        }
        for broken in [
            "[databases.prod]\nurl = \"postgres://a:secret\nx\"",
            "url = secret",
            "[databases.prod]\nurl = 'secret' secret",
        ] {
            let problem = parse(broken).unwrap_err();
            assert!(problem.starts_with("line ") && !problem.contains("secret"), "{problem}");
        }
    }

    #[test]
    fn unknown_name_gets_the_nearest() {
        let found = NamedDatabases(parse("[databases]\nprod.url = '/a'\nstaging.url = '/b'\n").unwrap());
        let nearest = |name: &str| match found.clone().find(name) {
            Err(ConfigProblem::Unknown { nearest, names, .. }) => (nearest, names.len()),
            other => unreachable!("{other:?}"),
        };
        assert_eq!(nearest("prdo"), (Some("prod".into()), 2));
        assert_eq!(nearest("stagin"), (Some("staging".into()), 2));
        assert_eq!(nearest("x"), (None, 2));
        assert!(found.clone().find("prod").is_ok());
    }
}
