//! The texts of members: seldom asked for, never all of their length, and there are a million of them.
//!
//! Most fit a short record in RAM; those that do not stand in a file, and the short one says so.

use bytemuck::Zeroable;

use super::Turn;
use super::records::{LongProfile, MemberKey, ShortProfile, Text};
use super::state::{FOR_EVER, State};
use crate::ids::Millis;

/// What rarely changes of a member.
#[derive(Clone, Copy)]
pub struct Profile {
    pub joined_at: i64,
    pub id: Text,
    pub user_id: Text,
    pub username: Text,
    pub code: Text,
}

impl Profile {
    const fn texts(&self) -> [&Text; 4] {
        [&self.id, &self.user_id, &self.username, &self.code]
    }

    /// `None`: its texts are too long together.
    fn short(&self) -> Option<ShortProfile> {
        let mut short = ShortProfile { joined_at: self.joined_at, ..ShortProfile::zeroed() };
        let mut rest = short.bytes.as_mut_slice();
        for (text, len) in self.texts().into_iter().zip(&mut short.lens) {
            let bytes = text.as_str().as_bytes();
            let (place, behind) = rest.split_at_mut_checked(bytes.len())?;
            place.copy_from_slice(bytes);
            *len = u8::try_from(bytes.len()).ok()?;
            rest = behind;
        }
        Some(short)
    }
}

impl ShortProfile {
    /// The member's id, if it is here.
    pub(super) fn id(&self) -> Option<Text> {
        let [len, ..] = self.lens;
        let text = self.bytes.get(..usize::from(len)).filter(|_| self.is_long == 0)?;
        std::str::from_utf8(text).ok().map(Text::new)
    }

    fn long(&self) -> Profile {
        let mut rest = self.bytes.as_slice();
        let [id, user_id, username, code] = self.lens.map(|len| {
            let (text, behind) = rest.split_at_checked(usize::from(len)).unwrap_or_default();
            rest = behind;
            Text::new(std::str::from_utf8(text).unwrap_or_default())
        });
        Profile { joined_at: self.joined_at, id, user_id, username, code }
    }
}

impl State {
    pub fn profile(&self, key: MemberKey) -> Option<Profile> {
        let short = self.profiles.peek(&key, FOR_EVER)?;
        if short.is_long == 0 {
            return Some(short.long());
        }
        let LongProfile { id, user_id, username, code } = self.long_profiles.get(&key, FOR_EVER)?;
        Some(Profile { joined_at: short.joined_at, id, user_id, username, code })
    }

    fn put_profile(&mut self, key: MemberKey, profile: &Profile) {
        let short = profile.short().unwrap_or_else(|| {
            let Profile { joined_at, id, user_id, username, code } = *profile;
            self.long_profiles.put(&key, LongProfile { id, user_id, username, code }, Millis(0));
            ShortProfile { joined_at, is_long: 1, ..ShortProfile::zeroed() }
        });
        self.profiles.put(&key, short, Millis(0));
    }
}

impl Turn<'_> {
    pub(super) fn profile(&self, n: u32) -> Profile {
        self.reading().profile(n)
    }

    /// Changes a member's texts, or makes them; its row is marked.
    pub(super) fn change_profile(&mut self, n: u32, change: impl FnOnce(&mut Profile)) {
        self.member_mut(n);
        let mut profile = self.profile(n);
        change(&mut profile);
        self.state.put_profile(MemberKey { creator: self.c, n }, &profile);
    }
}

impl Profile {
    pub(super) fn empty() -> Self {
        let none = Text::zeroed();
        Self { joined_at: 0, id: none, user_id: none, username: none, code: none }
    }
}
