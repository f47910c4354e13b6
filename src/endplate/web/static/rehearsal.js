// The rehearsal screen: a needle is dragged in two planes that both hold it; its clearances follow from the server.
"use strict";

const plan = document.getElementById("plan");
const PART = { "HX-Request": "true" };
const SVG = "http://www.w3.org/2000/svg";
const state = { frame: null, lines: {}, best: {}, side: "left", busy: false, again: false, moved: false, answers: [] };

const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const plus = (a, b, k = 1) => [a[0] + k * b[0], a[1] + k * b[1], a[2] + k * b[2]];
const less = (a, b) => plus(a, b, -1);
const unit = (a) => { const n = Math.hypot(...a) || 1; return a.map((x) => x / n); };
const text3 = (a) => a.map((x) => x.toFixed(2)).join(",");

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

function build() {
  document.querySelectorAll(".plane svg").forEach((svg) => {
    svg.replaceChildren(
      element("image", { x: -48, y: -48, width: 96, height: 96 }),
      element("line", { class: "shaft" }),
      element("circle", { class: "grip", r: 3.6, tabindex: 0, role: "button", "data-end": "entry", "aria-label": "Entry; arrow keys move it" }),
      element("circle", { class: "grip", r: 2.6, tabindex: 0, role: "button", "data-end": "target", "aria-label": "Target; arrow keys move it" }),
    );
  });
}

function draw(held = null) {
  if (!state.lines[state.side]) return;
  const all = planes();
  const { entry, target } = state.lines[state.side];
  const verdict = state.answer?.verdict ?? "";
  document.querySelectorAll(".plane").forEach((figure) => {
    const name = figure.dataset.plane;
    const plane = held?.name === name ? held.plane : all[name];
    const ends = { entry: inPlane(plane, entry), target: inPlane(plane, target) };
    const shaft = figure.querySelector(".shaft");
    const back = [ends.entry[0] + (ends.entry[0] - ends.target[0]) * 0.6, ends.entry[1] + (ends.entry[1] - ends.target[1]) * 0.6];
    Object.entries({ x1: back[0], y1: back[1], x2: ends.target[0], y2: ends.target[1], "stroke-width": state.answer?.outer_mm ?? 3 })
      .forEach(([key, value]) => shaft.setAttribute(key, value));
    shaft.classList.toggle("refused", verdict === "refused");
    figure.querySelectorAll(".grip").forEach((grip) => {
      grip.setAttribute("cx", ends[grip.dataset.end][0]);
      grip.setAttribute("cy", ends[grip.dataset.end][1]);
    });
    if (held?.name !== name) picture(figure, plane);
  });
}

function picture(figure, plane) {
  const asked = new URLSearchParams({ origin: text3(plane.origin), right: text3(plane.right), down: text3(plane.down) });
  const url = `/cases/${plan.dataset.case}/rehearsal/plane.jpg?${asked}`;
  if (figure.dataset.url === url) return;
  figure.dataset.url = url;
  clearTimeout(figure.timer);
  figure.timer = setTimeout(() => figure.querySelector("image").setAttribute("href", url), 80);
}

// Clearances: one request at a time, the last place wins
async function ask() {
  if (!state.lines[state.side]) return;
  if (state.busy) { state.again = true; return; }
  state.busy = true;
  const { entry, target } = state.lines[state.side];
  const form = plan.querySelector("form");
  const asked = new URLSearchParams({
    level: plan.dataset.level, side: state.side, entry: text3(entry), target: text3(target), needle: form.needle.value || "11G",
    procedure: form.procedure.value, balloon: form.balloon.value,
  });
  const began = performance.now();
  try {
    const answer = await fetch(`/cases/${plan.dataset.case}/rehearsal/clearance?${asked}`, { headers: PART });
    if (answer.ok) show(await answer.json());
    else {
      const part = new DOMParser().parseFromString(await answer.text(), "text/html");
      say(part.body.textContent.trim(), true);
    }
    state.answers.push(performance.now() - began);
    plan.dataset.answered = String(state.answers.length);
    plan.dataset.last = state.answers.at(-1).toFixed(1);
  } finally { state.busy = false; }
  if (state.again) { state.again = false; ask(); }
}

function show(answer) {
  state.answer = answer;
  const place = document.getElementById("verdict");
  place.className = `verdict ${answer.verdict}`;
  place.textContent = answer.said;
  document.querySelector("#clearances tbody").replaceChildren(...answer.clearances.map((row) => {
    const line = document.createElement("tr");
    [row.wall, row.mm.toFixed(1), row.band.toFixed(1), row.least.toFixed(1)].forEach((words) => {
      const cell = document.createElement("td");
      cell.textContent = words;
      line.append(cell);
    });
    const last = document.createElement("td");
    last.textContent = row.mm < 0 ? "breaks it" : row.kept ? (row.mm >= row.wanted ? "kept" : "tight") : "too near";
    line.append(last);
    return line;
  }));
  document.getElementById("course").textContent = answer.words;
  document.querySelectorAll(".shaft").forEach((shaft) => {
    shaft.classList.toggle("refused", answer.verdict === "refused");
    shaft.setAttribute("stroke-width", answer.outer_mm);
  });
}

