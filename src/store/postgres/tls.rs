//! TLS as libpq's `sslmode` means it, with the library, the cryptography and the roots that mail uses.
//!
//! rustls alone knows one mode, which verifies chain and name. A verifier of its own covers the others: it checks the
//! chain without the name, or only that the server has the key of its certificate.

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio_postgres_rustls::MakeRustlsConnect;
use zeroize::Zeroizing;

use super::address::{Address, Verify};
use crate::input_file;

/// The largest file of certificates or of a key, in bytes. The system's roots have about 220,000.
const FILE_BYTES_MAX: usize = 1 << 20;

/// The protocol of PostgreSQL inside TLS, which a server requires where TLS begins at once.
const PROTOCOL: &[u8] = b"postgresql";

/// Why TLS failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlsError {
    #[error("the server does not offer TLS")]
    NotOffered,
    #[error("the server's certificate has expired")]
    Expired,
    #[error("the server's certificate is not valid yet")]
    NotYetValid,
    #[error("the server's certificate is for another name")]
    WrongName,
    /// No chain leads to a trusted root.
    #[error("the server's certificate was issued by an unknown authority")]
    UnknownRoot,
    #[error("the server's certificate is not valid: {0}")]
    Certificate(String),
    /// The server asked for a client certificate, or refused the one that it got.
    #[error("the server does not accept the client certificate, or requires one")]
    ClientCertificate,
    #[error("{} cannot be used: {problem}", path.display())]
    File { path: PathBuf, problem: String },
    #[error("the system has no root certificates: name a file with sslrootcert")]
    NoRoots,
    #[error("{0}")]
    Other(String),
}

impl TlsError {
    pub(super) fn of(error: &rustls::Error) -> Self {
        use CertificateError as C;
        match error {
            rustls::Error::InvalidCertificate(problem) => match problem {
                C::Expired | C::ExpiredContext { .. } => Self::Expired,
                C::NotValidYet | C::NotValidYetContext { .. } => Self::NotYetValid,
                C::NotValidForName | C::NotValidForNameContext { .. } => Self::WrongName,
                C::UnknownIssuer => Self::UnknownRoot,
                // A self-signed certificate that is an authority too.
                problem if is_authority(problem) => Self::UnknownRoot,
                problem => Self::Certificate(problem.to_string()),
            },
            rustls::Error::AlertReceived(
                AlertDescription::CertificateRequired
                | AlertDescription::BadCertificate
                | AlertDescription::DecryptError
                | AlertDescription::UnknownCA
                | AlertDescription::CertificateExpired
                | AlertDescription::CertificateUnknown,
            ) => Self::ClientCertificate,
            error => Self::Other(error.to_string()),
        }
    }
}

/// Whether a server's certificate failed only because it is that of an authority.
fn is_authority(problem: &CertificateError) -> bool {
    matches!(problem, CertificateError::Other(_)) && problem.to_string().contains("CaUsedAsEndEntity")
}

/// A connector for one connection. It reads the system's roots only for a mode that verifies the chain, in which TLS is
/// certain to be spoken.
///
/// # Errors
/// [`TlsError::File`], [`TlsError::NoRoots`].
pub(super) fn connector(address: &Address, verify: Verify) -> Result<MakeRustlsConnect, TlsError> {
    let provider = Arc::new(ring::default_provider());
    let verifier = Verifier { verify, provider: Arc::clone(&provider), roots: Roots::load(address, verify)? };
    let versions: &[_] = if address.tls.needs_version_1_3 {
        &[&rustls::version::TLS13]
    } else {
        &[&rustls::version::TLS13, &rustls::version::TLS12]
    };
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .map_err(|error| TlsError::Other(error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = match &address.tls.client {
        Some((certificate, key)) => {
            let chain = certificates(certificate)?;
            let problem = |error: rustls::Error| file_error(key, &error);
            builder.with_client_auth_cert(chain, private_key(key)?).map_err(problem)?
        }
        None => builder.with_no_client_auth(),
    };
    config.enable_sni = address.tls.sends_server_name;
    if address.tls.is_direct {
        config.alpn_protocols = vec![PROTOCOL.to_vec()];
    }
    Ok(MakeRustlsConnect::new(config))
}

/// The trusted roots.
#[derive(Debug)]
struct Roots {
    store: RootCertStore,
    /// The roots that a file names. A server may present one of them as its own certificate.
    named: Vec<CertificateDer<'static>>,
}

impl Roots {
    fn load(address: &Address, verify: Verify) -> Result<Self, TlsError> {
        let mut store = RootCertStore::empty();
        let mut named = Vec::new();
        match (&address.tls.roots, verify) {
            (_, Verify::Nothing) => {}
            (Some(path), _) => {
                named = certificates(path)?;
                for root in &named {
                    store.add(root.clone()).map_err(|error| file_error(path, &error))?;
                }
            }
            (None, _) => {
                // An invalid root of the system is skipped.
                store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
                if store.is_empty() {
                    return Err(TlsError::NoRoots);
                }
            }
        }
        Ok(Self { store, named })
    }
}

#[derive(Debug)]
struct Verifier {
    verify: Verify,
    provider: Arc<CryptoProvider>,
    roots: Roots,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if self.verify == Verify::Nothing {
            return Ok(ServerCertVerified::assertion());
        }
        let certificate = ParsedCertificate::try_from(end_entity)?;
        let algorithms = self.provider.signature_verification_algorithms.all;
        let chain =
            verify_server_cert_signed_by_trust_anchor(&certificate, &self.roots.store, intermediates, now, algorithms);
        match chain {
            // A self-signed certificate as `openssl req -x509` makes it is an authority too. Its dates were checked
            // before this.
            Err(rustls::Error::InvalidCertificate(problem))
                if is_authority(&problem) && self.roots.named.iter().any(|root| root == end_entity) => {}
            checked => checked?,
        }
        if self.verify == Verify::ChainAndName {
            verify_server_name(&certificate, server_name)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

fn file_error(path: &Path, problem: &dyn ToString) -> TlsError {
    TlsError::File { path: path.to_owned(), problem: problem.to_string() }
}

/// All certificates of a PEM file.
fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let failed = |error: io::Error| file_error(path, &error);
    let text = input_file::read(&input_file::open(path).map_err(failed)?, FILE_BYTES_MAX).map_err(failed)?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let certificates = certificates.map_err(|error| file_error(path, &error))?;
    if certificates.is_empty() {
        return Err(file_error(path, &"it has no certificate in PEM"));
    }
    Ok(certificates)
}

/// The private key of a PEM file, which no other user may read. As in libpq, root may own it and let a group read it.
fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let failed = |error: io::Error| file_error(path, &error);
    let file = input_file::open(path).map_err(failed)?;
    let found = file.metadata().map_err(failed)?;
    let is_root = found.uid() == 0;
    let is_own = is_root || found.uid() == rustix::process::geteuid().as_raw();
    let excess = if is_root { 0o037 } else { 0o077 };
    if !is_own || found.mode() & excess != 0 {
        return Err(file_error(path, &"other users may use it: set its mode to 0600"));
    }
    let text: Zeroizing<Vec<u8>> = input_file::read(&file, FILE_BYTES_MAX).map_err(failed)?;
    PrivateKeyDer::from_pem_slice(&text)
        .map_err(|_| file_error(path, &"it has no private key in PEM without a password"))
}
