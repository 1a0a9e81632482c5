use chrono::DateTime;

use super::*;

fn asked(round: u32, (question, way): (Question, Way), p50_ms: f64) -> Sample {
    Sample {
        round,
        question,
        way,
        p50_ms,
        p99_ms: 3.0 * p50_ms,
        program_micros: 60.0,
        database_micros: 90.0,
    }
}

fn put(round: u32, route: Route, errors: u32) -> load::Sample {
    load::Sample {
        round,
        route,
        rate: 2_000.0,
        p50_ms: 30.0,
        p99_ms: 60.0,
        errors,
        api_micros: 200.0,
        postgres_micros: 300.0,
    }
}

fn report(samples: Vec<Sample>, load: Vec<load::Sample>) -> Report {
    Report {
        rounds: 2,
        foreign: 0.02,
        extent: Extent {
            sites: 1_000,
            days: 90,
            end: DateTime::UNIX_EPOCH,
        },
        tables: vec![Table {
            name: "rollup_days",
            rows: 90_000,
            bytes: 64 << 20,
        }],
        questions: Questions {
            samples,
            error: 0.021,
        },
        load: Load {
            samples: load,
            skipped: vec![(Route::Overview, "404".to_owned())],
            connections: 9,
            allowed_connections: 8,
            peak_bytes: 40 << 20,
        },
    }
}

#[test]
fn answers_are_compared_within_rounds() {
    let report = report(
        vec![
            asked(1, REFRESHED, 10.0),
            asked(1, UPTIME, 700.0),
            asked(2, REFRESHED, 20.0),
            asked(2, UPTIME, 1_000.0),
        ],
        Vec::new(),
    );
    let ratio = report.ratio(REFRESHED, UPTIME).unwrap();
    assert_eq!(ratio.spelled(1), "60.0 (50.0..70.0)");
    assert_eq!(report.ratio(REFRESHED, P95), None);
}

#[test]
fn each_number_is_shown_beside_what_was_aimed_for() {
    let samples = vec![
        asked(1, (Question::Day, Way::Ours), 0.25),
        asked(1, (Question::Day, Way::Plain), 1.0),
        asked(1, (Question::Days, Way::Ours), 0.7),
    ];
    let load = vec![put(1, Route::Uptime, 0), put(1, Route::Badge, 3)];
    let text = report(samples, load).to_string();
    for line in [
        "| `rollup_days` | 90000 | 64 |",
        "| summary of a site, 24 h | 0.250 (0.250..0.250) | 0.75 (0.75..0.75) \
         | 60 (60..60) | 90 (90..90) | 1.00 (1.00..1.00) | 4.0 (4.0..4.0) |",
        "| summary of a site, 24 h, p50 | 0.25 (0.25..0.25) ms | ≤ 0.3 ms | ✔ |",
        "| summary of a site, 90 days, p50 | 0.70 (0.70..0.70) ms | ≤ 0.6 ms | ✘ |",
        "| largest error of a percentile | 2.10 % | ≤ 2.5 % | ✔ |",
        "| API: errors under load | 3.00 | ≤ 0 | ✘ |",
        "| API: connections to the database | 9.00 | ≤ 8 | ✘ |",
        "`/api/v1/overview?window=24h` was skipped: 404.",
        "| `/badge/{id}/uptime.svg` | 2000 (2000..2000) | 30.0 (30.0..30.0) |",
    ] {
        assert!(text.contains(line), "{line:?} is not in\n{text}");
    }
    assert!(!text.contains("NOISY"), "{text}");
}
