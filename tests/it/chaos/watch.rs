//! How long nothing went on.

use std::sync::Mutex;
use std::time::Duration;

use tributary::run::Program;

use super::world::{LOOK_EVERY, World};

/// An answer that takes longer is none.
const ANSWER_MAX: Duration = Duration::from_secs(10);
/// Worth telling of.
const LONG: Duration = Duration::from_secs(20);

/// The longest time in which no row was written although the log was longer than the rows.
#[derive(Default)]
pub(super) struct Watch {
    pub(super) longest_stall: Mutex<Duration>,
}

impl Watch {
    fn saw(&self, stall: Duration) {
        let mut longest = self.longest_stall.lock().unwrap();
        *longest = stall.max(*longest);
    }
}

/// Until the world is over. Somebody who does not fold, and so sees what anybody could.
pub(super) async fn watch(world: &World, observer: &Program, watch: &Watch) {
    let (mut written, mut since, mut is_told) = (0, world.story.now(), false);
    while !world.is_over() {
        let places = tokio::time::timeout(ANSWER_MAX, observer.places()).await;
        let now = world.story.now();
        if let Ok(Ok(places)) = places {
            let rows = places.iter().map(|place| place.fast.min(place.slow).0).sum::<u64>();
            let end = places.iter().map(|place| place.end.0).sum::<u64>();
            if rows > written || rows >= end {
                (written, since, is_told) = (rows, now, false);
            }
        }
        let stall = now - since;
        watch.saw(stall);
        if stall > LONG && !is_told {
            is_told = true;
            world.story.tell(format!("no row was written for {} s, up to {written}", stall.as_secs()));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
