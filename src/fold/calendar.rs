//! Weeks and months of days since 1970, in integers: a click asks for both.

/// Weeks since the one that holds 1970-01-01; they begin on Monday.
pub const fn week_of(day: i32) -> i32 {
    // That day was a Thursday.
    (day + 3).div_euclid(7)
}

/// The Monday of a week.
pub const fn week_start(week: i32) -> i32 {
    week * 7 - 3
}

/// Months since year 0 of a day since 1970 (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
pub const fn month_of(day: i32) -> i32 {
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    // Years begin in March.
    let month = (5 * of_year + 2) / 153;
    (year_of_era + era * 400) * 12 + month + 2
}

/// The first day of a month.
pub const fn month_start(month: i32) -> i32 {
    let from_march = month - 2;
    let (year, month) = (from_march.div_euclid(12), from_march.rem_euclid(12));
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * month + 2) / 5;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year - 719_468
}

/// The month of a day as keys of rows have it; the first or last that they hold for a day beyond them.
pub fn key_month(day: i64) -> u16 {
    const HELD: (i64, i64) = (-719_000, 1_990_000);
    u16::try_from(month_of(i32::try_from(day.clamp(HELD.0, HELD.1)).unwrap_or_default())).unwrap_or_default()
}
