//! The topics: made where they are missing, and compared with what they should be.

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::error::RDKafkaErrorCode;

use super::changes::Quiet;
use super::{REQUEST_MAX, Settings, describe, failed};
use crate::consume::{Error, Stream, Topic};

/// A topic that there should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    pub name: String,
    pub partitions: u32,
    pub replication: u16,
    /// Settings of the topic, by name.
    pub settings: Vec<(String, String)>,
}

/// What was done about a topic, or should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    Made,
    /// With what differs: setting, is, should be.
    There(Vec<(String, String, String)>),
}

/// Makes the topics that are missing; says of the others in what they differ, and changes nothing of them.
pub async fn setup(settings: &Settings, wanted: &[Wanted]) -> Result<Vec<Found>, Error> {
    let admin = reach(settings)?;
    let mut found = Vec::new();
    for one in wanted {
        found.push(if make(&admin, settings, one).await? {
            Found::Made
        } else {
            Found::There(differences(&admin, settings, one).await?)
        });
    }
    Ok(found)
}

/// Of the topic of events, if it is there: the others have as many.
pub fn partitions_there(settings: &Settings) -> Result<Option<u32>, Error> {
    let admin = reach(settings)?;
    match describe::describe(&admin, settings, &settings.topic(Stream::Events)) {
        Ok(topic) => Ok(Some(topic.partitions)),
        Err(Error::NoTopic { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Brokers that answer.
fn reach(settings: &Settings) -> Result<AdminClient<Quiet>, Error> {
    describe::reach(settings)?;
    settings.client().create_with_context(Quiet).map_err(|error| failed(settings, &error))
}

/// `false`: it is there already.
async fn make(admin: &AdminClient<Quiet>, settings: &Settings, wanted: &Wanted) -> Result<bool, Error> {
    let count = |n: u32| i32::try_from(n).unwrap_or(i32::MAX);
    let replication = TopicReplication::Fixed(count(u32::from(wanted.replication)));
    let mut topic = NewTopic::new(&wanted.name, count(wanted.partitions), replication);
    for (name, value) in &wanted.settings {
        topic = topic.set(name, value);
    }
    let options = AdminOptions::new().operation_timeout(Some(REQUEST_MAX)).request_timeout(Some(REQUEST_MAX * 2));
    let results = admin.create_topics([&topic], &options).await.map_err(|error| failed(settings, &error))?;
    match results.into_iter().next() {
        Some(Err((_, RDKafkaErrorCode::TopicAlreadyExists))) => Ok(false),
        Some(Err((name, code))) => Err(Error::Engine { file: name, source: code.to_string().into() }),
        Some(Ok(_)) | None => {
            wait_for(admin, settings, &wanted.name).await?;
            Ok(true)
        }
    }
}

/// Brokers may not know for a moment of a topic that was made.
async fn wait_for(admin: &AdminClient<Quiet>, settings: &Settings, name: &str) -> Result<Topic, Error> {
    const TRIES: u32 = 50;
    let mut tries = 0;
    loop {
        match describe::describe(admin, settings, name) {
            Err(Error::NoTopic { .. }) if tries < TRIES => tries += 1,
            outcome => return outcome,
        }
        tokio::time::sleep(REQUEST_MAX / TRIES).await;
    }
}

async fn differences(
    admin: &AdminClient<Quiet>,
    settings: &Settings,
    wanted: &Wanted,
) -> Result<Vec<(String, String, String)>, Error> {
    let topic = describe::describe(admin, settings, &wanted.name)?;
    let mut differences = Vec::new();
    let mut compare = |name: &str, is: String, should: String| {
        if is != should {
            differences.push((name.to_owned(), is, should));
        }
    };
    compare("partitions", topic.partitions.to_string(), wanted.partitions.to_string());
    let options = AdminOptions::new().request_timeout(Some(REQUEST_MAX));
    let asked = [ResourceSpecifier::Topic(&wanted.name)];
    let answers = admin.describe_configs(&asked, &options).await.map_err(|error| failed(settings, &error))?;
    let Some(Ok(answer)) = answers.into_iter().next() else { return Ok(differences) };
    for (name, should) in &wanted.settings {
        let is = answer.get(name).and_then(|entry| entry.value.clone()).unwrap_or_default();
        compare(name, is, should.clone());
    }
    Ok(differences)
}
