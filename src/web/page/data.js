// Questions to the API.

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

async function ask(path, parameters = {}) {
  const query = new URLSearchParams(parameters).toString();
  let answer;
  try {
    answer = await fetch(query ? `${path}?${query}` : path, { headers: { accept: "application/json" } });
  } catch {
    throw new Error("The server cannot be reached.");
  }
  const body = await answer.json().catch(() => null);
  if (!answer.ok) throw new Error(body ? `${body.title}.` : `The server answered ${answer.status}.`);
  return body;
}

const of = (creator, rest) => `/v1/creators/${encodeURIComponent(creator)}/${rest}`;

/** Up to a thousand, by name. */
export async function readCreators() {
  const { data } = await ask("/v1/creators", { limit: 1000 });
  return data.sort((a, b) => a.name.localeCompare(b.name));
}

/** Where a span begins and ends, its buckets, and how far back the span before it lies (`null`: nothing before). */
export function spanOf(range, coverage) {
  const now = Date.now();
  const to = (Math.floor(now / HOUR) + 1) * HOUR;
  const today = Math.floor(now / DAY) * DAY;
  if (range === "24h") return { range, from: to - DAY, to, interval: "hour", back: DAY };
  if (range === "7d") return { range, from: to - 7 * DAY, to, interval: "hour", back: 7 * DAY };
  if (range === "30d") return { range, from: today - 29 * DAY, to, interval: "day", back: 30 * DAY };
  if (range === "90d") return { range, from: today - 89 * DAY, to, interval: "day", back: 90 * DAY };
  const first = Math.floor((coverage ? Date.parse(coverage) : now - 30 * DAY) / DAY) * DAY;
  const from = Math.max(Math.min(first, today - DAY), today - 730 * DAY);
  return { range, from, to, interval: to - from > 200 * DAY ? "month" : "day", back: null };
}

const METRICS = "revenue_net,commission_net,orders,customers,signups,clicks_human";

/** The totals of a span with their growth, its series, and the series of the span before. */
export async function readSpan(creator, { from, to, interval, back }) {
  const series = (start, end) => ask(of(creator, "timeseries"), { from: start, to: end, interval, metric: METRICS, tz: "UTC" });
  const [analytics, now, before] = await Promise.all([
    ask(of(creator, "analytics"), { from, to, tz: "UTC" }),
    series(from, to),
    back === null ? null : series(from - back, to - back),
  ]);
  return { analytics: analytics.data, series: now.data, before: before?.data ?? null, meta: analytics.meta };
}

export const readBoard = async (creator, metric) =>
  (await ask(of(creator, "leaderboard"), { metric, limit: 8 })).data;

export const readConversions = async (creator) => (await ask(of(creator, "conversions"), { limit: 8 })).data;
