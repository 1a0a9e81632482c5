use super::*;

fn outage(minute: i64, site: i64) -> Outage {
    Outage {
        site: SiteId(site),
        name: None,
        started_at: DateTime::UNIX_EPOCH + chrono::TimeDelta::minutes(minute),
        ended_at: None,
        precision: Precision::Check,
        cause: None,
        regions: Vec::new(),
    }
}

#[test]
fn pages_hold_every_outage_once_and_the_latest_first() {
    let all =
        || [(3, 2), (1, 9), (3, 1), (2, 5), (1, 1)].map(|(minute, site)| outage(minute, site));
    for limit in 1..=6 {
        let mut request = OutageRequest::first(limit);
        let mut told = Vec::new();
        loop {
            let page = Outages::page(&request, all().to_vec());
            assert!(page.items.len() <= usize::try_from(limit).unwrap());
            told.extend(page.items);
            let Some(next) = page.next else { break };
            request = request.after(next);
        }
        let order = told
            .iter()
            .map(|outage| (outage.started_at.timestamp() / 60, outage.site.0));
        assert_eq!(
            order.collect::<Vec<_>>(),
            [(3, 1), (3, 2), (2, 5), (1, 1), (1, 9)]
        );
    }
}

#[test]
fn a_request_never_exceeds_its_bounds() {
    assert_eq!(OutageRequest::first(0).limit(), 1);
    assert_eq!(OutageRequest::first(u32::MAX).limit(), MAX_LIMIT);
}
