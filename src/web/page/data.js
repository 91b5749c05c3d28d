// Questions to the API, and the key that they carry.

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** A refusal that another key may turn into an answer. */
export class NeedsKey extends Error {}

// For this tab alone, and only as long as it is open: never in a cookie, which other sites could make it send.
let key = null;
try {
  key = sessionStorage.getItem("key");
} catch {
  // Storage may be forbidden: it then holds until the page is left.
}

export function useKey(given) {
  key = given;
  try {
    sessionStorage.setItem("key", given);
  } catch {
    // It then holds until the page is left.
  }
}

/** Takes `#key=…` out of the address: what stands behind a # is sent to nobody, and must not stay for others to see. */
export function takeKey() {
  const given = new URLSearchParams(location.hash.slice(1)).get("key");
  if (given === null) return;
  useKey(given);
  history.replaceState(null, "", location.pathname + location.search);
}

async function open(path, accept, signal) {
  const headers = { accept };
  if (key) headers.authorization = `Bearer ${key}`;
  let answer;
  try {
    answer = await fetch(path, { headers, signal });
  } catch {
    throw new Error("The server cannot be reached.");
  }
  if (answer.ok) return answer;
  const problem = await answer.json().catch(() => null);
  const said = problem ? `${problem.title}.` : `The server answered ${answer.status}.`;
  throw answer.status === 401 || answer.status === 403 ? new NeedsKey(said) : new Error(said);
}

async function ask(path, parameters = {}) {
  const query = new URLSearchParams(parameters).toString();
  return (await open(query ? `${path}?${query}` : path, "application/json")).json();
}

/**
 * Hands on the data of each server-sent event until the stream ends or `signal` says so. The browser's own EventSource
 * cannot send the key.
 */
export async function listenTo(creator, signal, told) {
  const answer = await open(of(creator, "live"), "text/event-stream", signal);
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let rest = ""; ; ) {
    const { value, done } = await reader.read();
    if (done) return;
    const events = (rest + value).split("\n\n");
    rest = events.pop();
    for (const event of events) {
      const data = event.split("\n").filter((line) => line.startsWith("data: ")).map((line) => line.slice(6));
      if (data.length > 0) told(JSON.parse(data.join("\n")));
    }
  }
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
