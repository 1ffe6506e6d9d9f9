//! The credentials file, and other settings that are refused before a connection is made.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use authctl::mail::{CredentialsError, MailError, Mailer, SenderError, UrlError};

use super::{FROM, credentials};

fn refused(path: &Path) -> CredentialsError {
    match Mailer::new("smtps://mail.example.com", FROM, Some(path)).unwrap_err() {
        MailError::Credentials(error) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_credentials_file_that_others_may_use_is_refused() {
    let file = credentials("canary");
    for mode in [0o640, 0o604, 0o620, 0o610] {
        std::fs::set_permissions(file.path(), PermissionsExt::from_mode(mode)).unwrap();
        let error = refused(file.path());
        assert!(matches!(error, CredentialsError::Unsafe { .. }), "{mode:o}: {error:?}");
        assert!(error.to_string().ends_with("others may use it, so its password may be known"), "{error}");
    }
    std::fs::set_permissions(file.path(), PermissionsExt::from_mode(0o600)).unwrap();
    assert!(Mailer::new("smtps://mail.example.com", FROM, Some(file.path())).is_ok());
}

#[test]
fn special_file_is_refused_without_waiting() {
    let home = tempfile::tempdir().unwrap();
    let file = credentials("canary");
    let (link, pipe) = (home.path().join("link"), home.path().join("pipe"));
    std::os::unix::fs::symlink(file.path(), &link).unwrap();
    assert!(Command::new("mkfifo").arg("-m600").arg(&pipe).status().unwrap().success());
    assert!(refused(&link).to_string().ends_with("it is a symbolic link"));
    assert!(refused(&pipe).to_string().ends_with("it is not a file"));
    assert!(refused(home.path()).to_string().ends_with("it is not a file"));
    assert!(matches!(refused(&home.path().join("none")), CredentialsError::Unreadable { .. }));
}

#[test]
fn a_credentials_file_of_another_form_is_refused_and_not_quoted() {
    let (long, huge) = ("canary".repeat(200), "canary".repeat(2000));
    for password in ["", "canary\ncanary", "canary\0", long.as_str(), huge.as_str()] {
        let error = refused(credentials(password).path());
        assert!(matches!(error, CredentialsError::Content { .. }), "{error:?}");
        assert!(!format!("{error} {error:?}").contains("canary"), "{error}");
    }
    // Short lines but too many bytes. The file is not read to its end.
    let error = refused(credentials(&"canary\n".repeat(2000)).path());
    assert!(error.to_string().ends_with("it is longer than 2052 bytes"), "{error}");
}

#[test]
fn a_bad_url_or_sender_is_refused_with_what_to_do() {
    let error = Mailer::new("smtp://ada:canary@mail.example.com", FROM, None).unwrap_err();
    assert!(matches!(error, MailError::Url(UrlError::Credentials)), "{error:?}");
    assert!(error.hint().unwrap().contains("file of two lines"));
    assert!(!format!("{error} {error:?}").contains("canary"));
    let error = Mailer::new("smtps://mail.example.com", "Ada\r\nBcc: x@y.zz <a@b.co>", None).unwrap_err();
    assert!(matches!(error, MailError::Sender(SenderError::Name)), "{error:?}");
}
