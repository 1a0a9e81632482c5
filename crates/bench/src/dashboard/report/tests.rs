use super::super::browser::{Sent, Update};
use super::*;

fn visit(interactive_ms: f64, frames: f64) -> Visit {
    Visit {
        sent: Sent {
            document: 1_024.0,
            script: 34.0 * 1_024.0,
            style: 0.0,
            font: 51.0 * 1_024.0,
            answers: interactive_ms * 1_024.0,
            other: 0.0,
        },
        first_rows_ms: interactive_ms / 2.0,
        interactive_ms,
        long_tasks_ms: 0.0,
        searches_ms: vec![30.0, 20.0, 90.0],
        updates: vec![
            Update {
                busy_ms: 40.0,
                longest_ms: 0.0,
            },
            Update {
                busy_ms: 60.0,
                longest_ms: 55.0,
            },
        ],
        frames_per_second: vec![60.0, frames, 12.0, frames],
        longest_frame_ms: 80.0,
        scrolled_px: 60_000.0,
        heap_bytes: 8.0 * MIB,
    }
}

fn poll(sites: u32, cpu_ms: f64) -> Poll {
    Poll {
        round: 1,
        sites,
        cpu_ms,
        took_ms: 2.0 * cpu_ms,
        bytes: 2_048,
    }
}

fn report(visits: Vec<(u32, u32, Visit)>) -> Report {
    Report {
        rounds: 2,
        sites: [10, 10_000],
        foreign: 0.3,
        visits,
        polls: vec![poll(10, 1.5), poll(10_000, 45.0)],
        memory: vec![30 << 20, 90 << 20],
    }
}

#[test]
fn few_and_many_sites_are_compared_within_rounds() {
    let text = report(vec![
        (1, 10, visit(300.0, 60.0)),
        (1, 10_000, visit(1_200.0, 49.0)),
        (2, 10, visit(600.0, 60.0)),
        (2, 10_000, visit(1_200.0, 53.0)),
    ])
    .to_string();
    for line in [
        "| first load, KiB | 536 (386..686) | 1286 (1286..1286) |",
        "| … fonts | 51 (51..51) | 51 (51..51) | 1.0 (1.0..1.0) |",
        "| … style | 0 (0..0) | 0 (0..0) |  |",
        "| interactive, ms | 450 (300..600) | 1200 (1200..1200) | 3.0 (2.0..4.0) |",
        "| search, median key, ms | 30 (30..30) |",
        "| search, slowest key, ms | 90 (90..90) |",
        "| update, main thread, ms | 50 (50..50) |",
        "| update, longest task over 50 ms, ms | 55 (55..55) |",
        "| frames/s while scrolling, median second | 60 (60..60) | 51 (49..53) |",
        "| poll, CPU of the API, ms | 1.5 (1.5..1.5) | 45.0 (45.0..45.0) | 30.0 (30.0..30.0) |",
        "| API of 10000 sites: most memory | 90.00 MiB | | |",
        "NOISY: others kept 30 % of the machine busy.",
    ] {
        assert!(text.contains(line), "{line:?} is not in\n{text}");
    }
}

#[test]
fn many_sites_may_take_three_times_as_long_as_few_and_never_less_than_a_while() {
    let interactive = |few: f64, many: f64| {
        report(vec![
            (1, 10, visit(few, 60.0)),
            (1, 10_000, visit(many, 60.0)),
        ])
        .to_string()
    };
    for (few, many, line) in [
        (
            200.0,
            1_500.0,
            "1500.00 (1500.00..1500.00) ms | ≤ 1500 ms | ✔ |",
        ),
        (
            200.0,
            1_501.0,
            "1501.00 (1501.00..1501.00) ms | ≤ 1500 ms | ✘ |",
        ),
        (
            800.0,
            2_400.0,
            "2400.00 (2400.00..2400.00) ms | ≤ 2400 ms | ✔ |",
        ),
    ] {
        let text = interactive(few, many);
        let line = format!("| 10000 sites: interactive | {line}");
        assert!(text.contains(&line), "{line:?} is not in\n{text}");
        assert!(
            text.contains("frames/s while scrolling | 60.00 (60.00..60.00) | ≥ 50 | ✔ |"),
            "{text}"
        );
    }
}
