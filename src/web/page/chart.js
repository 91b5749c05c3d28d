// A line over time, with the span before it. Drawn as SVG; arrow keys walk along it.

const NS = "http://www.w3.org/2000/svg";
const HEIGHT = 280;
const TOP = 14;
const BOTTOM = 30;
const LABEL_WIDTH = 76;

function element(name, attributes = {}, text = "") {
  const made = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text) made.textContent = text;
  return made;
}

/** Round steps that cover `low` to `high`: 0, 20, 40, … */
function ticks(low, high, wanted = 4) {
  const span = Math.max(high - low, 1);
  const rough = span / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max([1, 2, 2.5, 5, 10].map((factor) => factor * power).find((each) => each >= rough), 1);
  const first = Math.floor(low / step);
  const last = Math.ceil(high / step);
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
}

/** A curve through the points that never swings above or below them. */
function curve(points) {
  if (points.length < 3) return points.map(([x, y], i) => `${i ? "L" : "M"}${x} ${y}`).join("");
  const slopes = points.map(([x, y], i) => {
    if (i === 0 || i === points.length - 1) return 0;
    const before = (y - points[i - 1][1]) / (x - points[i - 1][0]);
    const after = (points[i + 1][1] - y) / (points[i + 1][0] - x);
    return before * after <= 0 ? 0 : (2 * before * after) / (before + after);
  });
  let path = `M${points[0][0]} ${points[0][1]}`;
  for (let i = 1; i < points.length; i += 1) {
    const [[x0, y0], [x1, y1]] = [points[i - 1], points[i]];
    const third = (x1 - x0) / 3;
    const at = [x0 + third, y0 + slopes[i - 1] * third, x1 - third, y1 - slopes[i] * third, x1, y1];
    path += `C${at.map((each) => each.toFixed(2)).join(" ")}`;
  }
  return path;
}

export class Chart {
  /** Draws into `host`, which may change its width at any time. */
  constructor(host) {
    this.host = host;
    this.at = null;
    this.tip = document.createElement("div");
    this.tip.className = "tip";
    this.tip.hidden = true;
    this.svg = element("svg", { tabindex: "0", role: "img" });
    this.spoken = document.createElement("p");
    this.spoken.className = "hidden";
    this.spoken.setAttribute("aria-live", "polite");
    host.replaceChildren(this.svg, this.tip, this.spoken);
    new ResizeObserver(() => this.draw()).observe(host);
    this.svg.addEventListener("pointermove", (event) => this.point(event));
    this.svg.addEventListener("pointerdown", (event) => this.point(event));
    this.svg.addEventListener("pointerleave", () => this.mark(null));
    this.svg.addEventListener("blur", () => this.mark(null));
    this.svg.addEventListener("keydown", (event) => this.key(event));
  }

  /**
   * `values` and `before` (or null) with `labels` (on the axis; empty ones are left out), `names` (in full), a `format` for values and a
   * `short` one for the axis, whether the last one is `open`, and a `title` to be read out.
   */
  show(data) {
    this.data = data;
    if (this.at !== null && this.at >= data.values.length) this.at = null;
    this.draw();
  }

