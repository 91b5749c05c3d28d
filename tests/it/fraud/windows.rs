//! Windows of clicks against a count that keeps everything, and their limits.

use proptest::prelude::*;
use tributary::fold::fraud::{Question, Subject};
use tributary::ids::Millis;

use crate::fold::seed::fixed;
use crate::fold::world::{Flush, World};

const BEGIN: i64 = 1_767_312_000_000;

fn world() -> World {
    let mut world = World::alone(Flush::AtTheEnd);
    let head = r#""creator_id":"c","occurred_at":1767225600000"#;
    let records = [
        format!(r#"{{"type":"Creator","event_id":"e0",{head},"name":"Club","currency":"EUR","time_zone":"UTC"}}"#),
        format!(r#"{{"type":"Member","event_id":"e1",{head},"member_id":"ann"}}"#),
    ];
    records.iter().for_each(|record| world.apply(record, Millis(1_767_225_600_000)));
    world
}

fn click(n: usize, t: i64, (ip, device): (u64, u64)) -> String {
    format!(
        r#"{{"type":"Click","event_id":"k{n}","click_id":"k{n}","creator_id":"c","occurred_at":{t},"member_id":"ann","ip_token":"{ip:032x}","device_token":"{device:032x}","user_agent":"Mozilla/5.0 (X11) Firefox/125.0"}}"#
    )
}

/// Clicks within `span` up to `t`, `t` included.
fn within(times: &[i64], t: i64, span: i64) -> u32 {
    u32::try_from(times.iter().filter(|seen| (t - span..=t).contains(seen)).count()).unwrap()
}

proptest! {
    #![proptest_config(fixed(64))]

    /// What is told of each click in order is what counting everything says; a storm is told once a minute.
    #[test]
    fn what_fires_is_what_counting_everything_says(steps in prop::collection::vec(0_i64..9_000, 1..400)) {
        let mut world = world();
        let (mut t, mut times, mut told) = (BEGIN, Vec::new(), Vec::new());
        let (mut told_ip, mut told_device) = (None, None);
        for (n, step) in steps.iter().enumerate() {
            t += step;
            world.apply(&click(n, t, (1, 1)), Millis(t));
            times.push(t);
            let fires = [
                (Question::ClicksOfIpInMinute, within(&times, t, 60_000) > 10),
                (Question::ClicksOfIpInHour, within(&times, t, 3_600_000) > 60),
                (Question::ClicksOfDeviceInMinute, within(&times, t, 60_000) > 10),
            ];
            let fired: Vec<Question> = fires.iter().filter(|(_, fires)| *fires).map(|(question, _)| *question).collect();
            let minute = Some(t / 60_000);
            let by_ip = fires[0].1 || fires[1].1;
            let is_first = (by_ip && told_ip != minute) || (fires[2].1 && told_device != minute);
            if by_ip {
                told_ip = minute;
            }
            if fires[2].1 {
                told_device = minute;
            }
            if fired.is_empty() || is_first {
                told.push((format!("k{n}"), fired));
            }
        }
        let said: Vec<(String, Vec<Question>)> = world
            .decisions
            .iter()
            .filter(|decision| decision.subject == Subject::Click)
            .map(|decision| {
                let fired = decision.assessment.findings().filter(|finding| finding.fired().is_some());
                let fired = fired.map(|finding| finding.question).filter(|question| *question != Question::RegularGaps);
                (decision.subject_id.as_str().to_owned(), fired.collect())
            })
            .collect();
        prop_assert_eq!(said, told);
    }

    /// In whatever order they come, nothing breaks, and what is kept stays within its limits.
    #[test]
    fn windows_stay_within_their_limits(
        clicks in prop::collection::vec((-900_000_i64..900_000, 0_u64..3, 0_u64..3_000), 1..3_000),
    ) {
        let mut world = world();
        for (n, (at, ip, device)) in clicks.into_iter().enumerate() {
            let t = BEGIN + i64::try_from(n).unwrap() * 1_000 + at;
            world.apply(&click(n, t, (ip, device)), Millis(t));
        }
        prop_assert!(world.state.windows.len() <= 1_024, "{} windows of one member", world.state.windows.len());
        prop_assert!(world.state.window_keys.len() <= 129);
        prop_assert!(world.state.window_pages.len() <= 3 * 10 + 1_024 * 4);
    }
}

#[test]
fn a_day_without_a_click_ends_a_window() {
    let mut world = world();
    for n in 0..30 {
        world
            .apply(&click(n, BEGIN + i64::try_from(n).unwrap() * 1_000, (1, u64::try_from(n).unwrap())), Millis(BEGIN));
    }
    assert_eq!(world.state.window_keys.len(), 2, "31 windows, the first sixteen are not listed, eight a page");
    let later = BEGIN + 49 * 3_600_000;
    world.apply(&click(30, later, (1, 1)), Millis(later));
    assert_eq!(world.state.window_keys.len(), 0, "those that are over left the list; two came");
}
