use super::*;

fn sample(round: u32, way: Way, rows_per_second: f64) -> Sample {
    Sample {
        round,
        way,
        pace: Pace {
            rows: 1_000,
            rows_per_second,
            client_micros: 1.25,
            postgres_micros: 2.5,
            foreign: 0.02,
        },
        peak_bytes: (way == Way::Sink).then_some(48 * 1024 * 1024),
    }
}

fn report(samples: Vec<Sample>) -> Report {
    Report {
        rounds: 2,
        events: 1_000,
        samples,
        skipped: vec![(Way::Connect, "no jars".to_owned())],
        upkeep: Upkeep {
            rollup_micros: 0.4,
            packing_micros: 1.0,
            bytes_open: 110.0,
            bytes_closed: 80.0,
            bytes_rolled_up: 9.0,
        },
        latency: Latency {
            events: 1_000,
            p50_ms: 40.0,
            p99_ms: 90.0,
            max_ms: 120.0,
            sink_micros: 20.0,
        },
        recovery: Recovery {
            backlog: 600_000,
            seconds: 4.0,
            times_arrival: 151.0,
        },
    }
}

#[test]
fn rates_are_compared_within_rounds() {
    let report = report(vec![
        sample(1, Way::Sink, 300_000.0),
        sample(1, Way::Copy, 300_000.0),
        sample(2, Way::Sink, 80_000.0),
        sample(2, Way::Copy, 100_000.0),
    ]);
    let ratio = report.ratio(Way::Copy).unwrap();
    assert_eq!(ratio.spelled(2), "0.90 (0.80..1.00)");
    assert_eq!(report.ratio(Way::OneByOne), None);
}

#[test]
fn each_number_is_shown_beside_what_was_aimed_for() {
    let samples = vec![
        sample(1, Way::Sink, 300_000.0),
        sample(1, Way::OneByOne, 3_000.0),
        sample(1, Way::Copy, 600_000.0),
    ];
    let text = report(samples).to_string();
    for line in [
        "| sink | 300000 (300000..300000) | 1.25 (1.25..1.25) | 2.50 (2.50..2.50) |",
        "| COPY by the server | 600000 (600000..600000) |  | 2.50 (2.50..2.50) |",
        "| events/s: sink / COPY by the server | 0.50 (0.50..0.50) | ≥ 0.9 | ✘ |",
        "| events/s: sink / Python, row by row | 100.00 (100.00..100.00) | ≥ 140 | ✘ |",
        "| CPU of the sink for each event | 1.25 (1.25..1.25) µs | ≤ 1.3 µs | ✔ |",
        "| most memory of the sink | 48.00 (48.00..48.00) MiB | ≤ 64 MiB | ✔ |",
        "| due → visible at 1,000/s, p99 | 90.00 ms | ≤ 150 ms | ✔ |",
        "| rolling up, CPU for each check | 0.40 µs | ≤ 0.5 µs | ✔ |",
        "| each check of a closed day on the disk | 80.00 B | ≤ 40 B | ✘ |",
        "Kafka Connect, JDBC was skipped: no jars.",
    ] {
        assert!(text.contains(line), "{line:?} is not in\n{text}");
    }
    assert!(!text.contains("NOISY"), "{text}");
}