  draw() {
    const width = Math.floor(this.host.clientWidth);
    if (!this.data || width < 50) return;
    const { values, before, title } = this.data;
    this.svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    this.svg.setAttribute("width", width);
    this.svg.setAttribute("height", HEIGHT);
    this.svg.setAttribute("aria-label", `${title}. Use the arrow keys to read each point.`);
    const all = before ? values.concat(before) : values;
    const steps = ticks(Math.min(0, ...all), Math.max(...all, 0));
    const [low, high] = [steps[0], Math.max(steps[steps.length - 1], steps[0] + 1)];
    const left = Math.max(...steps.map((each) => this.data.short(each).length)) * 7 + 12;
    this.left = left;
    this.step = (width - left - 10) / Math.max(values.length - 1, 1);
    this.x = (i) => left + i * this.step;
    this.y = (value) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - (value - low) / (high - low));
    this.svg.replaceChildren(...this.gradient(), ...this.grid(steps, width), ...this.dates(width));
    this.lines();
    this.marker = element("g", { class: "marker" });
    this.svg.append(this.marker);
    this.mark(this.at);
  }

  gradient() {
    const defs = element("defs");
    const fade = element("linearGradient", { id: "fade", x1: 0, x2: 0, y1: 0, y2: 1 });
    fade.append(element("stop", { offset: "0", class: "fade-top" }), element("stop", { offset: "1", class: "fade-end" }));
    defs.append(fade);
    return [defs];
  }

  grid(steps, width) {
    return steps.flatMap((value) => [
      element("line", { x1: this.left, x2: width - 10, y1: this.y(value), y2: this.y(value), class: value === 0 ? "zero" : "rule" }),
      element("text", { x: this.left - 10, y: this.y(value) + 4, class: "label end" }, this.data.short(value)),
    ]);
  }

  dates(width) {
    const room = Math.max(Math.floor((width - this.left) / LABEL_WIDTH), 2);
    const named = this.data.labels.flatMap((label, i) => (label ? [i] : []));
    const every = Math.max(Math.ceil(named.length / room), 1);
    // Counted from the end, so that the newest is always named.
    return named.filter((_, place) => (named.length - 1 - place) % every === 0).flatMap((i) => {
      const x = this.x(i);
      if (x < this.left + 18 && named.length > 1) return [];
      const close = x > width - 34;
      const shown = { x: close ? width - 8 : x, y: HEIGHT - 8, class: close ? "label end" : "label middle" };
      return [element("text", shown, this.data.labels[i])];
    });
  }

  lines() {
    const { values, before } = this.data;
    const points = values.map((value, i) => [this.x(i), this.y(value)]);
    if (before) {
      const earlier = before.slice(0, values.length).map((value, i) => [this.x(i), this.y(value)]);
      this.svg.append(element("path", { d: curve(earlier), class: "before" }));
    }
    if (points.length === 1) {
      this.svg.append(element("circle", { cx: points[0][0], cy: points[0][1], r: 4, class: "dot" }));
      return;
    }
    const zero = this.y(0);
    const drawn = this.data.open && points.length > 2 ? `${curve(points.slice(0, -1))}L${points[points.length - 1].join(" ")}` : curve(points);
    const area = `${drawn}L${points[points.length - 1][0]} ${zero}L${points[0][0]} ${zero}Z`;
    this.svg.append(element("path", { d: area, class: "area" }));
    if (!this.data.open || points.length < 3) {
      this.svg.append(element("path", { d: curve(points), class: "now" }));
      return;
    }
    // The last bucket is not over: its line is only where it stands so far.
    const [done, far] = [points.slice(0, -1), points.slice(-2)];
    this.svg.append(
      element("path", { d: curve(done), class: "now" }),
      element("path", { d: curve(far), class: "now so-far" }),
    );
  }

  point(event) {
    const x = event.clientX - this.svg.getBoundingClientRect().left;
    const i = Math.round((x - this.left) / this.step);
    this.mark(Math.min(Math.max(i, 0), this.data.values.length - 1));
  }

  key(event) {
    const last = this.data.values.length - 1;
    const from = this.at ?? last + 1;
    const to = { ArrowLeft: from - 1, ArrowRight: (this.at ?? -1) + 1, Home: 0, End: last }[event.key];
    if (event.key === "Escape") this.mark(null);
    if (to === undefined) return;
    event.preventDefault();
    this.mark(Math.min(Math.max(to, 0), last));
    const { names, values, format } = this.data;
    this.spoken.textContent = `${names[this.at]}: ${format(values[this.at])}`;
  }

  /** Points at one bucket; `null` at none. */
  mark(i) {
    this.at = i;
    if (!this.marker) return;
    this.marker.replaceChildren();
    this.tip.hidden = i === null;
    if (i === null) return;
    const { values, before, names, format } = this.data;
    const [x, y] = [this.x(i), this.y(values[i])];
    this.marker.append(
      element("line", { x1: x, x2: x, y1: TOP, y2: HEIGHT - BOTTOM, class: "cross" }),
      element("circle", { cx: x, cy: y, r: 5, class: "dot" }),
    );
    const lines = [["when", names[i]], ["value", format(values[i])]];
    if (before && before[i] !== undefined) lines.push(["earlier", `before: ${format(before[i])}`]);
    this.tip.replaceChildren(...lines.map(([kind, text]) => {
      const line = document.createElement("span");
      line.className = kind;
      line.textContent = text;
      return line;
    }));
    const half = this.tip.offsetWidth / 2;
    const middle = Math.min(Math.max(x, half + 4), this.host.clientWidth - half - 4);
    this.tip.style.transform = `translate(${Math.round(middle - half)}px, ${Math.max(Math.round(y) - this.tip.offsetHeight - 14, -8)}px)`;
  }
}
