//! A client that only asks. One that nobody reads with has been seen to take brokers for away for minutes after they were
//! back: after a while without an answer it is made anew.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::consumer::BaseConsumer;

use super::changes::Quiet;
use super::{Settings, failed};
use crate::clock::Clock;
use crate::consume::Error;

/// A client that was asked in vain for so long is given up.
const RENEW_AFTER: Duration = Duration::from_secs(15);

/// Made with the first question.
pub(super) struct Asked {
    settings: Settings,
    config: ClientConfig,
    clock: Clock,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    client: Option<Arc<BaseConsumer<Quiet>>>,
    /// Since when it has had no answer, if its last question had none.
    unanswered: Option<Duration>,
}

impl Asked {
    pub(super) fn of(settings: &Settings, config: ClientConfig) -> Self {
        Self { settings: settings.clone(), config, clock: Clock::system(), kept: Mutex::default() }
    }

    /// What the brokers say. Several may ask at once: none waits for the answer of another.
    pub(super) fn ask<T>(&self, question: impl FnOnce(&BaseConsumer<Quiet>) -> Result<T, Error>) -> Result<T, Error> {
        let client = self.client()?;
        let since = self.clock.monotonic();
        let answer = question(&client);
        let given_up = self.note(&client, answer.is_ok(), since);
        // Where it is the last that holds it, its end is waited for: nobody else waits meanwhile.
        drop((given_up, client));
        answer
    }

    fn client(&self) -> Result<Arc<BaseConsumer<Quiet>>, Error> {
        let mut kept = self.kept();
        if let Some(client) = &kept.client {
            return Ok(Arc::clone(client));
        }
        let made = self.config.create_with_context(Quiet).map_err(|error| failed(&self.settings, &error))?;
        Ok(Arc::clone(kept.client.insert(Arc::new(made))))
    }

    /// Whether a client that was asked at `since` has answered; it is returned if it is given up.
    fn note(
        &self,
        client: &Arc<BaseConsumer<Quiet>>,
        is_answered: bool,
        since: Duration,
    ) -> Option<Arc<BaseConsumer<Quiet>>> {
        let mut kept = self.kept();
        // Of one that another has given up meanwhile nothing more is to be known.
        kept.client.as_ref().filter(|now| Arc::ptr_eq(now, client))?;
        if is_answered {
            kept.unanswered = None;
            return None;
        }
        let since = *kept.unanswered.get_or_insert(since);
        if self.clock.monotonic() <= since + RENEW_AFTER {
            return None;
        }
        kept.unanswered = None;
        kept.client.take()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use rdkafka::consumer::BaseConsumer;

    use super::{Asked, Quiet, Settings};
    use crate::clock::Clock;
    use crate::consume::Error;
    use crate::ids::Millis;

    /// Nobody is there; the questions of the tests are answered by themselves.
    fn asked(elapsed: &Arc<AtomicU32>) -> Asked {
        let settings = Settings::new("127.0.0.1:1");
        let clock = Clock::moved_by(Millis(0), Arc::clone(elapsed));
        Asked { clock, ..Asked::of(&settings, settings.client()) }
    }

    fn kept(asked: &Asked) -> Option<Arc<BaseConsumer<Quiet>>> {
        asked.kept().client.clone()
    }

    fn in_vain(asked: &Asked) {
        let silent = |_: &BaseConsumer<Quiet>| -> Result<(), Error> {
            Err(Error::Unavailable { topic: "events".to_owned(), what: "no answer".to_owned() })
        };
        asked.ask(silent).unwrap_err();
    }

    #[test]
    fn a_client_that_is_asked_in_vain_for_long_is_made_anew_and_one_that_answers_between_is_kept() {
        let elapsed = Arc::new(AtomicU32::new(0));
        let asked = asked(&elapsed);
        in_vain(&asked);
        let first = kept(&asked).unwrap();
        elapsed.store(15_000, Ordering::Relaxed);
        in_vain(&asked);
        asked.ask(|_| Ok(())).unwrap();
        elapsed.store(40_000, Ordering::Relaxed);
        in_vain(&asked);
        assert!(Arc::ptr_eq(&first, &kept(&asked).unwrap()), "it answered after 15 s, and fails only since now");

        elapsed.store(55_001, Ordering::Relaxed);
        in_vain(&asked);
        assert!(kept(&asked).is_none(), "given up");
        asked.ask(|_| Ok(())).unwrap();
        assert!(!Arc::ptr_eq(&first, &kept(&asked).unwrap()));
    }

    #[test]
    fn who_asked_a_client_that_another_gave_up_says_nothing_of_the_next_one() {
        let elapsed = Arc::new(AtomicU32::new(0));
        let asked = asked(&elapsed);
        asked.ask(|_| Ok(())).unwrap();
        let slow = asked.ask(|_| {
            in_vain(&asked);
            elapsed.store(15_001, Ordering::Relaxed);
            in_vain(&asked);
            assert!(kept(&asked).is_none());
            asked.ask(|_| Ok(())).unwrap();
            Err::<(), _>(Error::Unavailable { topic: "events".to_owned(), what: "no answer".to_owned() })
        });
        slow.unwrap_err();
        let kept = asked.kept();
        assert!(kept.client.is_some() && kept.unanswered.is_none());
    }
}
