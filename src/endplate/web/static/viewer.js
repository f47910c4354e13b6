// The case screen: a level that is chosen moves pictures, strip and findings; controls and keys act on the live view, or on
// the still pictures before it.
"use strict";

// The strip
function placeStrip() {
  const strip = document.querySelector(".strip");
  if (!strip?.querySelector("img")) return;
  strip.classList.add("placed");
  strip.querySelectorAll(".strip-level[data-y]").forEach((link) => { link.style.top = `${100 * link.dataset.y}%`; });
}

async function choose(level, moveCrosshair = true) {
  if (!level) return;
  const changed = level !== state.level;
  state.level = level;
  document.querySelectorAll(".strip-level").forEach((link) => {
    if (link.dataset.level === level) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  });
  if (moveCrosshair) {
    uncover();
    goTo(level);
  }
  if (!changed) return;
  history.replaceState(null, "", `?level=${encodeURIComponent(level)}`);
  const answer = await fetch(`/cases/${viewer.dataset.case}/view/level/${encodeURIComponent(level)}`, { headers: PART });
  if (!answer.ok || state.level !== level) return;
  const part = new DOMParser().parseFromString(await answer.text(), "text/html");
  document.getElementById("level").replaceChildren(...part.body.childNodes);
}

function goTo(level) {
  const found = state.scene?.levels.find((one) => one.level === level);
  if (!found) return;
  state.place = found.centre;
  if (state.live) crosshairTo(state.place);
  else stillsGoTo(state.place, `through ${level}`);
  if (state.live) brightenSurface(level);
}

function step(by) {
  const names = [...document.querySelectorAll(".strip-level")].map((link) => link.dataset.level);
  const at = names.indexOf(state.level);
  choose(names[Math.min(Math.max(at + by, 0), names.length - 1)]);
}

function slice(by) {
  if (!state.live) { stepStills(by); return; }
  uncover();
  if (state.nv.volumes.length) state.nv.moveCrosshairInVox(0, 0, by);
}

// Controls
function press(selector, on) {
  document.querySelectorAll(selector).forEach((button) => button.setAttribute("aria-pressed", String(on(button))));
}

function setWindow(name) {
  state.window = name;
  press("[data-window]", (button) => button.dataset.window === name);
  if (!state.live) { stillsAgain(); return; }
  uncover();
  if (!state.nv.volumes.length) return; // what is being loaded takes the window of the moment
  [state.nv.volumes[0].cal_min, state.nv.volumes[0].cal_max] = WINDOWS[name];
  state.nv.updateGLVolume();
}

function arrange(name) {
  state.shown = name;
  press("button[data-show]", (button) => button.dataset.show === name);
  document.querySelector(".stage").dataset.show = name;
  placeStills();
  if (!state.live) return;
  const nv = state.nv;
  nv.resizeListener();
  state.solid.resizeListener();
  if (name === "render") return;
  nv.setSliceType({ multi: nv.sliceTypeMultiplanar, axial: nv.sliceTypeAxial, sagittal: nv.sliceTypeSagittal, coronal: nv.sliceTypeCoronal }[name]);
}

function setMeasuring(on) {
  state.measuring = on;
  document.getElementById("measure").setAttribute("aria-pressed", String(on));
  const nv = state.nv;
  if (!state.live) return;
  const drag = on ? nv.dragModes.measurement : niivue.DRAG_MODE.crosshair;
  nv.setMouseEventConfig({ leftButton: { primary: drag }, rightButton: nv.dragModes.measurement, centerButton: nv.dragModes.pan });
}

viewer?.addEventListener("click", (event) => {
  const link = event.target.closest(".strip-level");
  if (link && !event.ctrlKey && !event.metaKey) { event.preventDefault(); choose(link.dataset.level); }
  const button = event.target.closest("button");
  if (button?.dataset.window) setWindow(button.dataset.window);
  if (button?.dataset.show) arrange(button.dataset.show);
  if (button?.id === "measure") setMeasuring(!state.measuring);
  if (button?.id === "clear" && state.live) state.nv.clearAllMeasurements();
});

document.querySelector(".layers")?.addEventListener("change", layersAsWanted);

const picture = document.getElementById("gl");
["pointerdown", "wheel"].forEach((kind) => picture?.addEventListener(kind, uncover, { capture: true, passive: true }));
picture?.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const acts = {
    "[": () => slice(-1), "]": () => slice(1), ArrowUp: () => step(-1), ArrowDown: () => step(1),
    m: () => setMeasuring(!state.measuring), b: () => setWindow("bone"), s: () => setWindow("soft"),
  };
  const act = acts[event.key];
  if (!act) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  act();
}, true);

document.addEventListener("endplate:job", (event) => {
  const place = document.querySelector(`[data-then="reload"] [data-job="${CSS.escape(event.detail.id)}"]`);
  if (!place || event.detail.state !== "done") return;
  const then = new URLSearchParams(location.search).get("then");
  if (then) location.search = `?level=${encodeURIComponent(then)}`;
  else location.reload();
});

async function open() {
  placeStrip();
  if (!viewer.dataset.scene) return;
  const seen = stillsSeen();
  const answer = await fetch(viewer.dataset.scene, { headers: PART });
  if (!answer.ok) return;
  state.scene = await answer.json();
  goTo(state.level);
  await seen;
  viewer.dataset.firstPicture = String(Math.round(performance.now() - began));
  if (!hasWebgl()) { openFlat(); return; }
  try { await openLive(); } catch (error) { console.error(error); openFlat(); }
}

if (viewer) open();
