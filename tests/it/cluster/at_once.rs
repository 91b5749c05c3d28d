//! Two processes that are asked at once: no generation is lost, and none is dropped that is in use.

use std::time::Duration;

use tributary::clock::Clock;
use tributary::run::Program;
use tributary::store::Doors;
use tributary::web::{Ask, Refusal, Role, State, Status};

use super::generations::{ask, one, until};
use super::place::{PATIENCE, Place, append, caught_up, records};
use crate::worker::programme::spec;

/// Two processes that fold, with a generation in the making that can be switched to.
async fn with_one_made(place: &Place, dirs: &[tempfile::TempDir; 2]) -> [Program; 2] {
    let mut both = [place.process(&dirs[0]).await, place.process(&dirs[1]).await];
    for process in &mut both {
        process.start().unwrap();
    }
    let ends = append(&both[0], &records(&spec(4, 60, 2_000, 13), 4)).await;
    caught_up(&both[0], &ends).await;
    make(&both).await;
    both
}

async fn make(both: &[Program; 2]) {
    ask(&both[0], Ask::Rebuild { rate: Some(0) }).await;
    let is_ready = |status: &Status| one(status, Role::Building).is_some_and(|one| one.state == State::Ready);
    for process in both {
        until(process, "compared", is_ready).await;
    }
}

/// Asked again while processes have too little of a processor to come together in time.
async fn answer(program: &Program, ask: Ask) -> Result<Status, String> {
    let clock = Clock::system();
    loop {
        match program.generations()(ask).await {
            Ok(status) => return Ok(status),
            Err(Refusal::NotNow(why)) if why.ends_with("try again") && clock.monotonic() < PATIENCE => {}
            Err(Refusal::NotNow(why)) => return Err(why),
            Err(Refusal::Failed(why)) => panic!("{ask:?}: {why}"),
        }
    }
}

/// How many of the two did it, and why the others did not.
async fn at_once(both: &[Program; 2], asks: [Ask; 2]) -> (usize, Vec<String>) {
    let (first, second) = tokio::join!(answer(&both[0], asks[0]), answer(&both[1], asks[1]));
    let refused: Vec<String> = [first, second].into_iter().filter_map(Result::err).collect();
    (2 - refused.len(), refused)
}

/// The live one and the former one.
async fn named(program: &Program) -> (u32, Option<u32>) {
    let status = ask(program, Ask::Status).await;
    (status.live, one(&status, Role::Former).map(|one| one.generation))
}

/// The tables of these are there, and soon no others; rows of the live one are as the log has them.
async fn stand(program: &Program, generations: &[u32]) {
    let clock = Clock::system();
    loop {
        let found = program.store.generations().await.unwrap();
        assert!(generations.iter().all(|one| found.contains(one)), "{found:?} of {generations:?}");
        if found == generations {
            break;
        }
        assert!(clock.monotonic() < PATIENCE, "{found:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let mut differences = Vec::new();
    program.verify(|difference| differences.push(difference), |_, _| {}).await.unwrap();
    assert_eq!(differences, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_switches_two_rollbacks_and_two_drops_leave_each_generation_named_until_it_is_dropped() {
    let Some(place) = Place::new().await else { return };
    let dirs = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let both = with_one_made(&place, &dirs).await;

    let (done, refused) = at_once(&both, [Ask::Switch { force: true }; 2]).await;
    assert_eq!(done, 1, "{refused:?}");
    // Who came to read the row only when it was over is told that.
    let texts = ["generations meanwhile: live 2, former 1; ask again", "no generation is in the making"];
    assert!(texts.iter().any(|text| refused[0].contains(text)), "{refused:?}");
    assert_eq!(named(&both[0]).await, (2, Some(1)));

    // The same for a rollback, which then is another one.
    let (done, refused) = at_once(&both, [Ask::Rollback { force: false }; 2]).await;
    let (live, former) = named(&both[1]).await;
    assert_eq!((live, former), if done == 1 { (1, Some(2)) } else { (2, Some(1)) }, "{refused:?}");
    assert!(
        refused.iter().all(|why| why.contains("generations meanwhile: live 1, former 2; ask again")),
        "{refused:?}"
    );

    let (done, refused) = at_once(&both, [Ask::Drop; 2]).await;
    assert_eq!(done, 1, "{refused:?}");
    let texts = [format!("generations meanwhile: live {live}; ask again"), "no former generation".to_owned()];
    assert!(texts.iter().any(|text| refused[0].contains(text)), "{refused:?}");
    assert_eq!(named(&both[0]).await, (live, None));
    stand(&both[0], &[live]).await;
    for process in both {
        process.stop().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_generation_that_is_cancelled_during_a_switch_to_it_does_not_become_live() {
    let Some(place) = Place::new().await else { return };
    let dirs = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let both = with_one_made(&place, &dirs).await;

    let (done, refused) = at_once(&both, [Ask::Switch { force: true }, Ask::Cancel]).await;
    assert_eq!(done, 1, "{refused:?}");
    let texts = ["changed the generations meanwhile: live", "no generation is in the making"];
    assert!(texts.iter().any(|text| refused[0].contains(text)), "{refused:?}");
    match named(&both[1]).await {
        (1, None) => stand(&both[1], &[1]).await,
        (2, Some(1)) => stand(&both[1], &[1, 2]).await,
        other => panic!("{other:?}"),
    }
    for process in both {
        process.stop().await.unwrap();
    }
}
