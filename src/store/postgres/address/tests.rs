use std::collections::BTreeMap;
use std::io;

use proptest::prelude::*;

use super::*;

/// The outside as a test sets it: variables, and files with their modes.
#[derive(Default)]
struct Outside {
    env: LibpqEnv,
    files: BTreeMap<PathBuf, (&'static str, u32)>,
}

impl LibpqFiles for BTreeMap<PathBuf, (&'static str, u32)> {
    fn read(&self, path: &std::path::Path) -> io::Result<LibpqFile> {
        let (text, mode) = self.get(path).ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        Ok(LibpqFile { text: Zeroizing::new((*text).to_owned()), mode: *mode })
    }

    fn exists(&self, path: &std::path::Path) -> bool {
        self.contains_key(path)
    }
}

impl Outside {
    /// A user `me` on a machine with a socket directory.
    fn new() -> Self {
        let env = LibpqEnv { os_user: || Some("me".into()), home: Some("/home/me".into()), ..LibpqEnv::default() };
        Self { env, files: BTreeMap::new() }.file("/var/run/postgresql", "", 0o755)
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        self.env.variables.push((name.into(), Zeroizing::new(value.into())));
        self
    }

    fn file(mut self, path: &str, text: &'static str, mode: u32) -> Self {
        self.files.insert(path.into(), (text, mode));
        self
    }

    fn parse(&self, text: &str) -> Result<Address, AddressError> {
        Address::parse(text, &Libpq { env: &self.env, files: &self.files })
    }

    fn shown(&self, text: &str) -> String {
        self.parse(text).unwrap_or_else(|error| panic!("{text}: {error}")).shown()
    }

