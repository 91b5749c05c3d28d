//! The way out: outputs of the fold, and E with them.
//!
//! Promise of a [`Publish`]: outputs and the position that they belong to are out together or not at all, and only in
//! the name of who owns the partition; E never goes back.

pub mod embedded;
pub mod kafka;

use crate::append::{Error, Outgoing};
use crate::ids::{Next, Partition};

/// The log as a partition's owner writes its outputs.
pub trait Publish: Clone + Send + Sync + 'static {
    /// Who the owner is in its group, as the source told at the assignment. See `consume::Source::Member`.
    type Member: Clone + Send + Sync + 'static;

    /// Outputs of the events of `from` below `position`, and `position` as its E, in one transaction. A position below
    /// the committed one is refused. After any error the outcome is unknown, unless the error says that nothing was
    /// written: what is committed tells.
    fn emit(
        &self,
        owner: &Self::Member,
        from: Partition,
        outputs: Vec<Outgoing>,
        position: Next,
    ) -> impl Future<Output = Result<(), Error>> + Send;
}
