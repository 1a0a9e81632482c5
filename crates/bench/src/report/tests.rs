use std::time::Duration;

use super::*;
use crate::window::Window;

fn sample(round: u32, contender: Contender, cpu_micros: f64) -> Sample {
    let window = Window {
        cpu_micros,
        rate: 2000.0,
        foreign: 0.01,
    };
    Sample {
        round,
        scheme: Scheme::Http,
        contender,
        window,
        resident_bytes: 20 * 1024 * 1024,
        lateness_p50: Some(Between {
            more_than: 0.0005,
            at_most: 0.001,
        }),
        lateness_p99: None,
    }
}

fn report(samples: Vec<Sample>) -> Report {
    Report {
        plan: Plan {
            rounds: 2,
            window: Duration::from_secs(10),
        },
        samples,
        memory: Memory {
            without_sites: 10 * 1024 * 1024,
            idle_sites: 1000,
            per_idle_site: 250.0,
            checks_in_flight: 500,
            per_plain_check: 20.0 * 1024.0,
            per_tls_check: 25.0 * 1024.0,
        },
        scale: vec![Scale {
            sites: 1_000_000,
            load: 0.7,
            rate: 7000.0,
            resident_bytes: 300 * 1024 * 1024,
            lateness_p50: None,
            lateness_p99: Some(Between {
                more_than: 0.002,
                at_most: 0.005,
            }),
        }],
        skipped: vec![(Contender::Aiohttp, "no Python".to_owned())],
    }
}

#[test]
fn ratios_are_taken_within_rounds_and_point_the_way_that_is_good_for_us() {
    let samples = vec![
        sample(1, Contender::Checker, 50.0),
        sample(1, Contender::Wrk, 40.0),
        sample(1, Contender::Blackbox, 400.0),
        sample(2, Contender::Checker, 100.0),
        sample(2, Contender::Wrk, 100.0),
        sample(2, Contender::Blackbox, 1000.0),
    ];
    let ratios = report(samples).comparisons();
    let medians: Vec<_> = ratios.iter().map(|one| one.ratio.median).collect();
    assert_eq!(medians, [1.125, 9.0]);
    assert_eq!(ratios[0].to_string(), "http: checker / wrk");
    assert_eq!(ratios[1].to_string(), "http: blackbox_exporter / checker");
}

#[test]
fn a_contender_that_is_missing_in_a_round_is_compared_in_the_others() {
    let samples = vec![
        sample(1, Contender::Checker, 50.0),
        sample(2, Contender::Checker, 60.0),
        sample(2, Contender::Wrk, 30.0),
    ];
    let ratios = report(samples).comparisons();
    assert_eq!(ratios.len(), 1);
    assert_eq!(Spread::of([2.0]), Some(ratios[0].ratio));
}

#[test]
fn the_table_shows_each_number_beside_its_target() {
    let samples = vec![
        sample(1, Contender::Checker, 50.0),
        sample(1, Contender::CheckerFull, 44.0),
        sample(1, Contender::Wrk, 40.0),
    ];
    let text = report(samples).to_string();
    for line in [
        "| http | checker | 50.0 (50.0..50.0) | 2000 | 20.0 |",
        "| http: checker / wrk | 1.25 (1.25..1.25) |  |  |",
        "| http: checker at full load / wrk | 1.10 (1.10..1.10) | ≤ 1.15 | ✔ |",
        "| each of 1000 idle sites | 250 B | ≤ 300 B | ✔ |",
        "| each of 500 http checks in flight | 20.0 KiB | ≤ 18 KiB | ✘ |",
        "| http | 0.5..1 ms | unknown |",
        "| 1000000 sites in 300 MiB, 7000/s, 70 % of full load | unknown | 2..5 ms |",
        "aiohttp was skipped: no Python.",
    ] {
        assert!(text.contains(line), "{line:?} is not in\n{text}");
    }
    assert!(!text.contains("NOISY"), "{text}");
}

#[test]
fn load_by_others_is_told() {
    let mut disturbed = sample(1, Contender::Checker, 50.0);
    disturbed.window.foreign = 0.3;
    let text = report(vec![disturbed]).to_string();
    assert!(text.contains("NOISY: others kept at most 30 %"), "{text}");
}
