//! Who converted, as far as tokens tell.

use super::What;
use crate::event::Conversion as Stated;
use crate::fold::Turn;
use crate::fold::records::{Actor, Conversion, NO_ID, NONE};
use crate::fold::state::FOR_EVER;
use crate::keep::Id128;

impl Turn<'_> {
    /// Keeps the tokens of a sale or signup until its credit is settled, and for its commissions.
    pub(in crate::fold) fn keep_actor(&mut self, id: Id128, record: &Conversion, stated: &Stated<'_>) {
        let actor = Actor {
            ip: self.token(What::Ip, stated.ip_token),
            device: self.token(What::Device, stated.device_token),
            email: self.token(What::Email, stated.email_token),
            payment: self.token(What::Payment, stated.payment_token),
            user: self.reading().user(stated.user_id),
        };
        self.tag(actor.ip, actor.device);
        if actor == Actor::NOBODY {
            return;
        }
        self.state.actors.put(&id, actor, self.t);
        for token in actor.tokens() {
            self.use_token(token, record.customer);
        }
    }

    pub(in crate::fold) fn actor(&self, conversion: Id128) -> Actor {
        self.state.actors.get(&conversion, FOR_EVER).unwrap_or(Actor::NOBODY)
    }

    /// The customer is forgotten (SEMANTICS §12).
    pub(in crate::fold) fn forget_actor(&mut self, conversion: Id128, customer: Id128) {
        let actor = self.actor(conversion);
        for token in actor.tokens() {
            self.leave_token(token, customer);
        }
        let n = self.conversion_at(conversion).n;
        if n != NONE {
            self.forget_customer(n, customer, &actor);
        }
        self.state.actors.remove(&conversion);
    }
}

impl Actor {
    pub(in crate::fold) const NOBODY: Self =
        Self { ip: NO_ID, device: NO_ID, email: NO_ID, payment: NO_ID, user: NO_ID };

    pub(in crate::fold) fn tokens(&self) -> impl Iterator<Item = Id128> + use<> {
        [self.ip, self.device, self.email, self.payment].into_iter().filter(|token| *token != NO_ID)
    }
}
