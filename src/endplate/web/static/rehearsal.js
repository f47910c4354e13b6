// The rehearsal screen: a needle is dragged in planes that hold it, in 3-D or by numbers; its clearances follow from the
// server. What is set here is kept in the tab, so that neither a session that ran out nor a reload loses it.
"use strict";

const plan = document.getElementById("plan");
const form = plan?.querySelector("form");
const PART = { "HX-Request": "true" };
const SVG = "http://www.w3.org/2000/svg";
const FIELDS = ["procedure", "needle", "sides", "balloon", "cement_ml", "balloon_ml", "cement", "members", "voxel_mm"];
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

// Clearances: one request at a time, the last place wins
async function ask() {
  if (!state.lines[state.side]) return;
  if (state.busy) { state.again = true; return; }
  state.busy = true;
  const { entry, target } = state.lines[state.side];
  const asked = new URLSearchParams({
    level: plan.dataset.level, side: state.side, entry: text3(entry), target: text3(target), needle: form.needle.value,
    procedure: form.procedure.value, balloon: form.balloon.value, seen: plan.dataset.seen,
  });
  const began = performance.now();
  try {
    const answer = await fetch(`${here()}/clearance?${asked}`, { headers: PART });
    if (answer.ok) show(await answer.json());
    else unknown(await refusal(answer));
    state.answers.push(performance.now() - began);
    plan.dataset.answered = String(state.answers.length);
    plan.dataset.last = state.answers.at(-1).toFixed(1);
  } catch (error) {
    unknown("The server does not answer. What you placed is kept in this tab.");
  } finally { state.busy = false; }
  if (state.again) { state.again = false; ask(); }
}

async function refusal(answer) {
  const part = new DOMParser().parseFromString(await answer.text(), "text/html");
  const words = part.body.textContent.trim() || "The server refused this.";
  return answer.status === 401 ? `Your session ran out: ${words} What you placed and chose is kept in this tab; sign in, then open this page again.` : words;
}

// Where nothing is known of the needle as it lies now, no former verdict may stand
function unknown(words) {
  say(words, true);
  state.answer = null;
  const place = document.getElementById("verdict");
  place.className = "verdict refused";
  place.textContent = "The clearances of the needle as it lies now are not known.";
  document.querySelector("#clearances tbody").replaceChildren();
  document.getElementById("course").textContent = "";
}

function show(answer) {
  state.answer = answer;
  const place = document.getElementById("verdict");
  place.className = `verdict ${answer.verdict}`;
  place.textContent = answer.said;
  document.querySelector("#clearances tbody").replaceChildren(...answer.clearances.map((row) => {
    const line = document.createElement("tr");
    const last = row.mm < 0 ? "breaks it" : row.kept ? (row.mm >= row.wanted ? "kept" : "tight") : "too near";
    [row.wall, row.mm.toFixed(1), row.band.toFixed(1), row.least.toFixed(1), last].forEach((words) => {
      const cell = document.createElement("td");
      cell.textContent = words;
      line.append(cell);
    });
    return line;
  }));
  document.getElementById("course").textContent = answer.words;
  document.querySelectorAll(".shaft").forEach((shaft) => shaft.classList.toggle("refused", answer.verdict === "refused"));
  document.querySelectorAll(".plane[data-plane] .shaft").forEach((shaft) => shaft.setAttribute("stroke-width", answer.outer_mm));
  document.dispatchEvent(new CustomEvent("endplate:needle"));
}

// Moving an end
let drag = null;

function pointer(svg, event) {
  const place = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
  return [place.x, place.y];
}

function shift(end, by) {
  const line = state.lines[state.side];
  line[end] = plus(line[end], by);
  state.moved = true;
  keep();
}

function move(end, plane, by) { shift(end, plus(plane.right.map((x) => x * by[0]), plane.down, by[1])); }

function arrow(event) {
  const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  if (!by || !event.target.closest(".grip")) return null;
  event.preventDefault();
  event.stopPropagation();
  const mm = event.shiftKey ? 2 : 0.5;
  return [mm * by[0], mm * by[1]];
}

function bindDrag() {
  document.querySelectorAll(".plane[data-plane] svg").forEach((svg) => {
    const name = svg.closest(".plane").dataset.plane;
    svg.addEventListener("pointerdown", (event) => {
      const held = event.target.closest(".grip");
      if (!held) return;
      event.preventDefault();
      held.focus();
      svg.setPointerCapture(event.pointerId);
      drag = { svg, name, end: held.dataset.end, plane: planes()[name], at: pointer(svg, event) };
    });
    svg.addEventListener("pointermove", (event) => {
      if (drag?.svg !== svg) return;
      const at = pointer(svg, event);
      move(drag.end, drag.plane, [at[0] - drag.at[0], at[1] - drag.at[1]]);
      drag.at = at;
      ask();
      drawSoon({ name, plane: drag.plane });
    });
    ["pointerup", "pointercancel"].forEach((kind) => svg.addEventListener(kind, () => {
      if (drag?.svg !== svg) return;
      drag = null;
      draw();
      ask();
    }));
    svg.addEventListener("keydown", (event) => {
      const by = arrow(event);
      if (!by) return;
      move(event.target.closest(".grip").dataset.end, planes()[name], by);
      draw();
      ask();
    });
  });
}

