//! The topics: made where they are missing, and compared with what they should be.

use std::collections::BTreeSet;

use rdkafka::admin::{AdminClient, AdminOptions, ConfigResourceResult, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::error::RDKafkaErrorCode;

use super::changes::Quiet;
use super::{REQUEST_MAX, Settings, admin, describe, failed};
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
    admin(settings)
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
    let copies = copies(admin, settings, &wanted.name)?;
    let mut differences = Vec::new();
    for (name, is, should) in [
        ("partitions", topic.partitions.to_string(), wanted.partitions.to_string()),
        ("replication.factor", copies, wanted.replication.to_string()),
    ] {
        if is != should {
            differences.push((name.to_owned(), is, should));
        }
    }
    let options = AdminOptions::new().request_timeout(Some(REQUEST_MAX));
    let asked = [ResourceSpecifier::Topic(&wanted.name)];
    let answers = admin.describe_configs(&asked, &options).await.map_err(|error| failed(settings, &error))?;
    differences.extend(of_settings(answers.into_iter().next(), &wanted.settings));
    Ok(differences)
}

/// How many copies there are of each partition; where they differ, the fewest and the most.
fn copies(admin: &AdminClient<Quiet>, settings: &Settings, name: &str) -> Result<String, Error> {
    let metadata = admin.inner().fetch_metadata(Some(name), REQUEST_MAX).map_err(|error| failed(settings, &error))?;
    let partitions = metadata.topics().iter().flat_map(|topic| topic.partitions());
    let copies: BTreeSet<usize> = partitions.map(|partition| partition.replicas().len()).collect();
    Ok(match (copies.first(), copies.last()) {
        (Some(fewest), Some(most)) if fewest < most => format!("{fewest} to {most}"),
        (Some(all), _) => all.to_string(),
        (None, _) => "not told".to_owned(),
    })
}

/// Settings that are not as they should be. Where the brokers do not tell them, none is known to be.
fn of_settings(answer: Option<ConfigResourceResult>, wanted: &[(String, String)]) -> Vec<(String, String, String)> {
    let is = |name: &str| match &answer {
        Some(Ok(told)) => told.get(name).and_then(|entry| entry.value.clone()).unwrap_or_default(),
        Some(Err(code)) => format!("not told: {code}"),
        None => "not told".to_owned(),
    };
    let all = wanted.iter().map(|(name, should)| (name.clone(), is(name), should.clone()));
    all.filter(|(_, is, should)| is != should).collect()
}

#[cfg(test)]
mod tests {
    use rdkafka::admin::{ConfigEntry, ConfigResource, ConfigSource, OwnedResourceSpecifier};
    use rdkafka::error::RDKafkaErrorCode;

    use super::of_settings;

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    fn told(name: &str, value: &str) -> ConfigEntry {
        ConfigEntry {
            name: name.to_owned(),
            value: Some(value.to_owned()),
            source: ConfigSource::Default,
            is_read_only: false,
            is_default: true,
            is_sensitive: false,
        }
    }

    #[test]
    fn a_setting_with_another_value_or_none_differs() {
        let wanted = [pair("retention.ms", "-1"), pair("retention.bytes", "-1"), pair("cleanup.policy", "delete")];
        let specifier = OwnedResourceSpecifier::Topic("events".to_owned());
        let entries = vec![told("retention.ms", "604800000"), told("cleanup.policy", "delete")];
        let found = of_settings(Some(Ok(ConfigResource { specifier, entries })), &wanted);
        let row = |name: &str, is: &str, should: &str| (name.to_owned(), is.to_owned(), should.to_owned());
        assert_eq!(found, [row("retention.ms", "604800000", "-1"), row("retention.bytes", "", "-1")]);
    }

    #[test]
    fn settings_that_the_brokers_do_not_tell_differ_and_it_is_said_why() {
        let wanted = [pair("retention.ms", "-1"), pair("cleanup.policy", "delete")];
        let refused = of_settings(Some(Err(RDKafkaErrorCode::TopicAuthorizationFailed)), &wanted);
        let names: Vec<&str> = refused.iter().map(|(name, ..)| name.as_str()).collect();
        assert_eq!(names, ["retention.ms", "cleanup.policy"]);
        assert!(refused.iter().all(|(_, is, _)| is.starts_with("not told: TopicAuthorizationFailed")), "{refused:?}");
        assert_eq!(of_settings(None, &wanted).len(), 2);
    }
}
