//! `tributary simulate --fraud`: events of which the truth is known, and the truth in a file of its own.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use anyhow::Context as _;

use crate::ids::Millis;
use crate::simulate::labelled::{Cohort, Family, Spec, Strength, Traffic};
use crate::simulate::{self, Simulated, Simulation};

/// Which people, and how much of them cheats.
#[derive(Debug, clap::Args)]
pub(crate) struct LabelledArgs {
    /// Make traffic of which the truth is known: honest cohorts that look odd, and attacks.
    #[arg(long, conflicts_with_all = ["members", "rate", "signups"])]
    pub(super) fraud: bool,
    /// Write what is true of each click, conversion and commission here, as NDJSON.
    #[arg(long, value_name = "FILE", requires = "fraud")]
    labels: Option<PathBuf>,
    /// People, homes, offices and schemes, of all creators together.
    #[arg(long, default_value_t = 2_000, requires = "fraud")]
    agents: u32,
    /// Of a thousand agents so many cheat; unless 0, at least one of each family for each creator.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(0..=1_000), value_name = "PERMILLE", requires = "fraud")]
    fraud_permille: u32,
    /// How careful they are, 0 to 10 [default: each as he is].
    #[arg(long, value_parser = strength, requires = "fraud")]
    strength: Option<Strength>,
    /// Attack families, by name [default: all].
    #[arg(long, value_parser = family, value_delimiter = ',', value_name = "NAMES", requires = "fraud")]
    families: Vec<Family>,
    /// Honest cohorts, by name [default: all].
    #[arg(long, value_parser = cohort, value_delimiter = ',', value_name = "NAMES", requires = "fraud")]
    cohorts: Vec<Cohort>,
    /// Families to leave out, such as those that rules are to be judged by later.
    #[arg(long, value_parser = family, value_delimiter = ',', value_name = "NAMES", requires = "fraud")]
    without: Vec<Family>,
}

/// What the labelled traffic has in common with any other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Among {
    pub(super) seed: u64,
    pub(super) start: Millis,
    pub(super) days: u32,
    pub(super) creators: u32,
}

/// The records that were asked for, one after the other; labels go to their file on the way.
#[derive(Debug)]
pub(super) enum Records {
    Plain(Box<Simulation>),
    Labelled { traffic: Box<Traffic>, left: u64, labels: Option<Labels> },
}

#[derive(Debug)]
pub(super) struct Labels {
    file: BufWriter<File>,
    path: PathBuf,
    line: Vec<u8>,
}

impl Records {
    pub(super) fn plain(spec: &simulate::Spec) -> Self {
        Self::Plain(Box::new(Simulation::new(spec)))
    }

    pub(super) fn labelled(args: &LabelledArgs, among: &Among, events: u64) -> anyhow::Result<Self> {
        let all = |chosen: &[Family]| if chosen.is_empty() { Family::ALL.to_vec() } else { chosen.to_vec() };
        let mut families = all(&args.families);
        families.retain(|family| !args.without.contains(family));
        let cohorts = if args.cohorts.is_empty() { Cohort::ALL.to_vec() } else { args.cohorts.clone() };
        let Among { seed, start, days, creators } = *among;
        let LabelledArgs { agents, fraud_permille, strength, .. } = *args;
        let spec = Spec { seed, start, days, creators, agents, fraud_permille, strength, cohorts, families };
        let labels = args.labels.clone().map(Labels::create).transpose()?;
        Ok(Self::Labelled { traffic: Box::new(Traffic::new(&spec)), left: events, labels })
    }

    /// The next record; `None` when all are made, and the labels are in their file.
    pub(super) fn pull(&mut self) -> anyhow::Result<Option<Simulated>> {
        match self {
            Self::Plain(simulation) => Ok(simulation.next()),
            Self::Labelled { traffic, left, labels } => {
                let next = if *left > 0 { traffic.next() } else { None };
                *left = left.saturating_sub(1);
                if let Some(labels) = labels {
                    match &next {
                        Some(labelled) => labelled.labels().try_for_each(|label| {
                            labels.line.clear();
                            label.to_json(&mut labels.line);
                            labels.file.write_all(&labels.line)
                        }),
                        None => labels.file.flush(),
                    }
                    .with_context(|| format!("cannot write {}", labels.path.display()))?;
                }
                Ok(next.map(|labelled| labelled.record))
            }
        }
    }
}

impl Labels {
    fn create(path: PathBuf) -> anyhow::Result<Self> {
        let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self { file: BufWriter::with_capacity(1 << 20, file), path, line: Vec::new() })
    }
}

fn strength(text: &str) -> Result<Strength, String> {
    text.parse().ok().and_then(Strength::new).ok_or_else(|| "must be 0 to 10".to_owned())
}

fn family(name: &str) -> Result<Family, String> {
    Family::parse(name).ok_or_else(|| one_of(&Family::ALL.map(Family::name)))
}

fn cohort(name: &str) -> Result<Cohort, String> {
    Cohort::parse(name).ok_or_else(|| one_of(&Cohort::ALL.map(Cohort::name)))
}

fn one_of(names: &[&str]) -> String {
    format!("must be one of {}", names.join(", "))
}