// Dragging
let drag = null;

function pointer(svg, event) {
  const place = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
  return [place.x, place.y];
}

function move(end, plane, by) {
  const line = state.lines[state.side];
  line[end] = plus(plus(line[end], plane.right, by[0]), plane.down, by[1]);
  state.moved = true;
  plan.querySelector('[name="by_hand"]').checked = true;
}

function bindDrag() {
  document.querySelectorAll(".plane svg").forEach((svg) => {
    const name = svg.closest(".plane").dataset.plane;
    svg.addEventListener("pointerdown", (event) => {
      const grip = event.target.closest(".grip");
      if (!grip) return;
      event.preventDefault();
      grip.focus();
      svg.setPointerCapture(event.pointerId);
      drag = { svg, name, end: grip.dataset.end, plane: planes()[name], at: pointer(svg, event) };
    });
    svg.addEventListener("pointermove", (event) => {
      if (drag?.svg !== svg) return;
      const at = pointer(svg, event);
      move(drag.end, drag.plane, [at[0] - drag.at[0], at[1] - drag.at[1]]);
      drag.at = at;
      draw({ name, plane: drag.plane });
      ask();
    });
    ["pointerup", "pointercancel"].forEach((kind) => svg.addEventListener(kind, () => {
      if (drag?.svg !== svg) return;
      drag = null;
      draw();
      ask();
    }));
    svg.addEventListener("keydown", (event) => {
      const grip = event.target.closest(".grip");
      const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      if (!grip || !by) return;
      event.preventDefault();
      event.stopPropagation();
      const mm = event.shiftKey ? 2 : 0.5;
      move(grip.dataset.end, planes()[name], [mm * by[0], mm * by[1]]);
      draw();
      ask();
    });
  });
}

// The level and the form
async function best() {
  const form = plan.querySelector("form");
  const asked = new URLSearchParams({ level: plan.dataset.level, procedure: form.procedure.value, balloon: form.balloon.value });
  const answer = await fetch(`/cases/${plan.dataset.case}/rehearsal/start?${asked}`, { headers: PART });
  if (!answer.ok) { say("The walls of this level cannot be read.", true); return false; }
  state.frame = await answer.json();
  Object.entries(state.frame.lines).forEach(([side, [entry, target]]) => { state.best[side] = { entry, target }; });
  return true;
}

async function begin() {
  if (!(await best())) return;
  state.lines = structuredClone(state.best);
  if (!state.lines[state.side]) state.side = Object.keys(state.lines)[0];
  document.querySelectorAll("[data-side]").forEach((button) => { button.disabled = !state.lines[button.dataset.side]; });
  pressSides();
  build();
  bindDrag();
  draw();
  await ask();
  draw();
  plan.dataset.ready = "yes";
}

function pressSides() {
  document.querySelectorAll("[data-side]").forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.side === state.side)));
}

async function fields() {
  const form = plan.querySelector("form");
  const balloons = form.procedure.value === "kyphoplasty";
  form.querySelectorAll('[data-for="kyphoplasty"]').forEach((label) => { label.hidden = !balloons; });
  if (await best() && !state.moved) { state.lines = structuredClone(state.best); draw(); }
  ask();
}

plan?.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.dataset.side) { state.side = button.dataset.side; pressSides(); draw(); ask(); }
  if (button?.id === "reset") { state.moved = false; state.lines = structuredClone(state.best); plan.querySelector('[name="by_hand"]').checked = false; draw(); ask(); }
});

plan?.querySelector("form").addEventListener("change", (event) => {
  if (event.target.name === "level") { location.href = `/cases/${plan.dataset.case}/rehearsal?level=${encodeURIComponent(event.target.value)}`; return; }
  fields();
});

plan?.querySelector("form").addEventListener("submit", (event) => {
  const form = event.target;
  const sides = form.sides.value === "auto" ? Object.keys(state.lines) : form.sides.value === "both" ? ["left", "right"] : [form.sides.value];
  const wanted = form.procedure.value === "vertebroplasty" && form.sides.value === "auto" ? [state.side] : sides;
  const lines = form.by_hand.checked ? wanted.filter((side) => state.lines[side]).map((side) => ({ side, ...state.lines[side] })) : [];
  form.more.value = JSON.stringify({ cement_ml: form.cement_ml.value, balloon_ml: form.balloon_ml.value, sides: form.sides.value, lines });
});

// The curve of a job that runs
let chart = null;

