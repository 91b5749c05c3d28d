// Puts figures into the page. Texts only, never markup: names come from outside.

import * as format from "/assets/format.js";

/** A node with a class, text or children. */
function node(name, kind = "", ...children) {
  const made = document.createElement(name);
  if (kind) made.className = kind;
  made.append(...children.filter((child) => child !== null));
  return made;
}

const calm = matchMedia("(prefers-reduced-motion: reduce)");

/** Lets a number run from what it shows to `value`. */
function run(shown, value, write) {
  const from = shown.value ?? value;
  shown.value = value;
  if (from === value || calm.matches || document.hidden) {
    shown.textContent = write(value);
    return;
  }
  const begun = performance.now();
  const step = (now) => {
    if (shown.value !== value) return;
    // A frame may have begun before the change.
    const part = Math.min(Math.max(now - begun, 0) / 600, 1);
    const eased = 1 - (1 - part) ** 3;
    shown.textContent = write(part === 1 ? value : Math.round(from + (value - from) * eased));
    if (part < 1) requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
}

export function picker(label, select, creators, chosen) {
  label.hidden = creators.length < 2;
  select.replaceChildren(...creators.map((each) => {
    const option = node("option", "", each.name || each.creator_id);
    option.value = each.creator_id;
    option.selected = each.creator_id === chosen;
    return option;
  }));
}

/** A row of buttons of which one is pressed. */
export function segments(host, choices, chosen, pick) {
  host.replaceChildren(...choices.map(([value, label]) => {
    const button = node("button", "", label);
    button.type = "button";
    button.setAttribute("aria-pressed", value === chosen);
    button.addEventListener("click", () => {
      pick(value);
      [...host.children].find((each) => each.textContent === label)?.focus();
    });
    return button;
  }));
}

export function heading(name, about, head, meta) {
  name.textContent = head.name || head.creator_id;
  const members = `${format.count(head.members_active)} active ${head.members_active === 1 ? "member" : "members"}`;
  const since = meta?.coverage_start ? ` · since ${format.date(meta.coverage_start)}` : "";
  about.textContent = `${members}${since}`;
}

/** The figures that can be drawn, of one currency. */
export function figuresOf(analytics, currency, digits) {
  const moneyIn = (list) => list.find((each) => each.currency === currency);
  const [now, growth] = [analytics.figures, analytics.growth];
  const amount = (metric, label) => ({
    metric, label,
    value: moneyIn(now.money)?.[metric] ?? 0,
    ratio: moneyIn(growth.money)?.[metric] ?? null,
    write: (value) => format.money(value, currency, digits),
    short: (value) => format.money(value, currency, digits, "short"),
  });
  const number = (metric, label, note = null) => ({
    metric, label, note,
    value: now.counts[metric],
    ratio: growth.counts[metric],
    write: format.count,
    short: format.compact,
  });
  const rate = now.rates.conversion_rate;
  return [
    amount("revenue_net", "Revenue"),
    amount("commission_net", "Commission"),
    number("orders", "Orders"),
    number("customers", "Customers", rate === null ? null : `${format.percent(rate)} of clicks`),
    number("signups", "Signups"),
    number("clicks_human", "Clicks"),
  ];
}

/** The figures as buttons; kept from time to time so that their numbers can run. */
export function figures(host, list, chosen, compared, pick) {
  if (host.children.length !== list.length) {
    host.replaceChildren(...list.map(() => {
      const button = node("button", "figure", node("span", "name"), node("span", "value"), node("span", "change"));
      button.type = "button";
      return button;
    }));
  }
  list.forEach((figure, i) => {
    const button = host.children[i];
    const [name, value, change] = button.children;
    name.textContent = figure.label;
    if (value.dataset.metric !== figure.write(0)) value.value = undefined;
    value.dataset.metric = figure.write(0);
    run(value, figure.value, figure.write);
    const { text, direction } = compared ? format.change(figure.ratio, figure.value) : { text: "", direction: "flat" };
    change.dataset.direction = direction;
    change.replaceChildren(...(text ? [node("b", "", text)] : []), ...(figure.note ? [node("span", "note", figure.note)] : []));
    change.title = compared ? "Against the equally long span before" : "There is no history of the span before";
    button.setAttribute("aria-pressed", figure.metric === chosen);
    button.onclick = () => pick(figure.metric);
  });
}

export function valuesOf(series, metric, currency) {
  const line = series.series.find((each) => each.metric === metric && (each.currency ?? currency) === currency);
  return line?.values ?? series.starts.map(() => 0);
}

export function series(chart, table, { figure, series: { starts, interval, to: end }, values, earlier }) {
  const sum = values.reduce((all, each) => all + each, 0);
  const span = `${format.bucket(starts[0], interval, true)} to ${format.bucket(starts[starts.length - 1], interval, true)}`;
  const manyHours = interval === "hour" && starts.length > 30;
  chart.show({
    values,
    before: earlier,
    labels: starts.map((at) => (!manyHours ? format.bucket(at, interval) : at.includes("T00:") ? format.axisDay(at) : "")),
    names: starts.map((at) => format.bucket(at, interval, true)),
    format: figure.write,
    short: figure.short,
    open: Date.parse(end) > Date.now() - 60_000,
    title: `${figure.label} by ${interval}, ${span}: ${figure.write(sum)} in all`,
  });
  const rows = starts.map((at, i) => node("tr", "",
    node("th", "", format.bucket(at, interval, true)),
    node("td", "number", figure.write(values[i])),
    earlier ? node("td", "number quiet", figure.write(earlier[i] ?? 0)) : null));
  rows.forEach((row) => { row.firstChild.scope = "row"; });
  const titles = ["When (UTC)", figure.label, ...(earlier ? ["Before"] : [])];
  const head = node("tr", "", ...titles.map((title, i) => node("th", i ? "number" : "", title)));
  table.replaceChildren(node("thead", "", head), node("tbody", "", ...rows.reverse()));
}

const SPANS = { "24h": "Last 24 hours", "7d": "Last 7 days", "30d": "Last 30 days", "90d": "Last 90 days", all: "All time" };

export function legend(host, span, compared) {
  const entries = [node("span", "key-now", SPANS[span.range])];
  if (compared) entries.push(node("span", "key-before", "The span before"));
  host.replaceChildren(...entries);
}

export function emptyChart(empty, plot, values, head, showAll) {
  const nothing = values.every((value) => value === 0);
  plot.classList.toggle("faint", nothing);
  empty.hidden = !nothing;
  if (!nothing) return;
  const button = node("button", "", "Show all time");
  button.type = "button";
  button.addEventListener("click", showAll);
  empty.replaceChildren(`Nothing moved in this span. The newest event is of ${format.date(head.clock)}. `, button);
}

const STAGES = { shares: "Shares", clicks_human: "Clicks", clicks_unique: "Unique clicks", signups: "Signups", customers: "Customers" };

export function funnel(host, stages) {
  const most = Math.max(...stages.map((stage) => stage.count), 1);
  if (host.children.length !== stages.length) {
    host.replaceChildren(...stages.map(() => node("li", "",
      node("span", "name"), node("span", "bar", node("i")), node("span", "value"), node("span", "rate"))));
  }
  stages.forEach((stage, i) => {
    const [name, bar, value, rate] = host.children[i].children;
    name.textContent = STAGES[stage.stage];
    bar.firstChild.style.width = `${Math.max((stage.count / most) * 100, stage.count > 0 ? 1 : 0)}%`;
    run(value, stage.count, format.count);
    // More clicks than shares is no share of anything.
    const shown = stage.of_previous === null || i === 0 ? ""
      : stage.of_previous > 1 ? `×${stage.of_previous.toFixed(1)}` : format.percent(stage.of_previous);
    rate.textContent = shown;
    rate.title = shown ? `of ${STAGES[stages[i - 1].stage].toLowerCase()}` : "";
  });
}

/** A colour of their own for everybody, the same every time. */
function face(member) {
  const name = member.username || member.member_id;
  let hash = 0;
  for (const letter of member.member_id) hash = (hash * 31 + letter.codePointAt(0)) % 65_521;
  const made = node("span", "face", format.initials(name));
  made.style.setProperty("--hue", (hash * 137) % 360);
  made.setAttribute("aria-hidden", "true");
  return made;
}

export function board(host, empty, { entries, currency, ranked }, digits) {
  empty.hidden = entries.length > 0;
  empty.textContent = "Nobody is above zero yet. The first credited sale opens the board.";
  const most = Math.max(...entries.map((entry) => entry.value), 1);
  const before = new Map([...host.children].map((row) => [row.dataset.member, row]));
  host.replaceChildren(...entries.map((entry) => {
    const id = entry.member.member_id;
    const row = before.get(id) ?? node("li", "", node("span", "rank"), face(entry.member),
      node("span", "who", node("b"), node("small")), node("span", "value"), node("span", "bar", node("i")));
    row.dataset.member = id;
    const [rank, , who, value, bar] = row.children;
    rank.textContent = entry.rank;
    rank.title = entry.tied > 1 ? `shared by ${entry.tied}` : `of ${ranked}`;
    who.firstChild.textContent = entry.member.username || id;
    const code = entry.member.referral_code ?? id;
    who.lastChild.textContent = code === who.firstChild.textContent ? id : code;
    const write = currency ? (each) => format.money(each, currency, digits) : format.count;
    if (value.dataset.unit !== (currency ?? "")) value.value = undefined;
    value.dataset.unit = currency ?? "";
    run(value, entry.value, write);
    bar.firstChild.style.width = `${(entry.value / most) * 100}%`;
    return row;
  }));
}

const STATES = [
  ["commission_paid", "Paid"], ["commission_approved", "Approved"], ["commission_held", "On hold"],
];

export function commissions(total, stack, states, figures) {
  const write = (value) => format.money(value, figures.currency, figures.minor_digits);
  if (total.dataset.currency !== figures.currency) total.value = undefined;
  total.dataset.currency = figures.currency;
  run(total, figures.commission_net, write);
  const positive = STATES.map(([metric]) => Math.max(figures[metric], 0));
  const all = positive.reduce((sum, each) => sum + each, 0);
  if (stack.children.length === 0) stack.append(...STATES.map(([metric]) => node("i", metric)));
  stack.classList.toggle("none", all === 0);
  [...stack.children].forEach((part, i) => { part.style.width = `${all ? (positive[i] / all) * 100 : 0}%`; });
  const listed = [...STATES];
  if (figures.commission_carry !== 0) listed.push(["commission_carry", figures.commission_carry < 0 ? "Owed back" : "Carried"]);
  listed.push(["commission_reversed", "Reversed"]);
  states.replaceChildren(...listed.flatMap(([metric, label]) => [
    node("dt", metric, label), node("dd", "", write(figures[metric])),
  ]));
}

const KINDS = {
  signup: "Signup", purchase: "Purchase", renewal: "Renewal", refund: "Refund", chargeback: "Chargeback",
  chargeback_reversed: "Chargeback won",
};
const TAKES = new Set(["refund", "chargeback"]);

export function latest(host, empty, rows, digits) {
  empty.hidden = rows.length > 0;
  empty.textContent = "No conversion yet.";
  host.closest("table").hidden = rows.length === 0;
  const now = Date.now();
  host.replaceChildren(...rows.map((row) => {
    const when = node("time", "", format.since(row.converted_at, now));
    when.dateTime = row.converted_at;
    when.title = row.converted_at;
    const takes = TAKES.has(row.kind);
    const amount = row.kind === "signup" && row.amount === 0 ? "–"
      : format.money(takes ? -Math.abs(row.amount) : row.amount, row.currency, digits(row.currency));
    // What takes money back is credited to nobody: its order is.
    const nobody = row.credit === "waiting" ? "waiting" : row.credit === "not_applicable" ? "–" : "nobody";
    const credited = row.member_id ?? nobody;
    const who = node("td", row.member_id ? "" : "quiet", credited);
    who.title = row.credit.replaceAll("_", " ");
    return node("tr", "", node("td", "quiet", when), node("td", "", node("span", `badge ${row.kind}`, KINDS[row.kind] ?? row.kind)),
      node("td", "wide quiet", row.customer_id ?? "–"), node("td", "wide quiet", row.plan ?? "–"),
      who, node("td", `number${takes ? " taken" : ""}`, amount));
  }));
}
