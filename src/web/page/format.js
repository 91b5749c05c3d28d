// Figures, money and times as people read them. The reader's own language decides the signs.

const languages = navigator.languages?.length ? navigator.languages : ["en"];
const whole = new Intl.NumberFormat(languages, { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat(languages, { notation: "compact", maximumFractionDigits: 1 });
const part = new Intl.NumberFormat(languages, { style: "percent", maximumFractionDigits: 1 });
const changed = new Intl.NumberFormat(languages, {
  style: "percent", maximumFractionDigits: 1, signDisplay: "exceptZero",
});
const ago = new Intl.RelativeTimeFormat(languages, { numeric: "auto", style: "short" });
const moneyFormats = new Map();

/** Amounts are in minor units; `digits` stand behind the point (0 for yen, 3 for dinars). */
export function money(minor, currency, digits, style = "full") {
  const key = `${currency} ${digits} ${style}`;
  let format = moneyFormats.get(key);
  if (!format) {
    const shown = style === "short"
      ? { notation: "compact", maximumFractionDigits: 1 }
      : { minimumFractionDigits: digits, maximumFractionDigits: digits };
    format = new Intl.NumberFormat(languages, {
      style: "currency", currency, currencyDisplay: "narrowSymbol", ...shown,
    });
    moneyFormats.set(key, format);
  }
  return format.format(minor / 10 ** digits);
}

export const count = (value) => whole.format(value);
export const compact = (value) => (Math.abs(value) < 10_000 ? whole.format(value) : short.format(value));
export const percent = (value) => part.format(value);

/** What became of a figure: `+12 %`, `new` where there was none before, `–` where there is nothing to compare. */
export function change(ratio, now) {
  if (ratio === null || ratio === undefined) {
    return now > 0 ? { text: "new", direction: "up" } : { text: "–", direction: "flat" };
  }
  const difference = ratio - 1;
  if (Math.abs(difference) < 0.0005) return { text: "±0 %", direction: "flat" };
  const text = difference > 9.99 ? `×${short.format(ratio)}` : changed.format(difference);
  return { text, direction: difference > 0 ? "up" : "down" };
}

const utc = (options) => new Intl.DateTimeFormat(languages, { timeZone: "UTC", ...options });
const hourOf = utc({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const dayOf = utc({ day: "numeric", month: "short" });
const weekdayOf = utc({ weekday: "short", day: "numeric", month: "short" });
const monthOf = utc({ month: "short", year: "2-digit" });
const dateOf = utc({ day: "numeric", month: "short", year: "numeric" });

export const date = (time) => dateOf.format(new Date(time));

/** The start of a bucket, on the axis and in full. */
export function bucket(time, interval, long = false) {
  const at = new Date(time);
  if (interval === "month") return long ? utc({ month: "long", year: "numeric" }).format(at) : monthOf.format(at);
  if (interval === "day") return long ? weekdayOf.format(at) : dayOf.format(at);
  return long ? `${weekdayOf.format(at)}, ${hourOf.format(at)}` : hourOf.format(at);
}

export const axisDay = (time) => dayOf.format(new Date(time));

/** `3 min. ago`; a date once it is long ago. */
export function since(time, now) {
  const seconds = Math.round((new Date(time) - now) / 1000);
  const units = [["day", 86_400], ["hour", 3_600], ["minute", 60]];
  if (seconds > -10) return "just now";
  if (seconds < -30 * 86_400) return date(time);
  for (const [unit, length] of units) {
    if (-seconds >= length) return ago.format(Math.round(seconds / length), unit);
  }
  return ago.format(seconds, "second");
}

/** Two letters for a face. */
export function initials(name) {
  const words = name.split(/[\s._-]+/).filter(Boolean);
  const letters = words.length > 1 ? words[0][0] + words[1][0] : [...name].slice(0, 2).join("");
  return letters.toUpperCase();
}
