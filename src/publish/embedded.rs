//! The way out into the log in one redb file: one process owns it, so there is nobody to be told from.

use super::Publish;
use crate::append::embedded::EmbeddedSink;
use crate::append::{Error, Outgoing};
use crate::ids::{Next, Partition};

impl Publish for EmbeddedSink {
    type Member = ();

    async fn emit(&self, (): &(), from: Partition, outputs: Vec<Outgoing>, position: Next) -> Result<(), Error> {
        self.put_out(from, outputs, position).await
    }
}
