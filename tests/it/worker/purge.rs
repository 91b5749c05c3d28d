//! What has expired leaves the store, and the log still agrees with what is left.

use tributary::append::Sink;
use tributary::clock::Clock;
use tributary::ids::{Millis, Partition};
use tributary::project::tables;
use tributary::run::{Options, Program};
use tributary::store::Row;
use tributary::worker::scan;

use super::programme::START;
use super::story::{click, creator, member, purchase};

const DAY: i64 = Millis::DAY;

struct Programme {
    engine: Program,
    _dir: tempfile::TempDir,
}

impl Programme {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut options = Options::new(dir.path());
        (options.pace.fast, options.pace.slow) = Default::default();
        let mut engine = Program::open(options, Clock::system()).await.unwrap();
        engine.start().unwrap();
        Self { engine, _dir: dir }
    }

    async fn tell(&self, events: &[String]) {
        let partitions = self.engine.log.topic().partitions;
        let records = events.iter().map(|json| super::story::outgoing(json, partitions)).collect();
        self.engine.sink.append(records).await.unwrap();
        self.engine.caught_up().await.unwrap();
    }

    /// Hours since the start that have a row; each expires when the table says.
    async fn hours(&self, creator: &str) -> Vec<i64> {
        let mut found = Vec::new();
        for row in self.rows(tables::HOUR).await {
            let [tributary::store::Col::Text(id), tributary::store::Col::Int(hour), ..] = row.key.cols.0.as_slice()
            else {
                panic!("{:?}", row.key)
            };
            assert_eq!(row.expires, Some(Millis(hour * Millis::HOUR + tables::HOUR_KEPT)), "as the table says");
            if id == creator {
                found.push(hour - START.0 / Millis::HOUR);
            }
        }
        found.sort_unstable();
        found
    }

    async fn rows(&self, table: tables::Table) -> Vec<Row> {
        let mut rows = Vec::new();
        for p in (0..self.engine.log.topic().partitions).map(Partition) {
            let months = scan::months(&self.engine.store, p).await.unwrap();
            rows.extend(scan::table(&self.engine.store, table, p, months).await.unwrap());
        }
        rows
    }

    async fn differences(&self) -> u64 {
        self.engine.verify(|difference| println!("{difference:?}"), |_, _| {}).await.unwrap().differences
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_hour_leaves_when_its_creator_s_watermark_has_passed_its_expiry() {
    let programme = Programme::new().await;
    programme
        .tell(&[
            creator("acme", 0),
            member("acme", "ann", 1),
            purchase("acme", "o0", "ann", 2),
            purchase("acme", "o1", "ann", 2 * Millis::HOUR),
        ])
        .await;
    programme
        .tell(&[
            creator("idle", 0),
            member("idle", "ida", 1),
            purchase("idle", "oi", "ida", 2),
            purchase("idle", "o2", "ida", 2 * Millis::HOUR),
        ])
        .await;
    assert_eq!(programme.hours("acme").await, [0, 2]);
    assert_eq!(programme.engine.purge().await.unwrap(), 0, "nothing has expired");

    // Hour 2 expires at 400 days and 2 hours; the watermark is ten minutes behind the clock.
    let due = 400 * DAY + 2 * Millis::HOUR;
    programme.tell(&[purchase("acme", "o3", "ann", due + 10 * Millis::MINUTE)]).await;
    assert_eq!(programme.engine.purge().await.unwrap(), 1, "hour 0; hour 2 is at its very end");
    programme.tell(&[purchase("acme", "o4", "ann", due + 11 * Millis::MINUTE)]).await;
    assert_eq!(programme.engine.purge().await.unwrap(), 1);
    assert_eq!(programme.hours("acme").await, [400 * 24 + 2]);
    assert_eq!(programme.hours("idle").await, [0, 2], "whose own time stands still keeps all");
    assert_eq!(programme.differences().await, 0);
    programme.engine.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_late_into_an_expired_hour_is_kept_by_its_day_and_purged_again() {
    let programme = Programme::new().await;
    programme
        .tell(&[
            creator("acme", 0),
            member("acme", "ann", 1),
            purchase("acme", "o0", "ann", 2),
            purchase("acme", "o1", "ann", 2 * Millis::HOUR),
        ])
        .await;
    programme.tell(&[purchase("acme", "o2", "ann", 402 * DAY)]).await;
    assert_eq!(programme.engine.purge().await.unwrap(), 2);
    assert_eq!(programme.differences().await, 0);
    // The row is made again, whole, and has expired as soon as it is there.
    programme.tell(&[purchase("acme", "o3", "ann", 3 * Millis::HOUR)]).await;
    assert_eq!(programme.hours("acme").await, [3, 402 * 24]);
    assert_eq!(programme.differences().await, 0);
    assert_eq!(programme.engine.purge().await.unwrap(), 1);
    assert_eq!(programme.differences().await, 0);
    programme.engine.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_of_touches_leaves_when_all_of_it_is_forgotten() {
    let programme = Programme::new().await;
    programme
        .tell(&[
            creator("acme", 0),
            member("acme", "ann", 1),
            click("acme", "k0", "ann", Millis::HOUR),
            click("acme", "k1", "ann", 40 * DAY),
            purchase("acme", "o1", "ann", 50 * DAY),
        ])
        .await;
    // Each in a month of its own; the first is forgotten after 45 days, its page an hour and a watermark later.
    assert_eq!(programme.rows(tables::TOUCH).await.len(), 2);
    assert_eq!(programme.engine.purge().await.unwrap(), 1);
    assert_eq!(programme.rows(tables::TOUCH).await.len(), 1);
    assert_eq!(programme.differences().await, 0);
    programme.tell(&[purchase("acme", "o2", "ann", 90 * DAY)]).await;
    assert_eq!(programme.engine.purge().await.unwrap(), 1);
    assert_eq!(programme.rows(tables::TOUCH).await, []);
    assert_eq!(programme.differences().await, 0);
    programme.engine.stop().await.unwrap();
}
