//! Encrypted connections: what `sslmode` and `sslrootcert` mean, by rustls.

use super::target::{RootCertificate, SslMode, Target, TargetError};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_postgres_rustls::MakeRustlsConnect;

/// What to connect with; `None` where nothing is to be encrypted. `home` is where libpq's own file would be.
///
/// Fails where the certificates to trust cannot be had, or where no certificate could be for the host.
pub(super) fn connector(target: &Target, home: Option<PathBuf>) -> Result<Option<MakeRustlsConnect>, TargetError> {
    if target.ssl_mode == SslMode::Disable || target.is_socket() {
        return Ok(None);
    }
    if ServerName::try_from(target.host.as_str()).is_err() {
        return Err(TargetError::HostName(target.host.clone()));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let roots = if target.ssl_mode >= SslMode::VerifyCa { Some(Roots::of(&target.root_certificate, home)?) } else { None };
    let verifier = Verifier { provider: Arc::clone(&provider), name_matters: target.ssl_mode == SslMode::VerifyFull, roots };
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = versions
        .map_err(|_| TargetError::Form("it wants encryption that is not there"))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(Some(MakeRustlsConnect::new(config)))
}

/// The authorities that libpq trusts, where the user has such a file.
pub(super) fn libpq_file(home: Option<PathBuf>) -> Option<PathBuf> {
    home.map(|home| home.join(".postgresql/root.crt")).filter(|file| file.exists())
}

/// Whom we trust.
#[derive(Debug)]
struct Roots {
    authorities: Arc<WebPkiServerVerifier>,
    certificates: Vec<CertificateDer<'static>>,
}

impl Roots {
    fn of(named: &RootCertificate, home: Option<PathBuf>) -> Result<Roots, TargetError> {
        let file = match named {
            RootCertificate::File(file) => Some(file.clone()),
            RootCertificate::Default => libpq_file(home),
            RootCertificate::System => None,
        };
        match file {
            Some(file) => Roots::in_file(&file),
            None => {
                let found = rustls_native_certs::load_native_certs();
                let errors = found.errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
                Roots::new(found.certs).map_err(|why| TargetError::NoAuthorities(format!("{why} {errors}")))
            }
        }
    }

    fn in_file(path: &Path) -> Result<Roots, TargetError> {
        let failed = |why: String| TargetError::RootCertificate { path: path.to_owned(), why };
        let read = CertificateDer::pem_file_iter(path).map_err(|error| failed(error.to_string()))?;
        let certificates = read.collect::<Result<Vec<_>, _>>().map_err(|error| failed(error.to_string()))?;
        Roots::new(certificates).map_err(failed)
    }

    fn new(certificates: Vec<CertificateDer<'static>>) -> Result<Roots, String> {
        let mut store = RootCertStore::empty();
        let (usable, _) = store.add_parsable_certificates(certificates.iter().cloned());
        if usable == 0 {
            return Err("it holds no certificate that can be used".to_owned());
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let authorities = WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider).build();
        Ok(Roots { authorities: authorities.map_err(|error| error.to_string())?, certificates })
    }
}

/// Verifies as much as the mode asks for; that the server holds the key of its certificate, in every mode.
#[derive(Debug)]
struct Verifier {
    provider: Arc<CryptoProvider>,
    /// `None` where any certificate will do.
    roots: Option<Roots>,
    name_matters: bool,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        stapled: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(roots) = &self.roots else { return Ok(ServerCertVerified::assertion()) };
        // A server that signed its own certificate, which then is what we were told to trust: rustls has no such chain.
        if roots.certificates.iter().any(|trusted| trusted.as_ref() == certificate.as_ref()) {
            if self.name_matters {
                rustls::client::verify_server_name(&ParsedCertificate::try_from(certificate)?, name)?;
            }
            return Ok(ServerCertVerified::assertion());
        }
        match roots.authorities.verify_server_cert(certificate, chain, name, stapled, now) {
            // The name is looked at last: everything else was right.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if !self.name_matters => Ok(ServerCertVerified::assertion()),
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
