//! The same boards from a list of all bookings, by sorting everybody.

use std::collections::{BTreeMap, HashMap};

use tributary::fold::boards::{Metric, Window};

/// One booking: whose, of what, on which local day, how much, when.
#[derive(Debug, Clone, Copy)]
pub struct Booking {
    pub n: u32,
    pub metric: Metric,
    pub day: i32,
    pub by: i64,
    pub t: i64,
}

#[derive(Default)]
pub struct Oracle {
    bookings: Vec<Booking>,
    pub off: HashMap<u32, bool>,
}

impl Oracle {
    pub fn book(&mut self, booking: Booking) {
        self.bookings.push(booking);
    }

    /// Value down, reached up, then who joined first: (value, reached, n).
    pub fn board(&self, metric: Metric, days: impl Fn(i32) -> bool) -> Vec<(i64, i64, u32)> {
        let mut held: BTreeMap<u32, (i64, i64)> = BTreeMap::new();
        for booking in self.bookings.iter().filter(|booking| booking.metric == metric && days(booking.day)) {
            let (value, reached) = held.entry(booking.n).or_default();
            *value += booking.by;
            *reached = booking.t.max(*reached);
        }
        let on = held.into_iter().filter(|(n, (value, _))| *value > 0 && !self.off.get(n).copied().unwrap_or_default());
        let mut board: Vec<(i64, i64, u32)> = on.map(|(n, (value, reached))| (value, reached, n)).collect();
        board.sort_by_key(|(value, reached, n)| (-value, *reached, *n));
        board
    }
}

/// Whether a day is in a window, told from dates alone.
pub fn is_in(window: Window, today: i32, back: i32, day: i32) -> bool {
    let date = |day: i32| jiff::civil::date(1970, 1, 1) + jiff::Span::new().days(day);
    match window {
        Window::All => true,
        Window::Day => day == today - back,
        Window::Week => {
            let monday = |day: i32| day - i32::from(date(day).weekday().to_monday_zero_offset());
            monday(day) == monday(today) - 7 * back
        }
        Window::Month => {
            let first = date(today).first_of_month() - jiff::Span::new().months(back);
            date(day).first_of_month() == first
        }
        Window::Rolling7 => (today - 7..today).contains(&day),
        Window::Rolling30 => (today - 30..today).contains(&day),
    }
}
