//! Traces for a collector that speaks OTLP over HTTP, beside the log and only where it is asked for.
//!
//! A trace has spans of a few kinds, made by `tracing` with [`TRACED`] as their target: a run planned, a bulk
//! request posted, a look into the provisioning log, a webhook received. They say how long that took, and
//! ids and counts of ours; no names, and no events, so nothing that a log line says gets into them.
//!
//! The layer is there from the start and asleep; [`send_traces`] wakes it. Until then, and without a
//! collector for good, no span is made.

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry::{Context, KeyValue};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{ExporterBuildError, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    BatchSpanProcessor, SdkTracerProvider, Span, SpanData, SpanProcessor,
};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::runtime::Handle;
use tracing::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;
use url::Url;

/// The target of spans that are traced. They are no part of the log.
pub const TRACED: &str = "scimport::traced";
/// The longest one delivery to the collector may take, and the last one at the end.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Whether spans are made.
static IS_AWAKE: AtomicBool = AtomicBool::new(false);
/// Who sends them.
static SENDER: OnceLock<BatchSpanProcessor> = OnceLock::new();

/// Why no traces can be sent.
#[derive(Debug, thiserror::Error)]
pub enum OtlpError {
    /// A header's value has bytes that no header has.
    #[error("the value of header `{0}` in `telemetry.otlp` cannot stand in a header")]
    Header(String),
    /// The client cannot be made.
    #[error("no connections can be made to the collector of `telemetry.otlp`")]
    Client(#[source] reqwest::Error),
    /// The exporter cannot be made.
    #[error("`telemetry.otlp` cannot be used")]
    Exporter(#[source] ExporterBuildError),
    /// Traces are sent already.
    #[error("this process sends traces already")]
    AlreadySent,
}

/// The layer that makes the spans; asleep until [`send_traces`].
pub(super) fn layer<S>() -> impl Layer<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let provider =
        SdkTracerProvider::builder().with_resource(resource()).with_span_processor(Late).build();
    let is_traced = |metadata: &tracing::Metadata<'_>| {
        metadata.is_span() && metadata.target() == TRACED && IS_AWAKE.load(Ordering::Relaxed)
    };
    tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("scimport"))
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
        .with_target(false)
        .with_filter(filter_fn(is_traced))
}

fn resource() -> Resource {
    Resource::builder_empty()
        .with_attributes([
            KeyValue::new("service.name", "scimport"),
            KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        ])
        .build()
}

/// From now on spans are made, and sent to the collector. Needs a tokio runtime, which does the sending.
///
/// `is_here` is a collector on this machine, which no proxy reaches.
///
/// # Errors
///
/// When a header or the address cannot be used, or traces are sent already. That the collector does not
/// answer is none: the log says it then.
pub fn send_traces(
    endpoint: &Url,
    is_here: bool,
    headers: &[(String, SecretString)],
) -> Result<(), OtlpError> {
    let mut all = HeaderMap::new();
    for (name, value) in headers {
        let unfit = || OtlpError::Header(name.clone());
        let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| unfit())?;
        let mut value = HeaderValue::from_str(value.expose_secret()).map_err(|_| unfit())?;
        value.set_sensitive(true);
        all.insert(header, value);
    }
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .default_headers(all)
        .timeout(TIMEOUT);
    let client = if is_here { client.no_proxy() } else { client };
    let http = client.build().map_err(OtlpError::Client)?;
    let client = Collector { http, runtime: Handle::current(), is_away: AtomicBool::new(false) };
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .with_http_client(client)
        .with_endpoint(format!("{}/v1/traces", endpoint.as_str().trim_end_matches('/')))
        .with_timeout(TIMEOUT)
        .build()
        .map_err(OtlpError::Exporter)?;
    let mut sender = BatchSpanProcessor::builder(exporter).build();
    sender.set_resource(&resource());
    SENDER.set(sender).map_err(|_| OtlpError::AlreadySent)?;
    IS_AWAKE.store(true, Ordering::Relaxed);
    tracing::callsite::rebuild_interest_cache();
    Ok(())
}

/// Sends what has not been sent yet, as far as the collector takes it in a few seconds. Blocks.
pub fn flush_traces() {
    if let Some(sender) = SENDER.get() {
        // what did not arrive was told when it was tried
        let _ = sender.shutdown_with_timeout(TIMEOUT);
    }
}

/// Hands spans to the sender, once there is one.
#[derive(Debug)]
struct Late;

impl SpanProcessor for Late {
    fn on_start(&self, _span: &mut Span, _context: &Context) {}

    fn on_end(&self, span: SpanData) {
        if let Some(sender) = SENDER.get() {
            sender.on_end(span);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }
}

/// The collector, over the one HTTP client that we link.
struct Collector {
    http: reqwest::Client,
    runtime: Handle,
    /// It did not take the last spans; told once.
    is_away: AtomicBool,
}

impl fmt::Debug for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Collector")
    }
}

#[async_trait]
impl HttpClient for Collector {
    /// The sender's thread is none of the runtime's, where connections live.
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let http = self.http.clone();
        let sending = self.runtime.spawn(async move {
            let answer = http.execute(request.try_into()?).await?.error_for_status()?;
            let status = answer.status();
            Ok::<_, reqwest::Error>((status, answer.bytes().await?))
        });
        let sent = sending.await?;
        let was_away = self.is_away.swap(sent.is_err(), Ordering::Relaxed);
        match sent {
            Ok((status, body)) => {
                if was_away {
                    tracing::info!("the collector takes traces again");
                }
                Ok(Response::builder().status(status).body(body)?)
            }
            Err(error) => {
                let error = error.without_url();
                if !was_away {
                    tracing::warn!(
                        error = %crate::telemetry::Causes(&error),
                        "the collector does not take traces; they are dropped until it does"
                    );
                }
                Err(error.into())
            }
        }
    }
}
