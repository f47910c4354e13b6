// The rehearsal screen: level, form and run. What is set here is kept in the tab, so that neither a session that ran out
// nor a reload loses it.
"use strict";

const FIELDS = ["procedure", "needle", "sides", "balloon", "cement_ml", "balloon_ml", "cement", "members", "voxel_mm"];

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
