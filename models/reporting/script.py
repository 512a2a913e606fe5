"""The script of reports: sortable tables, and charts to zoom into and to ask what a point is.

Without it a page shows all the same. It fetches nothing and stores nothing.
"""

SCRIPT = r"""
"use strict";
(() => {
const SIDE = 10000, NEAR = 30, SMALL = 12;
const make = (tag, attributes = {}, text = "") => {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.textContent = text;
  return made;
};

// Tables: a click on a heading sorts; rows that belong together (a tbody) stay together.
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = make("button", {type: "button"}, head.textContent);
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach(other => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const key = body => {
        const cell = body.rows[0].cells[column];
        return cell.dataset.v === undefined ? cell.textContent : Number(cell.dataset.v);
      };
      const missing = value => value === "-" || value === "undefined" || value === "";
      const sorted = [...table.tBodies].map(body => [key(body), body]).sort(([a], [b]) => {
        if (missing(a) || missing(b)) return missing(a) - missing(b);
        const order = typeof a === "number" && typeof b === "number"
          ? a - b : String(a).localeCompare(String(b), "en", {numeric: true});
        return down ? -order : order;
      });
      table.append(...sorted.map(([, body]) => body));
    });
  });
}

// Charts.
const shown = value => {
  if (value === 0) return "0";
  const text = Number(value.toPrecision(Math.abs(value) < 1e4 ? 4 : 5));
  return Math.abs(text) >= 1e5 || Math.abs(text) < 1e-4 ? text.toExponential() : String(text);
};
const axisOf = (figure, name) => {
  const box = figure.querySelector(`.${name}ticks`);
  const [low, high, kind] = box.dataset.range.split(" ");
  const log = kind === "log", level = log ? Math.log10 : Number;
  const ends = [level(Number(low)), level(Number(high))];
  const names = box.dataset.names ? JSON.parse(box.dataset.names) : null;
  const value = place => {
    const at = ends[0] + place / SIDE * (ends[1] - ends[0]);
    return log ? 10 ** at : at;
  };
  const place = given => (level(given) - ends[0]) / (ends[1] - ends[0]) * SIDE;
  const text = at => names ? names[Math.round(value(at))] ?? "" : shown(value(at));
  const ticks = (from, to) => {
    const [a, b] = [value(from), value(to)].sort((one, other) => one - other);
    if (names) return names.map((_, k) => k).filter(k => a <= k && k <= b);
    if (log) {
      const decades = Math.log10(b / a), parts = decades < 1.5 ? [1, 2, 5] : [1];
      const every = Math.max(1, Math.ceil(decades / 6)), found = [];
      for (let p = Math.floor(Math.log10(a)); p <= Math.ceil(Math.log10(b)); p++)
        if (p % every === 0) for (const k of parts) {
          const tick = k * 10 ** p;
          if (a <= tick && tick <= b) found.push(tick);
        }
      if (found.length > 1) return found;
    }
    const rough = Math.max((b - a) / 6, kind === "whole" ? 1 : 0);
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map(k => k * power).find(s => s >= rough * (1 - 1e-9));
    const found = [];
    for (let k = Math.ceil(a / step - 1e-9); k * step <= b + step * 1e-9; k++) found.push(k * step);
    return found;
  };
  return {box, names, value, place, text, ticks, label: box.dataset.label};
};
const pointsOf = path => {
  const points = [], bars = path.dataset.kind === "bars";
  const names = path.dataset.points ? JSON.parse(path.dataset.points) : [];
  let x = 0, y = 0;
  for (const [, verb, a, b] of path.getAttribute("d").matchAll(/([MmlhV])(-?\d+)(?:,(-?\d+))?/g)) {
    if (verb === "M") [x, y] = [Number(a), Number(b)];
    else if (verb === "V") y = Number(a);
    else if (verb !== "h") [x, y] = [x + Number(a), y + Number(b)];
    if (verb === "h" || (bars && verb === "M")) continue;
    points.push({x, y, name: names[points.length] ?? "", series: path.dataset.name ?? ""});
  }
  return points;
};

for (const figure of document.querySelectorAll("figure.chart")) {
  const plot = figure.querySelector(".plot"), svg = plot.querySelector("svg");
  const x = axisOf(figure, "x"), y = axisOf(figure, "y"), grid = svg.querySelector(".grid");
  const series = [...svg.querySelectorAll("path[data-kind]")].map(pointsOf).filter(p => p.length);
  const tip = make("div", {class: "tip", hidden: ""});
  const ring = make("div", {class: "ring", hidden: ""});
  const box = make("div", {class: "box", hidden: ""});
  const said = make("p", {class: "said", "aria-live": "polite"});
  const bar = make("div", {class: "tools"});
  const all = () => ({x0: 0, x1: SIDE, y0: 0, y1: SIDE});
  let view = all(), at = null, start = null;

  const draw = () => {
    const width = view.x1 - view.x0, height = view.y1 - view.y0;
    svg.setAttribute("viewBox", `${view.x0} ${view.y0} ${width} ${height}`);
    let lines = "";
    x.box.replaceChildren(...x.ticks(view.x0, view.x1).map(value => {
      const place = x.place(value);
      if (!x.names) lines += `M${place.toFixed(1)},0V${SIDE}`;
      const tick = make("span", {}, x.names ? x.names[value] : shown(value));
      tick.style.left = `${(place - view.x0) / width * 100}%`;
      return tick;
    }));
    y.box.replaceChildren(...y.ticks(SIDE - view.y1, SIDE - view.y0).map(value => {
      const place = SIDE - y.place(value);
      if (!y.names) lines += `M0,${place.toFixed(1)}H${SIDE}`;
      const tick = make("span", {}, y.names ? y.names[value] : shown(value));
      tick.style.top = `${(place - view.y0) / height * 100}%`;
      return tick;
    }));
    grid.setAttribute("d", lines);
    const whole = width >= SIDE && height >= SIDE;
    figure.toggleAttribute("data-zoomed", !whole);
    reset.disabled = whole;
    forget();
  };
  const zoom = (next, speak = true) => {
    const least = SIDE / 2000;
    if (next.x1 - next.x0 < least || next.y1 - next.y0 < least) return;
    view = {x0: Math.max(0, next.x0), x1: Math.min(SIDE, next.x1),
            y0: Math.max(0, next.y0), y1: Math.min(SIDE, next.y1)};
    draw();
    if (speak) said.textContent = `${x.label} from ${x.text(view.x0)} to ${x.text(view.x1)}; ` +
      `${y.label} from ${y.text(SIDE - view.y1)} to ${y.text(SIDE - view.y0)}`;
  };
  const around = (factor, cx, cy) => zoom({
    x0: cx - (cx - view.x0) * factor, x1: cx + (view.x1 - cx) * factor,
    y0: cy - (cy - view.y0) * factor, y1: cy + (view.y1 - cy) * factor});
  const middle = () => at ? [at.point.x, at.point.y]
    : [(view.x0 + view.x1) / 2, (view.y0 + view.y1) / 2];
  const button = (sign, label, act) => {
    const made = make("button", {type: "button", "aria-label": label, title: label}, sign);
    made.addEventListener("click", act);
    bar.append(made);
    return made;
  };
  button("+", "Zoom in", () => around(0.5, ...middle()));
  button("−", "Zoom out", () => around(2, ...middle()));
  const reset = button("Reset", "Show all", () => zoom(all()));

  const screen = point => {
    const size = plot.getBoundingClientRect();
    return [(point.x - view.x0) / (view.x1 - view.x0) * size.width,
            (point.y - view.y0) / (view.y1 - view.y0) * size.height];
  };
  const forget = () => { at = null; tip.hidden = ring.hidden = true; };
  const show = (row, index, speak) => {
    const point = series[row][index], [left, top] = screen(point), size = plot.clientWidth;
    at = {row, index, point};
    const lines = [point.series, point.name, `${x.label}: ${x.text(point.x)}`,
                   `${y.label}: ${y.text(SIDE - point.y)}`].filter(Boolean);
    tip.replaceChildren(...lines.map((line, k) => make(k ? "div" : "b", {}, line)));
    tip.hidden = ring.hidden = false;
    ring.style.left = `${left}px`;
    ring.style.top = `${top}px`;
    tip.style.left = `${Math.min(Math.max(0, left + 12), Math.max(0, size - tip.offsetWidth))}px`;
    const above = top - tip.offsetHeight - 10;
    tip.style.top = `${above > 0 ? above : top + 14}px`;
    if (speak) said.textContent = lines.join(", ");
  };
  const nearest = (left, top) => {
    let best = NEAR ** 2, found = null;
    series.forEach((points, row) => points.forEach((point, index) => {
      const [px, py] = screen(point), apart = (px - left) ** 2 + (py - top) ** 2;
      if (apart < best) [best, found] = [apart, [row, index]];
    }));
    return found;
  };
  const inside = event => {
    const size = plot.getBoundingClientRect();
    return [Math.min(Math.max(0, event.clientX - size.left), size.width),
            Math.min(Math.max(0, event.clientY - size.top), size.height)];
  };
  const seen = point => point.x >= view.x0 && point.x <= view.x1
    && point.y >= view.y0 && point.y <= view.y1;

  plot.addEventListener("pointerdown", event => {
    if (event.button !== 0) return;
    start = inside(event);
    plot.setPointerCapture(event.pointerId);
  });
  plot.addEventListener("pointermove", event => {
    const [left, top] = inside(event);
    if (start) {
      const wide = Math.abs(left - start[0]), high = Math.abs(top - start[1]), flat = high < SMALL;
      box.hidden = wide < 4 && flat;
      Object.assign(box.style, {
        left: `${Math.min(left, start[0])}px`, width: `${wide}px`,
        top: flat ? 0 : `${Math.min(top, start[1])}px`, height: flat ? "100%" : `${high}px`});
      return;
    }
    const found = nearest(left, top);
    if (found) show(...found, false); else forget();
  });
  plot.addEventListener("pointerup", event => {
    const [left, top] = inside(event), from = start;
    start = null;
    box.hidden = true;
    if (!from) return;
    const size = plot.getBoundingClientRect();
    const across = px => view.x0 + px / size.width * (view.x1 - view.x0);
    const down = px => view.y0 + px / size.height * (view.y1 - view.y0);
    const wide = Math.abs(left - from[0]), high = Math.abs(top - from[1]);
    if (wide < SMALL) {
      const found = nearest(left, top);
      if (found) show(...found, false);
      return;
    }
    const [x0, x1] = [left, from[0]].sort((a, b) => a - b).map(across);
    const [y0, y1] = high < SMALL ? [view.y0, view.y1]
      : [top, from[1]].sort((a, b) => a - b).map(down);
    zoom({x0, x1, y0, y1});
  });
  plot.addEventListener("pointercancel", () => { start = null; box.hidden = true; });
  plot.addEventListener("pointerleave", () => { if (!start) forget(); });
  plot.addEventListener("dblclick", () => zoom(all()));
  plot.addEventListener("wheel", event => {
    if (!event.ctrlKey && !event.metaKey) return;  // the page scrolls
    event.preventDefault();
    const [left, top] = inside(event), size = plot.getBoundingClientRect();
    around(event.deltaY < 0 ? 0.8 : 1.25, view.x0 + left / size.width * (view.x1 - view.x0),
           view.y0 + top / size.height * (view.y1 - view.y0));
  }, {passive: false});
  plot.addEventListener("keydown", event => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = {ArrowRight: 1, ArrowLeft: -1}[event.key];
    const other = {ArrowDown: 1, ArrowUp: -1}[event.key];
    if ((step || other) && series.length) {
      const row = at ? (at.row + (other ?? 0) + series.length) % series.length : 0;
      const points = series[row], visible = points.map((_, k) => k).filter(k => seen(points[k]));
      if (visible.length) {
        let index = visible[0];
        if (at && step && row === at.row) {
          const place = visible.indexOf(at.index);
          index = visible[Math.min(Math.max(0, place + step), visible.length - 1)];
        } else if (at) {
          const apart = k => Math.abs(points[k].x - at.point.x);
          index = visible.reduce((a, b) => apart(b) < apart(a) ? b : a);
        }
        show(row, index, true);
      }
    } else if (event.key === "+" || event.key === "=") around(0.5, ...middle());
    else if (event.key === "-") around(2, ...middle());
    else if (event.key === "0" || event.key === "Escape") zoom(all());
    else return;
    event.preventDefault();
  });
  plot.tabIndex = 0;
  plot.setAttribute("role", "application");
  plot.setAttribute("aria-label", `${figure.dataset.title}: chart. Arrow keys move from point to ` +
    "point and from series to series, + and - zoom, 0 shows all.");
  plot.append(box, ring, tip);
  figure.querySelector(".head").append(bar);
  figure.append(said);
  draw();
}
})();
"""
