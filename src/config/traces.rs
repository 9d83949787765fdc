//! Where traces go, by OpenTelemetry's own variables. Without an endpoint there are none.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use http::Uri;

use super::effective::Effective;
use super::error::ConfigError;

/// Settings of traces, as given.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Traces")]
pub struct TracesArgs {
    /// The OpenTelemetry collector that traces are sent to, like `http://localhost:4318`; `/v1/traces` is added. Default:
    /// none, there are no traces.
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", value_parser = endpoint)]
    pub otel_exporter_otlp_endpoint: Option<String>,
    /// A file in PEM form with the certificate authorities to trust at an https `OTEL_EXPORTER_OTLP_ENDPOINT`, instead of
    /// the public ones. Read at start.
    #[arg(long, env = "OTEL_EXPORTER_OTLP_CERTIFICATE")]
    pub otel_exporter_otlp_certificate: Option<PathBuf>,
    /// How traces are sent; `http/protobuf` is the only way. Default: http/protobuf.
    #[arg(long, env = "OTEL_EXPORTER_OTLP_PROTOCOL", hide_possible_values = true)]
    pub otel_exporter_otlp_protocol: Option<OtlpProtocol>,
    /// The name the server has in traces.
    #[arg(long, env = "OTEL_SERVICE_NAME", default_value = "branch-loan-api")]
    pub otel_service_name: String,
    /// What traces say of this server, as `name=value` pairs separated by commas, taken as they are
    /// (`deployment.environment.name=production`).
    #[arg(long, env = "OTEL_RESOURCE_ATTRIBUTES", default_value = "", value_parser = attributes)]
    pub otel_resource_attributes: Attributes,
    /// Which requests are traced: always_on, always_off or traceidratio; with parentbased_ before it, whoever calls
    /// decides first.
    #[arg(long, env = "OTEL_TRACES_SAMPLER", default_value = "parentbased_always_on", hide_possible_values = true)]
    pub otel_traces_sampler: TracesSampler,
    /// The share of requests that traceidratio traces, from 0 to 1.
    #[arg(long, env = "OTEL_TRACES_SAMPLER_ARG", default_value = "1", value_parser = ratio)]
    pub otel_traces_sampler_arg: String,
}

/// How traces are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OtlpProtocol {
    /// Protocol buffers over HTTP.
    #[value(name = "http/protobuf")]
    HttpProtobuf,
}

/// Which requests are traced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum TracesSampler {
    /// All.
    AlwaysOn,
    /// None.
    AlwaysOff,
    /// A share.
    #[value(name = "traceidratio")]
    TraceIdRatio,
    /// Those the caller traces; all without a caller who decides.
    #[value(name = "parentbased_always_on")]
    ParentBasedAlwaysOn,
    /// Those the caller traces.
    #[value(name = "parentbased_always_off")]
    ParentBasedAlwaysOff,
    /// Those the caller traces; a share without a caller who decides.
    #[value(name = "parentbased_traceidratio")]
    ParentBasedTraceIdRatio,
}

/// Names and values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attributes(pub Vec<(String, String)>);

/// The configuration of traces.
#[derive(Debug, Clone)]
pub struct TracesConfig {
    /// The collector's base address; `None` for no traces.
    pub endpoint: Option<String>,
    /// The authorities to trust there; `None` for the public ones.
    pub certificate: Option<PathBuf>,
    /// How they are sent, where it was said.
    pub protocol: Option<OtlpProtocol>,
    /// The server's name.
    pub service_name: String,
    /// What else is said of the server.
    pub attributes: Attributes,
    /// Which requests are traced.
    pub sampler: TracesSampler,
    /// A decimal fraction from 0 to 1, for the samplers that take a share.
    pub share: String,
}

impl TracesArgs {
    /// Takes what is given.
    ///
    /// # Errors
    /// Authorities for an endpoint that nobody would ask for a certificate.
    pub fn resolve(self) -> Result<TracesConfig, ConfigError> {
        let secure = self.otel_exporter_otlp_endpoint.as_deref().is_some_and(|endpoint| endpoint.starts_with("https:"));
        if self.otel_exporter_otlp_certificate.is_some() && !secure {
            return Err(ConfigError::refused(
                "OTEL_EXPORTER_OTLP_CERTIFICATE",
                "is for an https OTEL_EXPORTER_OTLP_ENDPOINT, which is not set: remove it, or set that",
            ));
        }
        Ok(TracesConfig {
            endpoint: self.otel_exporter_otlp_endpoint,
            certificate: self.otel_exporter_otlp_certificate,
            protocol: self.otel_exporter_otlp_protocol,
            service_name: self.otel_service_name,
            attributes: self.otel_resource_attributes,
            sampler: self.otel_traces_sampler,
            share: self.otel_traces_sampler_arg,
        })
    }
}

impl TracesConfig {
    pub(super) fn describe(&self, out: &mut Effective) {
        if let Some(endpoint) = &self.endpoint {
            out.show("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint);
        }
        if let Some(path) = &self.certificate {
            out.show("OTEL_EXPORTER_OTLP_CERTIFICATE", path.display());
        }
        if self.protocol.is_some() {
            out.show("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf");
        }
        out.show("OTEL_SERVICE_NAME", &self.service_name);
        let pairs: Vec<String> = self.attributes.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !pairs.is_empty() {
            out.show("OTEL_RESOURCE_ATTRIBUTES", pairs.join(","));
        }
        let sampler = self.sampler.to_possible_value();
        out.show("OTEL_TRACES_SAMPLER", sampler.as_ref().map_or("", |value| value.get_name()));
        out.show("OTEL_TRACES_SAMPLER_ARG", &self.share);
    }
}

fn endpoint(text: &str) -> Result<String, String> {
    let usable = text.parse::<Uri>().ok().filter(|uri| {
        let plain = uri.authority().is_some_and(|authority| !authority.as_str().contains('@'));
        plain && matches!(uri.scheme_str(), Some("http" | "https")) && uri.query().is_none()
    });
    match usable {
        Some(_) => Ok(text.trim_end_matches('/').to_owned()),
        None => Err("an address like http://localhost:4318 is needed, without a name and a password".to_owned()),
    }
}

fn attributes(text: &str) -> Result<Attributes, String> {
    let pairs = text.split(',').filter(|pair| !pair.trim().is_empty());
    let read = pairs.map(|pair| match pair.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.trim().to_owned())),
        _ => Err("name=value pairs separated by commas are needed".to_owned()),
    });
    Ok(Attributes(read.collect::<Result<_, _>>()?))
}

/// A fraction in plain digits: what parses as a number may also be infinite or none.
fn ratio(text: &str) -> Result<String, String> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let is_one = whole == "1" && fraction.bytes().all(|byte| byte == b'0');
    if digits && (whole == "0" || is_one) {
        return Ok(text.to_owned());
    }
    Err("a share from 0 to 1 is needed, like 0.25".to_owned())
}
