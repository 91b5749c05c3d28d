// The creator's page: asks the API, listens for changes, draws.

import { Chart } from "/assets/chart.js";
import {
  NeedsKey, listenTo, readBoard, readConversions, readCreators, readSpan, spanOf, takeKey, useKey,
} from "/assets/data.js";
import * as format from "/assets/format.js";
import * as draw from "/assets/draw.js";

const RANGES = [["24h", "24 h"], ["7d", "7 days"], ["30d", "30 days"], ["90d", "90 days"], ["all", "All"]];
const REFRESH_MS = 1_000;
const CREATORS_EVERY_MS = 3_000;

const find = (id) => document.getElementById(id);
const asked = new URLSearchParams(location.search);
const state = {
  creators: [],
  creator: asked.get("creator"),
  range: RANGES.some(([range]) => range === asked.get("range")) ? asked.get("range") : "30d",
  metric: asked.get("metric") ?? "revenue_net",
  board: "earnings",
  currency: null,
  head: null,
  span: null,
  meta: null,
};
const chart = new Chart(find("plot"));
let source = new AbortController();
let refreshing = false;
let dirty = false;
let refreshedAt = 0;

// ---- what is asked

async function start() {
  try {
    state.creators = await readCreators();
  } catch (problem) {
    if (problem instanceof NeedsKey) {
      askForKey(problem.message);
      return;
    }
    line("down", "Offline");
    banner(`${problem.message} Trying again.`);
    setTimeout(start, CREATORS_EVERY_MS);
    return;
  }
  banner(null);
  find("locked").hidden = true;
  if (state.creators.length === 0) {
    welcome();
    setTimeout(start, CREATORS_EVERY_MS);
    return;
  }
  find("welcome").hidden = true;
  document.body.dataset.state = "ready";
  const known = state.creators.some((each) => each.creator_id === state.creator);
  choose(known ? state.creator : busiest(state.creators).creator_id);
}

const busiest = (creators) =>
  creators.reduce((best, each) => (each.figures.counts.clicks_human > best.figures.counts.clicks_human ? each : best));

function choose(creator) {
  state.creator = creator;
  Object.assign(state, { head: null, span: null, currency: null });
  const head = state.creators.find((each) => each.creator_id === creator);
  draw.picker(find("picker"), find("creator"), state.creators, creator);
  if (head) show({ data: head, meta: null });
  find("dashboard").setAttribute("aria-busy", "true");
  remember();
  listen();
  refresh();
}

/** Asks for everything that the figures of all time do not tell. At most once a second, never twice at once. */
async function refresh() {
  if (refreshing) {
    dirty = true;
    return;
  }
  const wait = refreshedAt + REFRESH_MS - Date.now();
  if (wait > 0) {
    dirty = true;
    setTimeout(() => dirty && refresh(), wait);
    return;
  }
  [refreshing, dirty, refreshedAt] = [true, false, Date.now()];
  const { creator, range, board } = state;
  try {
    const span = spanOf(range, state.meta?.coverage_start);
    const [answer, ranked, latest] = await Promise.all([
      readSpan(creator, span), readBoard(creator, board), readConversions(creator),
    ]);
    if (creator === state.creator && range === state.range && board === state.board) {
      state.span = { ...answer, span };
      state.meta = answer.meta;
      drawSpan();
      draw.board(find("board"), find("board-empty"), ranked, digits());
      draw.latest(find("latest"), find("latest-empty"), latest, minorDigits);
      find("dashboard").setAttribute("aria-busy", "false");
      if (find("banner").dataset.kind === "read") banner(null);
    }
  } catch (problem) {
    if (problem instanceof NeedsKey) {
      refreshing = false;
      askForKey(problem.message);
      return;
    }
    banner(`${problem.message} The figures shown may be old.`, "read");
    setTimeout(refresh, 4 * REFRESH_MS);
  }
  refreshing = false;
  if (dirty) refresh();
}

/** Hears of changes, and connects again when the line breaks. */
async function listen() {
  source.abort();
  const mine = new AbortController();
  source = mine;
  line("wait", "Connecting");
  try {
    await listenTo(state.creator, mine.signal, (told) => {
      if (mine !== source) return;
      const first = state.head === null || state.meta === null;
      show(told);
      live(told.meta);
      if (first || told.series_complete) refresh();
    });
  } catch (problem) {
    if (mine === source && problem instanceof NeedsKey) {
      askForKey(problem.message);
      return;
    }
  }
  if (mine.signal.aborted || mine !== source) return;
  line("down", "Reconnecting");
  setTimeout(() => mine === source && !mine.signal.aborted && listen(), 2_000);
}

/** Nothing is shown without a key that may see it. */
function askForKey(why) {
  source.abort();
  document.body.dataset.state = "locked";
  line("wait", "No key");
  banner(null);
  find("locked-why").textContent = why;
  find("locked").hidden = false;
  find("key").focus();
}

function live(meta) {
  const behind = meta?.complete ? 0 : meta?.lag_ms ?? 0;
  if (find("banner").dataset.kind === "line") banner(null);
  if (behind > 5_000) line("late", `${format.count(behind / 1000)} s behind`);
  else line("live", "Live");
}

