//! Logs, as text or as JSON, to standard error.

use std::io::{self, IsTerminal};

use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt};

use crate::settings::{LogFormat, LogSettings};

/// Libraries that say more than an operator wants to read at the level of our own code. `LOG` may
/// name them to hear them.
const QUIET: &str = "h2=info,hyper=info,hyper_util=info,hickory_net=warn,hickory_proto=warn,\
                     hickory_resolver=warn,rustls=warn,sqlx=warn,tower=info";

/// Starts logging for the whole process, to standard error. Events of the `log` crate are included.
///
/// # Errors
///
/// When logging was started before.
pub fn init(settings: &LogSettings) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(format!("{QUIET},{}", settings.log.as_str()))?;
    let colours = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let layer = layer::<Registry, _>(settings.log_format, colours, io::stderr);
    tracing_subscriber::registry()
        .with(layer.with_filter(filter))
        .try_init()?;
    Ok(())
}

/// Time stamps of both formats are RFC 3339 in UTC.
fn layer<S, W>(format: LogFormat, colours: bool, writer: W) -> Box<dyn Layer<S> + Send + Sync>
where
    S: tracing::Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> fmt::MakeWriter<'a> + Send + Sync + 'static,
{
    let layer = fmt::layer().with_writer(writer);
    match format {
        LogFormat::Pretty => layer.with_ansi(colours).boxed(),
        LogFormat::Json => layer
            .json()
            .flatten_event(true)
            .with_span_list(false)
            .boxed(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex, PoisonError};

    use super::*;

    #[derive(Clone, Default)]
    struct Buffer(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Buffer {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn written(format: LogFormat) -> String {
        let buffer = Buffer::default();
        let writer = buffer.clone();
        let layer = layer(format, false, move || writer.clone());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            tracing::info!(queue.partition = 3, "batch\nstored");
        });
        String::from_utf8(buffer.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn json_is_one_flat_object_per_line_with_a_utc_time_stamp() {
        let text = written(LogFormat::Json);
        assert_eq!(text.lines().count(), 1, "{text}");
        let event: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(event["message"], "batch\nstored");
        assert_eq!(event["queue.partition"], 3);
        assert_eq!(event["level"], "INFO");
        assert!(
            event["timestamp"].as_str().unwrap().ends_with('Z'),
            "{text}"
        );
    }

    #[test]
    fn text_carries_message_and_fields_without_colours() {
        let text = written(LogFormat::Pretty);
        assert!(
            text.contains(" INFO ") && text.contains("queue.partition=3"),
            "{text}"
        );
        assert!(!text.contains('\u{1b}'), "{text}");
    }
}
