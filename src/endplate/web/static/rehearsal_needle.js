// The needle of the rehearsal screen as it lies: in planes that hold it, and as numbers along the body's own axes.
"use strict";

const plan = document.getElementById("plan");
const form = plan?.querySelector("form");
const PART = { "HX-Request": "true" };
const SVG = "http://www.w3.org/2000/svg";
const state = { frame: null, lines: {}, best: {}, side: "left", busy: false, again: false, moved: false, answers: [], layers: {} };

const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const plus = (a, b, k = 1) => [a[0] + k * b[0], a[1] + k * b[1], a[2] + k * b[2]];
const less = (a, b) => plus(a, b, -1);
const unit = (a) => { const n = Math.hypot(...a) || 1; return a.map((x) => x / n); };
const text3 = (a) => a.map((x) => x.toFixed(2)).join(",");
const here = () => `/cases/${plan.dataset.case}/rehearsal`;

// Both planes hold the needle: one is spanned by the right axis and the needle's run in the sagittal plane, one by the
// superior axis and its run in the axial plane. Dragging in a plane keeps the needle in it.
function planes() {
  const [right, anterior, superior] = state.frame.axes;
  const { entry, target } = state.lines[state.side];
  const d = less(target, entry);
  const forward = unit(plus(anterior.map((x) => x * dot(d, anterior)), superior.map((x) => x * dot(d, superior))));
  const inward = unit(plus(right.map((x) => x * dot(d, right)), anterior.map((x) => x * dot(d, anterior))));
  const middle = entry.map((x, n) => (x + target[n]) / 2);
  return {
    across: { origin: middle, right: right.map((x) => -x), down: forward.map((x) => -x) },
    along: { origin: middle, right: inward.map((x) => -x), down: superior.map((x) => -x) },
  };
}

function inPlane(plane, point) {
  const d = less(point, plane.origin);
  return [dot(d, plane.right), dot(d, plane.down)];
}

function element(name, attributes) {
  const made = document.createElementNS(SVG, name);
  Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
  return made;
}

function grip(end, radius, where) {
  const named = end === "entry" ? "Entry" : "Target";
  return element("circle", { class: "grip", r: radius, tabindex: 0, role: "button", "data-end": end, "aria-label": `${named} ${where}; arrow keys move it` });
}

function build() {
  document.querySelectorAll(".plane[data-plane] svg").forEach((svg) => {
    const where = svg.closest(".plane").dataset.plane === "across" ? "from below" : "from the side";
    const all = { x: -48, y: -48, width: 96, height: 96 };
    svg.replaceChildren(
      element("image", { ...all, class: "ct" }), element("image", { ...all, class: "layer", "data-kind": "cavity" }),
      element("image", { ...all, class: "layer", "data-kind": "cement" }),
      element("line", { class: "shaft" }), grip("entry", 3.6, where), grip("target", 2.6, where),
    );
  });
}

function draw(held = null) {
  if (!state.lines[state.side]) return;
  const all = planes();
  const { entry, target } = state.lines[state.side];
  const verdict = state.answer?.verdict ?? "";
  document.querySelectorAll(".plane[data-plane]").forEach((figure) => {
    const name = figure.dataset.plane;
    const plane = held?.name === name ? held.plane : all[name];
    const ends = { entry: inPlane(plane, entry), target: inPlane(plane, target) };
    const shaft = figure.querySelector(".shaft");
    const back = [ends.entry[0] + (ends.entry[0] - ends.target[0]) * 0.6, ends.entry[1] + (ends.entry[1] - ends.target[1]) * 0.6];
    Object.entries({ x1: back[0], y1: back[1], x2: ends.target[0], y2: ends.target[1], "stroke-width": state.answer?.outer_mm ?? 3 })
      .forEach(([key, value]) => shaft.setAttribute(key, value));
    shaft.classList.toggle("refused", verdict === "refused");
    figure.querySelectorAll(".grip").forEach((one) => {
      one.setAttribute("cx", ends[one.dataset.end][0]);
      one.setAttribute("cy", ends[one.dataset.end][1]);
    });
    if (held?.name !== name) picture(figure, plane);
  });
  numbers();
  document.dispatchEvent(new CustomEvent("endplate:needle"));
}

// Of several moves between two frames the last one is drawn
let soon = 0;
function drawSoon(held) {
  cancelAnimationFrame(soon);
  soon = requestAnimationFrame(() => { if (drag || !held) draw(held); });
}

function picture(figure, plane) {
  const asked = new URLSearchParams({ origin: text3(plane.origin), right: text3(plane.right), down: text3(plane.down) });
  const wanted = { ct: `${here()}/plane.jpg?${asked}` };
  Object.entries(state.layers).forEach(([kind, one]) => { wanted[kind] = one ? `${here()}/${one.job}/frames/${one.number}.png?${asked}` : ""; });
  const key = JSON.stringify(wanted);
  if (figure.dataset.shown === key) return;
  figure.dataset.shown = key;
  clearTimeout(figure.timer);
  figure.timer = setTimeout(() => figure.querySelectorAll("image").forEach((image) => {
    const url = wanted[image.dataset.kind ?? "ct"];
    if (!url) image.removeAttribute("href");
    else if (image.getAttribute("href") !== url) image.setAttribute("href", url);
  }), 80);
}

// Numbers: along the body's own axes, from its middle
function numbers() {
  if (!document.getElementById("numbers").open) return;
  const { centre, axes } = state.frame;
  document.querySelectorAll("#numbers input").forEach((input) => {
    if (document.activeElement === input) return;
    input.value = dot(less(state.lines[state.side][input.dataset.end], centre), axes[input.dataset.axis]).toFixed(1);
  });
}

document.getElementById("numbers")?.addEventListener("toggle", () => { if (state.lines[state.side]) numbers(); });
document.getElementById("numbers")?.addEventListener("input", (event) => {
  const value = Number.parseFloat(event.target.value);
  const { end, axis } = event.target.dataset;
  if (!Number.isFinite(value) || !state.lines[state.side]) return;
  const { centre, axes } = state.frame;
  const now = dot(less(state.lines[state.side][end], centre), axes[axis]);
  shift(end, axes[axis].map((x) => x * (value - now)));
  draw();
  ask();
});
