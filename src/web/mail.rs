//! Sending a mail through a mail server.
//!
//! What a mail server answers may quote addresses, so its words are not kept: its code alone is.

use std::error::Error;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};
use std::{fs, io};

use jiff::Timestamp;
use lettre::message::header::ContentType;
use lettre::message::{Mailbox, MessageBuilder};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use secrecy::{ExposeSecret, SecretString};

use crate::config::{AlertEmail, HttpConfig, SmtpConfig, SmtpTls};

/// The longest one step of the conversation may take.
const TIMEOUT: Duration = Duration::from_secs(20);
/// The name of the sender beside the address.
const SENDER: &str = "scimport";

/// Why a mail was not taken.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// An address is none, or the mail cannot be put together.
    #[error("the mail cannot be written: an address of `[alerts] email` is none")]
    Write,
    /// The authorities of the config cannot be used.
    #[error("cannot read `http.ca_file` (`{}`)", .0.display())]
    CaFile(PathBuf),
    /// No secret line can be made.
    #[error("no secret line to the mail server")]
    Tls(#[source] lettre::transport::smtp::Error),
    /// The server's certificate is not trusted; nothing was sent.
    #[error("the certificate of the mail server is not trusted")]
    Certificate,
    /// There is no line to the server, or it was cut.
    #[error("no line to the mail server{}", because(*.0))]
    Line(Option<io::ErrorKind>),
    /// It did not answer in time.
    #[error("the mail server gave no answer in time")]
    Timeout,
    /// It refused the mail.
    #[error("the mail server answered {0}")]
    Refused(u16),
    /// What it answered is no answer of a mail server's, or it lacks what is needed.
    #[error("the mail server does not do what is asked of it, or is none")]
    Unable,
}

impl MailError {
    /// What to do about it.
    #[must_use]
    pub const fn advice(&self) -> &'static str {
        match self {
            Self::Write => "look at `to` and `from` of `[alerts] email`",
            Self::CaFile(_) => "look at `ca_file` under `[http]`",
            Self::Certificate => {
                "where the server has a certificate of an authority of your own, name that with `ca_file` under \
                 `[http]`; and look whether `host` of `smtp` is the name in the certificate"
            }
            Self::Tls(_) => "look at `tls` and `port` of `smtp`",
            Self::Line(_) | Self::Timeout => {
                "look at `host` and `port` of `smtp`, and whether this machine may reach them"
            }
            Self::Refused(530 | 534 | 535 | 538) => "look at `user` and `password` of `smtp`",
            Self::Refused(500..) => "look whether the server takes mail from `from` for `to`",
            Self::Refused(_) => {
                "nothing: it is tried again; if it goes on, look at the mail server"
            }
            Self::Unable => "look at `tls`, `port` and `user` of `smtp`",
        }
    }
}

/// A mail to everybody of the config; gives the code of the answer.
///
/// # Errors
///
/// When it is not taken.
pub async fn send_mail(
    email: &AlertEmail,
    password: Option<&SecretString>,
    (subject, text): (&str, &str),
    http: &HttpConfig,
    now: Timestamp,
) -> Result<u16, MailError> {
    let message = message(email, subject, text, now).ok_or(MailError::Write)?;
    let smtp = &email.smtp;
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&smtp.host)
        .port(smtp.port)
        .timeout(Some(TIMEOUT))
        .tls(tls(smtp, http)?);
    if let (Some(login), Some(password)) = (&smtp.login, password) {
        let password = password.expose_secret().to_owned();
        builder = builder.credentials(Credentials::new(login.user.clone(), password));
    }
    match builder.build().send(message).await {
        Ok(response) => Ok(code(response.code())),
        Err(error) => Err(failure(error)),
    }
}

fn message(email: &AlertEmail, subject: &str, text: &str, now: Timestamp) -> Option<Message> {
    let address = |text: &str| text.parse::<Address>().ok();
    let from = Mailbox::new(Some(SENDER.to_owned()), address(&email.from)?);
    let mut builder: MessageBuilder = Message::builder()
        .from(from)
        .subject(subject)
        .date(SystemTime::from(now))
        .message_id(None)
        .header(ContentType::TEXT_PLAIN);
    for to in &email.to {
        builder = builder.to(Mailbox::new(None, address(to)?));
    }
    builder.body(text.to_owned()).ok()
}

fn tls(smtp: &SmtpConfig, http: &HttpConfig) -> Result<Tls, MailError> {
    if smtp.tls == SmtpTls::None {
        return Ok(Tls::None);
    }
    let mut parameters = TlsParameters::builder(smtp.host.clone());
    if let Some(path) = &http.ca_file {
        let unusable = || MailError::CaFile(path.clone());
        let text = fs::read(path).map_err(|_| unusable())?;
        // more than one may stand in the file
        let blocks = pem::parse_many(text).map_err(|_| unusable())?;
        for block in blocks.iter().filter(|block| block.tag() == "CERTIFICATE") {
            let certificate = Certificate::from_pem(pem::encode(block).as_bytes());
            parameters = parameters.add_root_certificate(certificate.map_err(|_| unusable())?);
        }
    }
    let parameters = parameters.build_rustls().map_err(MailError::Tls)?;
    Ok(match smtp.tls {
        SmtpTls::Implicit => Tls::Wrapper(parameters),
        SmtpTls::StartTls | SmtpTls::None => Tls::Required(parameters),
    })
}

fn failure(error: lettre::transport::smtp::Error) -> MailError {
    match error.status() {
        Some(status) => MailError::Refused(code(status)),
        None if error.is_timeout() => MailError::Timeout,
        None if is_certificate(&error) => MailError::Certificate,
        None if error.is_tls() => MailError::Tls(error),
        None if error.is_response() || error.is_client() => MailError::Unable,
        None => MailError::Line(io_kind(&error)),
    }
}

fn because(kind: Option<io::ErrorKind>) -> String {
    kind.map_or_else(String::new, |kind| format!(": {kind}"))
}

fn is_certificate(error: &lettre::transport::smtp::Error) -> bool {
    causes(error).any(|cause| {
        let tls = cause.downcast_ref::<rustls::Error>();
        matches!(tls, Some(rustls::Error::InvalidCertificate(_)))
    })
}

fn io_kind(error: &lettre::transport::smtp::Error) -> Option<io::ErrorKind> {
    let found: Vec<_> =
        causes(error).filter_map(|cause| cause.downcast_ref::<io::Error>()).collect();
    found.last().map(|error| error.kind())
}

/// What caused an error. An I/O error's `source` skips what it wraps, and here one wraps another.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(error.source(), |&cause| {
        match cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner as &(dyn Error + 'static)),
            None => cause.source(),
        }
    })
}

fn code(code: lettre::transport::smtp::response::Code) -> u16 {
    u16::from(code)
}
