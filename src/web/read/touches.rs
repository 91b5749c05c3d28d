//! A member's clicks and shares one by one, newest first in the order of the log.

use serde::Serialize;

use super::members::member_row;
use super::{At, Page, Stamp};
use crate::fold::touches::{Disposition, PAGE};
use crate::project::lists::{Touch, TouchRow};
use crate::project::tables;
use crate::store::Store;
use crate::web::problem::Problem;
use crate::web::query::{Query, cursor, malformed_cursor, read_cursor};
use crate::web::reply::{self, Reply};

/// Pages read for one answer: a member's touches may lie among many others'.
const PAGES_MAX: usize = 1_000;

#[derive(Serialize)]
struct Click {
    click_id: String,
    clicked_at: Stamp,
    /// From then on it is forgotten.
    expires_at: Stamp,
    /// countable, excluded_bot, excluded_duplicate.
    disposition: &'static str,
    platform: Option<String>,
    share_id: Option<String>,
    template_id: Option<String>,
}

#[derive(Serialize)]
struct Share {
    share_id: String,
    shared_at: Stamp,
    expires_at: Stamp,
    platform: Option<String>,
    template_id: Option<String>,
}

fn given(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

impl From<Touch> for Click {
    fn from(touch: Touch) -> Self {
        Self {
            click_id: touch.id,
            clicked_at: Stamp(touch.t),
            expires_at: Stamp(touch.expires),
            disposition: touch.disposition.name(),
            platform: given(touch.platform),
            share_id: given(touch.share_id),
            template_id: given(touch.template),
        }
    }
}

impl From<Touch> for Share {
    fn from(touch: Touch) -> Self {
        Self {
            share_id: touch.id,
            shared_at: Stamp(touch.t),
            expires_at: Stamp(touch.expires),
            platform: given(touch.platform),
            template_id: given(touch.template),
        }
    }
}

pub(in crate::web) async fn clicks<S: Store>(at: &At<'_, S>, member: &str, query: &Query) -> Result<Reply, Problem> {
    list::<S, Click>(at, "clicks", member, query, |touch| touch.disposition != Disposition::Share).await
}

pub(in crate::web) async fn shares<S: Store>(at: &At<'_, S>, member: &str, query: &Query) -> Result<Reply, Problem> {
    list::<S, Share>(at, "shares", member, query, |touch| touch.disposition == Disposition::Share).await
}

async fn list<S: Store, T: From<Touch> + Serialize>(
    at: &At<'_, S>,
    list: &str,
    member: &str,
    query: &Query,
    is_wanted: fn(&Touch) -> bool,
) -> Result<Reply, Problem> {
    let limit = query.limit(50, 1_000)?;
    let (n, row) = member_row(at, member).await?;
    let start = match read_cursor::<1>(query, list)? {
        None => row.touch,
        Some([place]) => place.parse().map_err(|_| malformed_cursor())?,
    };
    let mut walk = Walk { at, n, next: start, page: None, pages: 0 };
    let mut data: Vec<T> = Vec::new();
    let mut next = None;
    while let Some(touch) = walk.back().await? {
        if walk.pages > PAGES_MAX {
            next = Some(cursor(list, &[&(touch.place + 1).to_string()]));
            break;
        }
        if !is_wanted(&touch) || touch.t < at.row.floor {
            continue;
        }
        if data.len() == limit {
            next = Some(cursor(list, &[&(touch.place + 1).to_string()]));
            break;
        }
        data.push(T::from(touch));
    }
    Ok(reply::json(&Page { data, next, meta: at.meta() }))
}

/// From a member's touch to the one before it.
struct Walk<'a, S> {
    at: &'a At<'a, S>,
    n: u32,
    /// The place that comes next, plus one; 0 ends it.
    next: u64,
    page: Option<(u64, TouchRow)>,
    pages: usize,
}

impl<S: Store> Walk<'_, S> {
    /// `None`: there is no older one, or it is forgotten.
    async fn back(&mut self) -> Result<Option<Touch>, Problem> {
        let Some(place) = self.next.checked_sub(1) else { return Ok(None) };
        self.load(place / PAGE).await?;
        let Some((_, page)) = &self.page else { return Ok(None) };
        let Some(touch) = page.touches.iter().find(|touch| touch.place == place) else { return Ok(None) };
        if touch.n != self.n {
            // Only a cursor that was not given out for this member leads here.
            return Err(malformed_cursor());
        }
        self.next = touch.prev;
        Ok(Some(touch.clone()))
    }

    async fn load(&mut self, page: u64) -> Result<(), Problem> {
        if self.page.as_ref().is_some_and(|(loaded, _)| *loaded == page) {
            return Ok(());
        }
        self.pages += 1;
        let rows = self.at.store.get(&[tables::touch(self.at.p, &self.at.id, page)]).await?;
        let row = rows.into_iter().flatten().next();
        let row = row.filter(|row| row.expires.is_none_or(|expires| expires > self.at.row.watermark()));
        self.page = match row.and_then(|row| row.value) {
            Some(bytes) => Some((page, TouchRow::decode(&bytes)?)),
            None => None,
        };
        Ok(())
    }
}