// What is set stays in the tab until it is put back
const keptKey = () => `endplate-plan-${plan.dataset.case}-${plan.dataset.level}`;

function keep() {
  const fields = Object.fromEntries(FIELDS.map((name) => [name, form[name].value]));
  const held = { lines: state.moved ? state.lines : null, side: state.side, fields, seen: plan.dataset.seen };
  try { sessionStorage.setItem(keptKey(), JSON.stringify(held)); } catch (error) { /* it lasts until the page is left */ }
}

function takeFields() {
  let held = null;
  try { held = JSON.parse(sessionStorage.getItem(keptKey())); } catch (error) { held = null; }
  if (!held) return null;
  FIELDS.forEach((name) => { if (held.fields?.[name] !== undefined) form[name].value = held.fields[name]; });
  return held;
}

function takeLines(held) {
  if (!held?.lines) return;
  if (held.seen !== plan.dataset.seen) {
    say("The needles that were placed here before are put aside: the case was corrected or given other files since, and they might lie in another vertebra.");
    keep();
    return;
  }
  state.lines = held.lines;
  state.moved = true;
  if (state.lines[held.side]) state.side = held.side;
  if (!document.getElementById("notice")?.textContent) say("The needles as they were placed here before are offered again.");
}

// The level and the form
async function best() {
  const asked = new URLSearchParams({ level: plan.dataset.level, procedure: form.procedure.value, balloon: form.balloon.value });
  const answer = await fetch(`${here()}/start?${asked}`, { headers: PART });
  if (!answer.ok) { unknown(await refusal(answer)); return false; }
  state.frame = await answer.json();
  Object.entries(state.frame.lines).forEach(([side, [entry, target]]) => { state.best[side] = { entry, target }; });
  return true;
}

async function begin() {
  const held = takeFields();
  showFields();
  if (!(await best())) return;
  state.lines = structuredClone(state.best);
  takeLines(held);
  if (!state.lines[state.side]) state.side = Object.keys(state.lines)[0];
  document.querySelectorAll("[data-side]").forEach((button) => { button.disabled = !state.lines[button.dataset.side]; });
  pressSides();
  build();
  bindDrag();
  draw();
  await ask();
  draw();
  document.dispatchEvent(new CustomEvent("endplate:placed"));
  plan.dataset.ready = "yes";
}

function pressSides() {
  document.querySelectorAll("[data-side]").forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.side === state.side)));
}

function showFields() {
  const balloons = form.procedure.value === "kyphoplasty";
  form.querySelectorAll('[data-for="kyphoplasty"]').forEach((label) => { label.hidden = !balloons; });
}

async function fields() {
  showFields();
  keep();
  if (await best() && !state.moved) { state.lines = structuredClone(state.best); draw(); }
  ask();
}

plan?.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.dataset.side) { state.side = button.dataset.side; pressSides(); draw(); ask(); }
  if (button?.id === "reset") { state.moved = false; state.lines = structuredClone(state.best); keep(); say(""); draw(); ask(); }
});

form?.addEventListener("change", (event) => {
  if (event.target.name === "level") { location.href = `${here()}?level=${encodeURIComponent(event.target.value)}`; return; }
  fields();
});

// A plan that is refused leaves the page and everything on it as it was
form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const sides = form.sides.value === "auto" ? Object.keys(state.lines) : form.sides.value === "both" ? ["left", "right"] : [form.sides.value];
  const wanted = form.procedure.value === "vertebroplasty" && form.sides.value === "auto" ? [state.side] : sides;
  const lines = wanted.filter((side) => state.lines[side]).map((side) => ({ side, ...state.lines[side] }));
  form.more.value = JSON.stringify({ cement_ml: form.cement_ml.value, balloon_ml: form.balloon_ml.value, sides: form.sides.value, lines });
  const data = new URLSearchParams(new FormData(form, event.submitter));
  form.querySelectorAll("button").forEach((button) => { button.disabled = true; });
  try {
    const answer = await fetch(form.action, { method: "POST", body: data, headers: { ...PART, "X-CSRF-Token": csrf() } });
    if (answer.ok) { keep(); location.href = answer.url; return; }
    say(`${await refusal(answer)} Nothing was run.`, true);
    document.getElementById("notice").scrollIntoView({ block: "nearest" });
  } catch (error) {
    say("The server does not answer; nothing was run. What you placed is kept in this tab.", true);
  } finally { form.querySelectorAll("button").forEach((button) => { button.disabled = false; }); }
});

if (plan) document.addEventListener("DOMContentLoaded", begin);
