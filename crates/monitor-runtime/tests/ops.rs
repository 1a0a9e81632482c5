//! The ops server over a real socket.
#![expect(clippy::unwrap_used, reason = "a request that fails fails the test")]

use std::net::SocketAddr;
use std::sync::LazyLock;

use metrics_exporter_prometheus::PrometheusHandle;
use monitor_runtime::{CancellationToken, OpsServer, Readiness, healthcheck, install_recorder};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinSet;

/// There is one recorder in a process, and the tests of this file share it.
static METRICS: LazyLock<PrometheusHandle> = LazyLock::new(|| install_recorder().unwrap());

struct Running {
    address: SocketAddr,
    readiness: Readiness,
    stop: CancellationToken,
    _server: JoinSet<std::io::Result<()>>,
}

async fn start() -> Running {
    let (readiness, stop) = (Readiness::default(), CancellationToken::new());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let ops = OpsServer {
        readiness: readiness.clone(),
        stop: stop.clone(),
        metrics: METRICS.clone(),
    };
    let mut server = JoinSet::new();
    server.spawn(ops.serve(listener));
    Running {
        address,
        readiness,
        stop,
        _server: server,
    }
}

async fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.0\r\nHost: test\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

async fn check_health(address: SocketAddr) -> Result<(), String> {
    tokio::task::spawn_blocking(move || healthcheck(address))
        .await
        .unwrap()
}

#[tokio::test]
async fn livez_answers_while_the_service_is_not_ready() {
    let running = start().await;
    assert!(
        get(running.address, "/livez")
            .await
            .starts_with("HTTP/1.0 200")
    );
    assert!(
        get(running.address, "/elsewhere")
            .await
            .starts_with("HTTP/1.0 404")
    );
}

#[tokio::test]
async fn readyz_names_each_component_that_is_not_ready() {
    let running = start().await;
    let broker = running.readiness.component("broker");
    let database = running.readiness.component("database");
    database.ready();
    broker.not_ready("cannot reach localhost:1: connection refused");

    let answer = get(running.address, "/readyz").await;
    assert!(answer.starts_with("HTTP/1.0 503"), "{answer}");
    assert!(
        answer.contains("content-type: application/json"),
        "{answer}"
    );
    let body =
        r#"{"ready":false,"components":{"broker":"cannot reach localhost:1: connection refused"}}"#;
    assert!(answer.ends_with(body), "{answer}");

    broker.ready();
    let answer = get(running.address, "/readyz").await;
    assert!(
        answer.starts_with("HTTP/1.0 200") && answer.ends_with("ready\n"),
        "{answer}"
    );
}

#[tokio::test]
async fn a_service_that_stops_is_alive_but_not_ready() {
    let running = start().await;
    running.readiness.component("broker").ready();
    running.stop.cancel();
    assert!(
        get(running.address, "/livez")
            .await
            .starts_with("HTTP/1.0 200")
    );
    let answer = get(running.address, "/readyz").await;
    assert!(
        answer.ends_with(r#"{"ready":false,"components":{"service":"stopping"}}"#),
        "{answer}"
    );
}

#[tokio::test]
async fn metrics_show_components_histograms_and_the_process() {
    let running = start().await;
    running.readiness.component("metrics test").ready();
    metrics::histogram!("test_wait_seconds").record(0.003);
    metrics::histogram!("test_batch_events").record(3.0);

    let answer = get(running.address, "/metrics").await;
    for line in [
        "content-type: text/plain; version=0.0.4; charset=utf-8",
        r#"component_ready{component="metrics test"} 1"#,
        r#"test_wait_seconds_bucket{le="0.005"} 1"#,
        r#"test_batch_events_bucket{le="5"} 1"#,
        "# TYPE process_cpu_seconds_total counter",
        "# TYPE process_start_time_seconds gauge",
        "# TYPE process_open_fds gauge",
    ] {
        assert!(answer.contains(line), "{line} is not in {answer}");
    }
    let memory = answer
        .lines()
        .find_map(|line| line.strip_prefix("process_resident_memory_bytes "));
    assert!(memory.unwrap().parse::<f64>().unwrap() > 1e6, "{memory:?}");
}

#[tokio::test]
async fn the_health_check_gives_the_reason() {
    let running = start().await;
    let broker = running.readiness.component("broker");
    broker.not_ready("connection refused");
    let reason = check_health(running.address).await.unwrap_err();
    assert!(reason.contains("connection refused"), "{reason}");

    broker.ready();
    assert_eq!(check_health(running.address).await, Ok(()));
}

#[tokio::test]
async fn the_health_check_of_a_service_that_is_not_there_says_where_it_asked() {
    // Bound, so that nobody else takes the port, but never listening.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap();
    let reason = check_health(address).await.unwrap_err();
    assert!(
        reason.starts_with(&format!("cannot ask {address}:")),
        "{reason}"
    );
}