    fn passwords(&self, text: &str) -> Vec<Option<String>> {
        let address = self.parse(text).unwrap();
        address.hosts().iter().map(|host| host.password.as_ref().map(|one| one.expose().to_owned())).collect()
    }
}

fn parse(text: &str) -> Result<Address, AddressError> {
    Outside::new().parse(text)
}

const SOCKET: &str = "%2Fvar%2Frun%2Fpostgresql";

/// What libpq 15 makes of each address, by `psql ADDRESS -c '\conninfo'` and its error messages.
#[test]
fn address_names_the_server_that_libpq_names() {
    for (text, shown) in [
        ("postgres://", format!("postgres://me@{SOCKET}:5432/me")),
        ("postgresql://", format!("postgres://me@{SOCKET}:5432/me")),
        ("postgres:///app", format!("postgres://me@{SOCKET}:5432/app")),
        ("postgres://ada@/app", format!("postgres://ada@{SOCKET}:5432/app")),
        ("postgres://ada@", format!("postgres://ada@{SOCKET}:5432/ada")),
        ("postgres://:5433", format!("postgres://me@{SOCKET}:5433/me")),
        ("postgres://h", "postgres://me@h:5432/me".into()),
        ("postgres://h:", "postgres://me@h:5432/me".into()),
        ("postgres://h:5433/", "postgres://me@h:5433/me".into()),
        ("postgres://ada:pw@h:5433/app", "postgres://ada@h:5433/app".into()),
        ("postgres://ada:p%40w%2F%3A@h/app", "postgres://ada@h:5432/app".into()),
        ("postgres://a%40b@h/app", "postgres://a%40b@h:5432/app".into()),
        ("postgres://ada:p?w#x@h/app", "postgres://ada@h:5432/app".into()),
        ("postgres://h/a%20b", "postgres://me@h:5432/a%20b".into()),
        ("postgres://h/a/b", "postgres://me@h:5432/a%2Fb".into()),
        ("postgres://h1,h2:5433/app", "postgres://me@h1:5432,h2:5433/app".into()),
        ("postgres://h1:1,h2:2,[::1]:3/app", "postgres://me@h1:1,h2:2,[::1]:3/app".into()),
        ("postgres://h1,h2/app?port=7", "postgres://me@h1:7,h2:7/app".into()),
        ("postgres://[::1]/app", "postgres://me@[::1]:5432/app".into()),
        ("postgres://%2Frun%2Fpg:5433/app", "postgres://me@%2Frun%2Fpg:5433/app".into()),
        ("postgres:///app?host=/run/pg&port=5433", "postgres://me@%2Frun%2Fpg:5433/app".into()),
        ("postgres://h/app?user=ada&dbname=other", "postgres://ada@h:5432/other".into()),
        ("postgres://h/app?host=g&", "postgres://me@g:5432/app".into()),
        ("postgres://h?", "postgres://me@h:5432/me".into()),
        ("postgres://h/app?hostaddr=10.0.0.1", "postgres://me@h:5432/app".into()),
        ("postgres:///app?hostaddr=10.0.0.1,10.0.0.2", "postgres://me@10.0.0.1:5432,10.0.0.2:5432/app".into()),
        ("host=h", "postgres://me@h:5432/me".into()),
        ("  host = h  port=5433 dbname=app user=ada ", "postgres://ada@h:5433/app".into()),
        (r"host=h dbname='a b' user='it\'s'", "postgres://it%27s@h:5432/a%20b".into()),
        (r"host=h dbname=a\ b user=a\\b", "postgres://a%5Cb@h:5432/a%20b".into()),
        ("host=h dbname='' user=", "postgres://me@h:5432/me".into()),
        ("host=h1,h2 port=1,2", "postgres://me@h1:1,h2:2/me".into()),
        ("user=ada user=eve host=h", "postgres://eve@h:5432/eve".into()),
        ("host=/run/pg user='a''b=c' dbname=x", String::new()),
    ] {
        match parse(text) {
            Ok(address) => assert_eq!(address.shown(), shown, "{text}"),
            Err(error) => assert!(shown.is_empty(), "{text}: {error}"),
        }
    }
}

#[test]
fn shown_address_is_read_back_as_the_same_address() {
    let outside = Outside::new();
    for text in [
        "postgres://",
        "postgres://a%40b:c@[fe80::1]:1,h/x%2Fy?sslmode=disable",
        "host=/run/a,h user='p q'",
        "postgres://h/app?sslmode=disable&schema=a%26b%20c",
    ] {
        let shown = outside.shown(text);
        assert_eq!(outside.shown(&shown), shown);
        assert_eq!(outside.parse(&shown).unwrap().key(), outside.parse(text).unwrap().key());
    }
}

#[test]
fn text_is_an_address_only_with_a_scheme_or_a_parameter_first() {
    for text in ["postgres://", "postgresql://h/x", "host=h", " dbname = x", "service=app", "user="] {
        assert!(Address::is_address(text), "{text}");
    }
    for text in
        ["", "postgres", "postgres:h", "app.db", "a=b.db", "/srv/host=x.db", "host", "sqlite:host=x", "./user=x"]
    {
        assert!(!Address::is_address(text), "{text}");
        assert_eq!(parse(text).unwrap_err(), AddressError::Scheme);
    }
}

#[test]
fn invalid_address_is_refused_with_its_reason() {
    use AddressError::{Count, Escape, Host, NoValue, Quote, Unescaped, Unknown, Unsupported, WeakMode};
    let value = |name, expected| AddressError::Value { name, expected };
    let port = || value("port", "must be a number from 1 to 65535");
    for (text, error) in [
        ("postgres://h%2", Escape),
        ("postgres://h/%zz", Escape),
        ("postgres://h/a%00b", Escape),
        ("postgres://h/%ff", Escape),
        ("postgres://[::1", Host),
        ("postgres://[]", Host),
        ("postgres://[::1]5432", Host),
        ("postgres://h/x?host=a%20b", Host),
        ("postgres://h:x/app", port()),
        ("postgres://h:0/app", port()),
        ("postgres://h:65536", port()),
        ("postgres://::1/app", port()),
        ("postgres://h1:1,h2:2/app?port=1,2,3", Count { hosts: 2, others: 3, what: "ports" }),
        ("postgres://h1,h2/?hostaddr=::1", Count { hosts: 2, others: 1, what: "addresses in hostaddr" }),
        ("postgres://h/?hostaddr=h", value("hostaddr", "must be an IP address")),
        ("postgres://h/?sslmode", NoValue),
        ("host=h port", NoValue),
        ("host=h port 5432", NoValue),
        ("host='h", Quote),
        ("postgres://h/?colour=red", Unknown("colour".into())),
        ("host=h colour=red", Unknown("colour".into())),
        ("postgres://h/?sslcrl=x", Unsupported("sslcrl")),
        ("postgres://h/?require_auth=none", Unsupported("require_auth")),
        ("postgres://h/?min_protocol_version=3.2", Unsupported("min_protocol_version")),
        ("postgres://h/?scram_client_key=x", Unsupported("scram_client_key")),
        ("postgres://h/?gssencmode=require", value("gssencmode", "must be disable or prefer: authctl has no GSSAPI")),
        ("postgres://h/?connect_timeout=soon", value("connect_timeout", "must be a whole number")),
        (
            "postgres://h/?sslmode=prefer&sslnegotiation=direct",
            WeakMode { needed_by: "sslnegotiation=direct", least: "require" },
        ),
        (
            "postgres://localhost/?sslnegotiation=direct",
            WeakMode { needed_by: "sslnegotiation=direct", least: "require" },
        ),
        (
            "postgres://h/?sslmode=require&sslrootcert=system",
            WeakMode { needed_by: "sslrootcert=system", least: "verify-full" },
        ),
        ("postgres://ada:can@ry@h/app", Unescaped),
        ("postgres://ada:can/ry@h/app", Unescaped),
        ("postgres://ada:1/can@h/app", Unescaped),
        ("postgres://h?password=can@ry", Unescaped),
        ("postgres://h/x?password=can&ry=1", Unescaped),
        ("postgres://h/x?can%20ry=1", Unescaped),
        ("postgres://ada:can@?ry=@h/app", Unescaped),
        ("postgres://ada:c/an?ry=@h/app", Unescaped),
        ("password=can ry=1", Unescaped),
        ("password=can ry", NoValue),
    ] {
        assert_eq!(parse(text).unwrap_err(), error, "{text}");
    }
    let no_user = Outside { env: LibpqEnv::default(), ..Outside::new() };
    assert_eq!(no_user.parse("postgres://h").unwrap_err(), AddressError::NoUser);
    let asks_nothing = LibpqEnv { os_user: || panic!("the address names a user"), ..LibpqEnv::default() };
    let no_question = Outside { env: asks_nothing, ..Outside::new() };
    assert_eq!(no_question.parse("postgres://ada@h").unwrap().user, "ada");
}

#[test]
fn parameters_of_orms_pools_and_later_libpqs_are_dropped() {
    let prisma = "postgres://h/app?schema=auth&pgbouncer=true&connection_limit=1&pool_timeout=0&socket_timeout=9\
                  &statement_cache_size=0&sslaccept=strict&uselibpqcompat=true";
    let address = parse(prisma).unwrap();
    assert_eq!((address.shown().as_str(), address.schema()), ("postgres://me@h:5432/app?schema=auth", Some("auth")));
    assert_eq!(parse("postgres://h/app?ssl=true").unwrap().ssl_mode, Some(SslMode::Require));
    let of_libpq_18 = "postgres://h/app?max_protocol_version=latest&oauth_issuer=https://id.example.com&oauth_client_id=a\
                       &oauth_client_secret=canary&oauth_scope=openid&sslkeylogfile=keys";
    assert_eq!(parse(of_libpq_18).unwrap().shown(), "postgres://me@h:5432/app");
}

#[test]
fn text_wins_over_service_over_environment_over_default() {
    let service =
        "# services\n[other]\nhost=wrong\n\n[app]\n host=of-service \nport=7\nport=8\ndbname=a b\n[last]\nuser=wrong\n";
    let outside = Outside::new()
        .variable("PGHOST", "of-environment")
        .variable("PGUSER", "ada")
        .variable("PGPORT", "9")
        .file("/home/me/.pg_service.conf", service, 0o644);
    assert_eq!(outside.shown("postgres://"), "postgres://ada@of-environment:9/ada");
    assert_eq!(outside.shown("postgres://?service=app"), "postgres://ada@of-service:7/a%20b");
    assert_eq!(outside.shown("service=app host=h user=eve"), "postgres://eve@h:7/a%20b");
    // An empty value is the default, whatever the environment says.
    assert_eq!(outside.shown("host='' port=''"), format!("postgres://ada@{SOCKET}:5432/ada"));
    let outside = outside.variable("PGSERVICE", "app");
    assert_eq!(outside.shown("postgres://"), "postgres://ada@of-service:7/a%20b");
    assert_eq!(outside.parse("service=none").unwrap_err(), AddressError::Service("none".into()));
}

#[test]
fn service_file_may_have_another_place() {
    let outside = Outside::new()
        .variable("PGSYSCONFDIR", "/etc/pg")
        .file("/etc/pg/pg_service.conf", "[app]\nhost=system\n", 0o644)
        .file("/srv/services", "[app]\nhost=named\n", 0o644)
        .file("/srv/damaged", "[app]\nhost=named\nuser\n", 0o644)
        .file("/srv/nested", "[app]\nservice=app\n", 0o644);
    assert_eq!(outside.shown("service=app"), "postgres://me@system:5432/me");
    assert_eq!(outside.shown("service=app servicefile=/srv/services"), "postgres://me@named:5432/me");
    for (path, problem) in [("/srv/damaged", "line 3 is not valid"), ("/srv/nested", "line 2 is not valid")] {
        let refused = outside.parse(&format!("service=app servicefile={path}")).unwrap_err();
        assert_eq!(refused, AddressError::ServiceFile { path: path.into(), problem: problem.into() });
    }
    let missing = outside.variable("PGSERVICEFILE", "/srv/none").parse("service=app").unwrap_err();
    assert!(matches!(missing, AddressError::ServiceFile { path, .. } if path.ends_with("none")));
}

#[test]
fn environment_is_named_in_errors() {
    let error = Outside::new().variable("PGSSLMODE", "on").parse("postgres://").unwrap_err();
    assert!(error.to_string().starts_with("`PGSSLMODE` must be disable, "), "{error}");
    let error = Outside::new().variable("PGREQUIREAUTH", "scram-sha-256").parse("postgres://").unwrap_err();
    assert_eq!(error, AddressError::Unsupported("PGREQUIREAUTH"));
}

#[test]
fn every_variable_has_its_effect() {
    let outside = [
        ("PGHOST", "h"),
        ("PGHOSTADDR", "10.0.0.1"),
        ("PGPORT", "7"),
        ("PGUSER", "ada"),
        ("PGDATABASE", "app"),
        ("PGPASSWORD", "canary"),
        ("PGSSLMODE", "verify-ca"),
        ("PGSSLROOTCERT", "/r"),
        ("PGSSLCERT", "/c"),
        ("PGSSLKEY", "/k"),
        ("PGSSLNEGOTIATION", "direct"),
        ("PGCONNECT_TIMEOUT", "3"),
        ("PGAPPNAME", "tool"),
        ("PGOPTIONS", "-c x=y"),
        ("PGTARGETSESSIONATTRS", "read-write"),
        ("PGCHANNELBINDING", "require"),
        ("PGLOADBALANCEHOSTS", "random"),
        ("PGHOSTX", "ignored"),
    ];
    for (name, _) in &outside[..outside.len() - 1] {
        assert!(LibpqEnv::is_read(name), "{name}");
    }
    assert!(!LibpqEnv::is_read("PGHOSTX") && !LibpqEnv::is_read(""));
    let outside = outside.into_iter().fold(Outside::new(), |outside, (name, value)| outside.variable(name, value));
    let address = outside.parse("postgres://").unwrap();
    assert_eq!(address.shown(), "postgres://ada@h:7/app");
    let host = &address.hosts()[0];
    assert_eq!(host.endpoint, Endpoint::Tcp { name: "h".into(), ip: Some("10.0.0.1".parse().unwrap()) });
    assert_eq!(host.password.as_ref().unwrap().expose(), "canary");
    assert_eq!(address.encryption(host), Encryption::Required(Verify::Chain));
    assert_eq!(address.tls.roots, Some("/r".into()));
    assert_eq!(address.tls.client, Some(("/c".into(), "/k".into())));
    assert!(address.tls.is_direct && address.is_balanced);
    assert_eq!(address.connect_timeout, Some(Duration::from_secs(3)));
    assert_eq!(address.application_name.as_deref(), Some("tool"));
    assert_eq!(address.options.as_deref(), Some("-c x=y"));
    assert_eq!(address.target_session, TargetSession::ReadWrite);
    assert_eq!(address.channel_binding, ChannelBinding::Require);
    assert!(!format!("{:?} {address:?} {:?} {host:?}", outside.env, address.notices()).contains("canary"));
}

#[test]
fn mode_decides_how_the_connection_is_protected() {
    use Encryption::{Never, Offered, Required};
    use Verify::{Chain, ChainAndName, Nothing};
    for (text, encryption) in [
        ("postgres://", Never),
        ("postgres://?sslmode=verify-full", Never),
        ("postgres://localhost", Offered(Nothing)),
        ("postgres://127.0.0.9", Offered(Nothing)),
        ("postgres://[::1]", Offered(Nothing)),
        ("postgres://db.example.com?hostaddr=127.0.0.1", Offered(Nothing)),
        ("postgres://localhost?hostaddr=10.0.0.1", Required(ChainAndName)),
        ("postgres://localhost.example.com", Required(ChainAndName)),
        ("postgres://10.0.0.1", Required(ChainAndName)),
        ("postgres://h?sslrootcert=/r", Required(ChainAndName)),
        ("postgres://localhost?sslrootcert=system", Required(ChainAndName)),
        ("postgres://h?sslmode=disable", Never),
        ("postgres://h?sslmode=allow", Offered(Nothing)),
        ("postgres://h?sslmode=prefer", Offered(Nothing)),
        ("postgres://h?sslmode=prefer&sslrootcert=/r", Offered(Chain)),
        ("postgres://h?sslmode=require", Required(Nothing)),
        ("postgres://h?sslmode=require&sslrootcert=/r", Required(Chain)),
        ("postgres://h?sslmode=verify-ca", Required(Chain)),
        ("postgres://localhost?sslmode=verify-full", Required(ChainAndName)),
    ] {
        let address = parse(text).unwrap();
        assert_eq!(address.encryption(&address.hosts()[0]), encryption, "{text}");
    }
    let with_root = Outside::new().file("/home/me/.postgresql/root.crt", "", 0o644);
    let address = with_root.parse("postgres://h?sslmode=require").unwrap();
    assert_eq!(address.encryption(&address.hosts()[0]), Required(Chain), "libpq's own place for roots");
}

#[test]
fn weak_protection_of_a_remote_server_is_noticed() {
    for (text, notices) in [
        ("postgres://h", &[][..]),
        ("postgres://localhost?sslmode=disable", &[]),
        ("postgres://h?sslmode=disable", &[Notice::ClearText]),
        ("postgres://h?sslmode=prefer", &[Notice::ClearText]),
        ("postgres://h?sslmode=require", &[Notice::Unverified]),
        ("postgres://h?sslmode=require&sslrootcert=/r", &[]),
    ] {
        assert_eq!(parse(text).unwrap().notices(), notices, "{text}");
    }
}

const PASSWORDS: &str = "\
# comment:*:*:*:wrong
h:5432:app:ada:first
h:5432:app:ada:second
h2:*:*:ada:a\\:b\\\\c
localhost:*:*:*:local\r
/run/pg:*:*:*:socket
h\\:3:*:*:*:escaped
h4:*:*:*:
short:line
";

#[test]
fn password_file_gives_the_first_password_that_fits() {
    let outside = Outside::new().file("/home/me/.pgpass", PASSWORDS, 0o600);
    for (text, passwords) in [
        ("postgres://ada@h/app", &[Some("first")][..]),
        ("postgres://ada@h/other", &[None]),
        ("postgres://ada@h:1,h2:2,h/app", &[None, Some("a:b\\c"), Some("first")]),
        ("postgres://", &[Some("local")]),
        ("postgres://localhost/x", &[Some("local")]),
        ("postgres://%2Frun%2Fpg", &[Some("socket")]),
        ("host=h:3", &[Some("escaped")]),
        ("postgres://h4", &[None]),
        ("postgres://ada:given@h/app", &[Some("given")]),
        ("postgres://ada@h/app?passfile=/none", &[None]),
    ] {
        let found: Vec<Option<String>> = outside.passwords(text);
        assert_eq!(found.iter().map(Option::as_deref).collect::<Vec<_>>(), passwords, "{text}");
    }
    let named = Outside::new().variable("PGPASSFILE", "/srv/pass").file("/srv/pass", "*:*:*:*:named", 0o600);
    assert_eq!(named.passwords("postgres://h"), [Some("named".to_owned())]);
}

#[test]
fn password_file_that_others_can_read_is_ignored() {
    for (mode, is_used) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false), (0o660, false)] {
        let outside = Outside::new().file("/home/me/.pgpass", "*:*:*:*:canary", mode);
        assert_eq!(outside.passwords("postgres://h")[0].is_some(), is_used, "{mode:o}");
        let notices = outside.parse("postgres://h").unwrap().notices;
        let expected = [Notice::PasswordFileOpen("/home/me/.pgpass".into())];
        assert_eq!(notices, if is_used { &[][..] } else { &expected[..] });
        // A file that is not needed is not reported.
        assert!(outside.parse("postgres://ada:x@h").unwrap().notices().is_empty());
    }
}