// ---- what is drawn

function show({ data, meta }) {
  state.head = data;
  state.meta = meta ?? state.meta;
  const held = data.figures.money.map((each) => each.currency);
  if (!held.includes(state.currency)) state.currency = held[0];
  document.title = `${data.name} · Tributary`;
  draw.heading(find("name"), find("about"), data, state.meta);
  draw.segments(find("currencies"), held.map((each) => [each, each]), state.currency, (currency) => {
    state.currency = currency;
    show({ data: state.head, meta: state.meta });
    drawSpan();
  });
  find("currencies").hidden = held.length < 2;
  draw.commissions(find("commission-total"), find("commission-stack"), find("commission-states"), moneyOf(data.figures));
  find("as-of").textContent = state.meta
    ? `As of position ${state.meta.as_of.position} · events up to ${format.since(data.clock, Date.now())} · UTC`
    : "";
}

function drawSpan() {
  if (!state.span) return;
  const { analytics, series, before, span } = state.span;
  const figures = draw.figuresOf(analytics, state.currency, digits());
  if (!figures.some((each) => each.metric === state.metric)) state.metric = figures[0].metric;
  // A span that history does not cover is nothing to compare with.
  const compared = before !== null && state.meta.coverage_start <= analytics.before.from;
  draw.figures(find("figures"), figures, state.metric, compared, (metric) => {
    state.metric = metric;
    remember();
    drawSpan();
  });
  const figure = figures.find((each) => each.metric === state.metric);
  const values = draw.valuesOf(series, state.metric, state.currency);
  const earlier = compared ? draw.valuesOf(before, state.metric, state.currency) : null;
  draw.series(chart, find("series-table"), { figure, series, values, earlier });
  draw.legend(find("legend"), span, earlier !== null);
  draw.emptyChart(find("chart-empty"), find("plot"), values.concat(earlier ?? []), state.head, () => range("all"));
  draw.funnel(find("funnel"), analytics.funnel);
}

const moneyOf = (figures) =>
  figures.money.find((each) => each.currency === state.currency) ?? figures.money[0];

/** Digits behind the point of a currency of this creator; 2 for those not met yet. */
const minorDigits = (currency) =>
  state.head?.figures.money.find((each) => each.currency === currency)?.minor_digits ?? 2;
const digits = () => minorDigits(state.currency);

function welcome() {
  document.body.dataset.state = "empty";
  find("welcome").hidden = false;
  line("wait", "No creator yet");
  const event = {
    type: "Creator", event_id: "hello-1", creator_id: "demo", occurred_at: new Date().toISOString(),
    name: "My programme", currency: "EUR", time_zone: "UTC",
  };
  const fields = JSON.stringify(event, null, 2);
  find("example").textContent =
    `curl ${location.origin}/v1/events \\\n  -H "authorization: Bearer $TRIBUTARY_KEY" \\\n` +
    `  -H 'content-type: application/json' \\\n  -d '${fields}'`;
}

function line(kind, text) {
  const shown = find("line");
  if (shown.dataset.line === kind && shown.lastElementChild.textContent === text) return;
  shown.dataset.line = kind;
  shown.lastElementChild.textContent = text;
  clearTimeout(line.timer);
  // A short break is nobody's business.
  if (kind === "down") {
    line.timer = setTimeout(() => banner("The connection is lost; the figures stand still until it is back.", "line"), 3_000);
  }
}

function banner(text, kind = "") {
  const shown = find("banner");
  shown.hidden = text === null;
  shown.textContent = text ?? "";
  shown.dataset.kind = kind;
}

// ---- what is chosen

function range(chosen) {
  state.range = chosen;
  remember();
  ranges();
  refreshedAt = 0;
  refresh();
}

const ranges = () => draw.segments(find("ranges"), RANGES, state.range, range);

function remember() {
  const query = new URLSearchParams({ creator: state.creator, range: state.range, metric: state.metric });
  history.replaceState(null, "", `/?${query}`);
}

find("creator").addEventListener("change", (event) => choose(event.target.value));
find("board-metric").addEventListener("change", (event) => {
  state.board = event.target.value;
  refreshedAt = 0;
  refresh();
});
find("theme").addEventListener("click", () => {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  try {
    localStorage.setItem("theme", root.dataset.theme);
  } catch {
    // It then holds for this visit only.
  }
});
find("copy").addEventListener("click", async (event) => {
  await navigator.clipboard.writeText(find("example").textContent);
  event.target.textContent = "Copied";
  setTimeout(() => { event.target.textContent = "Copy"; }, 2_000);
});
find("unlock").addEventListener("submit", (event) => {
  event.preventDefault();
  const given = find("key").value.trim();
  if (given === "") return;
  find("key").value = "";
  document.body.dataset.state = "loading";
  useKey(given);
  start();
});
// Somebody put another key into the address of this tab.
addEventListener("hashchange", () => {
  takeKey();
  start();
});
document.addEventListener("visibilitychange", () => {
  // A hidden page leaves its place to others.
  if (!state.creator || document.body.dataset.state !== "ready") return;
  if (document.hidden) source.abort();
  else listen();
});

takeKey();
ranges();
start();