async function curveOf(job) {
  const answer = await fetch(`/cases/${plan.dataset.case}/rehearsal/${job}/curve.json`, { headers: PART });
  if (!answer.ok) return;
  const found = await answer.json();
  if (!found.points.length) return;
  const of = (stage) => found.points.filter((point) => point[0] === stage);
  const x = [...new Set(found.points.map((point) => point[1]))].sort((a, b) => a - b);
  const column = (stage) => { const table = new Map(of(stage).map((point) => [point[1], point[2]])); return x.map((ml) => table.get(ml) ?? null); };
  const data = [x, column("balloon"), column("cement")];
  const ink = getComputedStyle(document.body).color;
  const axis = { stroke: ink, grid: { stroke: "#8884", width: 1 }, ticks: { stroke: "#8888" } };
  if (!chart) {
    const place = document.getElementById("curve");
    chart = new uPlot({
      width: Math.max(place.clientWidth, 240), height: 220, title: "Pressure over volume", scales: { x: { time: false } },
      axes: [{ ...axis, label: "mL" }, { ...axis, label: "MPa", size: 62 }],
      series: [{ label: "mL" }, { label: "balloon, MPa", stroke: "#2f8fe8", width: 2, spanGaps: true }, { label: "cement in the bone, MPa", stroke: "#c8641e", width: 2, dash: [6, 3], spanGaps: true }],
    }, data, place);
  } else chart.setData(data);
  const [stage, ml, mpa] = found.points.at(-1);
  document.getElementById("curve-words").textContent = `${stage === "balloon" ? "Balloon" : "Cement"}: ${ml.toFixed(2)} mL at ${mpa.toFixed(2)} MPa (${found.title})`;
  plan.dataset.points = String(found.points.length);
}

document.addEventListener("endplate:job", (event) => {
  const place = document.querySelector(`[data-then="reload"] [data-job="${CSS.escape(event.detail.id)}"]`);
  if (!place || !plan) return;
  if (event.detail.state === "done") { location.reload(); return; }
  if (event.detail.state === "running") curveOf(event.detail.id);
});

// Variants side by side
function value(cell) { const found = Number.parseFloat((cell?.value ?? "").replaceAll("\u202f", "").replace("−", "-")); return Number.isFinite(found) ? found : null; }

function scale(number, least, most) {
  const svg = element("svg", { class: "scale", viewBox: "0 0 100 8", preserveAspectRatio: "none", "aria-hidden": "true" });
  const zero = (100 * (0 - least)) / (most - least);
  const end = (100 * (number - least)) / (most - least);
  svg.append(element("rect", { x: 0, y: 3, width: 100, height: 2, fill: "#8886" }), element("rect", { x: Math.min(zero, end), y: 0, width: Math.max(Math.abs(end - zero), 0.8), height: 8, fill: "#2f7fb8" }));
  return svg;
}

function showVariants() {
  const place = document.querySelector("[data-variants]");
  if (!place) return;
  const held = JSON.parse(document.getElementById("variants").textContent);
  const keys = [];
  held.forEach((one) => one.rows.forEach((row) => { const key = `${row.group}|${row.title}`; if (!keys.includes(key)) keys.push(key); }));
  const rowOf = (one, key) => one.rows.find((row) => `${row.group}|${row.title}` === key);
  let group = "";
  keys.forEach((key) => {
    const [name, title] = key.split("|");
    if (name !== group) {
      group = name;
      const head = document.createElement("tr");
      const cell = document.createElement("th");
      cell.colSpan = held.length + 2;
      cell.textContent = name;
      head.append(cell);
      place.append(head);
    }
    const none = held.map((one) => rowOf(one, key)?.cells["no repair"]).find((cell) => cell?.value);
    const cells = [none, ...held.map((one) => rowOf(one, key)?.cells[one.procedure])];
    const numbers = cells.map(value);
    const known = numbers.filter((number) => number !== null);
    const least = Math.min(0, ...known);
    const most = Math.max(0, ...known);
    const line = document.createElement("tr");
    const first = document.createElement("th");
    first.scope = "row";
    first.textContent = title;
    line.append(first);
    cells.forEach((cell, place) => {
      const made = document.createElement("td");
      made.textContent = cell?.value ? `${cell.value}${cell.band ? ` (${cell.band})` : ""}` : "–";
      if (place > 1 && cell?.value && cells[1]?.value && cell.value !== cells[1].value) {
        made.classList.add("changed");
        if (numbers[place] !== null && numbers[1] !== null) made.append(` ${numbers[place] > numbers[1] ? "▲" : "▼"} ${Math.abs(numbers[place] - numbers[1]).toPrecision(2)}`);
      }
      if (numbers[place] !== null && most > least) made.append(scale(numbers[place], least, most));
      line.append(made);
    });
    place.append(line);
  });
}

showVariants();
if (plan) {
  begin().then(fields);
  document.querySelectorAll('[data-then="reload"] [data-state="running"]').forEach((place) => curveOf(place.dataset.job));
}