#[test]
fn password_in_the_text_is_reported_and_never_shown() {
    let outside = Outside::new().variable("PGPASSWORD", "elsewhere");
    for (text, has) in [
        ("postgres://ada:canary@h/app", true),
        ("postgres://h/app?password=canary", true),
        ("host=h password='canary'", true),
        ("postgres://ada:@h/app", false),
        ("postgres://h/app", false),
    ] {
        let address = outside.parse(text).unwrap();
        assert_eq!(address.has_password_in_text(), has, "{text}");
        assert!(!format!("{} {address:?} {} {:?}", address.shown(), address.key(), address.hosts()).contains("canary"));
    }
}

#[test]
fn key_identifies_the_database_and_not_the_role() {
    let key = |text: &str| parse(text).unwrap().key();
    assert_eq!(key("postgres://ada:pw@H1:1,h2:2/app?sslmode=require"), "postgres://h1:1,h2:2/app");
    assert_eq!(key("host=h2,h1 port=2,1 user=eve dbname=app"), "postgres://h1:1,h2:2/app");
    assert_eq!(key("postgres://h/app?schema=auth"), "postgres://h:5432/app?schema=auth");
    for other in ["postgres://h/App", "postgres://h:1/app", "postgres://h/app?schema=x", "postgres://h2/app"] {
        assert_ne!(key(other), key("postgres://h/app"), "{other}");
    }
}

/// The text without anything that a parser could see as the end of a part.
fn text_of_url(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

fn quoted_word(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_the_parser_panic(text in any::<String>(), scheme in "(postgres://|host=|)") {
        let _ = parse(&format!("{scheme}{text}"));
    }

    /// Punctuation that ends a part, in any order, around a password.
    #[test]
    fn no_error_and_no_output_repeats_a_password(
        before in "[a@:/?#=&,%' \\\\\\[\\]]{0,8}",
        after in "[a@:/?#=&,%' \\\\\\[\\]]{0,8}",
        form in prop::sample::select(vec!["postgres://ada:{}@h/app", "postgres://h/app?password={}", "host=h password={}"]),
    ) {
        let text = form.replace("{}", &format!("{before}canary{after}"));
        let told = match parse(&text) {
            Ok(address) => format!("{address:?} {} {:?}", address.key(), address.notices()),
            Err(error) => format!("{error} {error:?}"),
        };
        prop_assert!(!told.contains("canary"), "{text}: {told}");
    }

    #[test]
    fn encoded_and_quoted_values_come_back_as_they_were(
        user in "[^\\x00]{1,12}",
        password in "[^\\x00]{1,12}",
        database in "[^\\x00]{1,12}",
    ) {
        let url = format!("postgres://{}:{}@h/{}", text_of_url(&user), text_of_url(&password), text_of_url(&database));
        let [u, p, d] = [&user, &password, &database].map(|text| quoted_word(text));
        for text in [url, format!("host=h user={u} password={p} dbname={d}")] {
            let address = parse(&text).unwrap();
            prop_assert_eq!((address.user(), address.database()), (user.as_str(), database.as_str()));
            prop_assert_eq!(address.hosts()[0].password.as_ref().unwrap().expose(), &password);
        }
    }

    #[test]
    fn password_file_gives_any_escaped_password(
        host in "[^\\x00\r\n]{1,8}",
        password in "[^\\x00\r\n]{1,12}",
    ) {
        let escaped = |text: &str| text.replace('\\', "\\\\").replace(':', "\\:");
        let text: &'static str = format!("{}:1:db:ada:{}\n", escaped(&host), escaped(&password)).leak();
        prop_assume!(!text.starts_with('#') && host != "*");
        let file = files::PasswordFile::of(text);
        let found = file.password(&host, 1, "db", "ada");
        prop_assert_eq!(found.as_ref().map(|found| found.as_str()), Some(password.as_str()));
    }
}
