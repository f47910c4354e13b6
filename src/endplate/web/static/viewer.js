// The case screen: NiiVue over the files of the scene; a level that is chosen moves crosshair, strip and findings.
"use strict";

const viewer = document.getElementById("viewer");
const WINDOWS = { bone: [-450, 1050], soft: [-160, 240] };
const TINTS = [[230, 126, 34], [52, 152, 219], [46, 204, 113], [241, 196, 15], [155, 89, 182]];
const PART = { "HX-Request": "true" };
const began = performance.now();

const state = { nv: null, solid: null, scene: null, level: viewer?.dataset.level ?? "", window: "bone", layers: {}, measuring: false };

function fileUrl(name) { return `/cases/${viewer.dataset.case}/view/files/${encodeURIComponent(name)}`; }
function filesOf(...kinds) { return state.scene.files.filter((file) => kinds.includes(file.kind)); }

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
  if (moveCrosshair) goTo(level);
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
  state.solid?.meshes.filter((mesh) => mesh.name.endsWith(".mz3")).forEach((mesh) => {
    if (state.scene.levels.some((one) => mesh.name === `${one.level}.mz3`)) mesh.opacity = mesh.name === `${level}.mz3` ? 0.95 : 0.4;
  });
  state.solid?.drawScene();
  if (state.nv && !state.nv.volumes.length) return;
  if (state.nv) {
    state.nv.scene.crosshairPos = state.nv.mm2frac(found.centre);
    state.nv.drawScene();
    state.nv.createOnLocationChange();
  } else flatGoTo(found.centre);
}

function step(by) {
  const names = [...document.querySelectorAll(".strip-level")].map((link) => link.dataset.level);
  const at = names.indexOf(state.level);
  choose(names[Math.min(Math.max(at + by, 0), names.length - 1)]);
}

// NiiVue
function labelColours() {
  const table = { R: [0], G: [0], B: [0], A: [0], I: [0], labels: [""] };
  state.scene.levels.forEach((one) => {
    const tint = TINTS[one.label % TINTS.length];
    table.I.push(one.label); table.labels.push(one.level); table.A.push(255);
    table.R.push(tint[0]); table.G.push(tint[1]); table.B.push(tint[2]);
  });
  return table;
}

function connectome(name, lines, colour, thick) {
  const nodes = [];
  const edges = [];
  lines.forEach((ends) => {
    ends.forEach((place) => nodes.push({ name: "", x: place[0], y: place[1], z: place[2], colorValue: 1, sizeValue: 0.4 }));
    edges.push({ first: nodes.length - 2, second: nodes.length - 1, colorValue: 1 });
  });
  return {
    name, nodeColormap: colour, nodeColormapNegative: colour, nodeMinColor: 0, nodeMaxColor: 1, nodeScale: thick,
    edgeColormap: colour, edgeColormapNegative: colour, edgeMin: 0, edgeMax: 1, edgeScale: thick, showLegend: false,
    nodes, edges,
  };
}

function addColour(nv, name, rgb) { nv.addColormap(name, { R: [rgb[0], rgb[0]], G: [rgb[1], rgb[1]], B: [rgb[2], rgb[2]], A: [255, 255], I: [0, 255] }); }

const STYLE = {
  labels: { title: "Labels", opacity: 0.25, on: true }, regions: { title: "Density region", opacity: 0.6, on: false },
  cement: { title: "Cement", opacity: 0.8, on: true, range: { colormap: "warm", cal_min: 20, cal_max: 100 } },
  cavity: { title: "Cavity", opacity: 0.5, on: false, range: { colormap: "cool", cal_min: 20, cal_max: 100 } },
};

function overlay(file) {
  return { url: fileUrl(file.name), headers: PART, opacity: STYLE[file.kind].opacity, ...(STYLE[file.kind].range ?? {}) };
}

function colour(volume, file) { if (["labels", "regions"].includes(file.kind)) volume?.setColormapLabel(labelColours()); }

// Each volume that is loaded is sent to the graphics card with all others, so what is not shown waits until it is
async function loadVolumes(kind) {
  const nv = state.nv;
  const place = nv.volumes.length ? nv.frac2mm(nv.scene.crosshairPos).slice(0, 3) : null;
  const [low, high] = WINDOWS[state.window];
  const ct = filesOf(kind)[0];
  const first = ct ? [{ url: fileUrl(ct.name), headers: PART, colormap: "gray", cal_min: low, cal_max: high }] : [];
  const over = kind === "coarse" ? [] : filesOf(...Object.keys(STYLE).filter((name) => STYLE[name].on));
  await nv.loadVolumes([...first, ...over.map(overlay)]);
  if (ct) [nv.volumes[0].cal_min, nv.volumes[0].cal_max] = WINDOWS[state.window];
  state.overlays = new Map(over.map((file, place) => [file.name, nv.volumes[first.length + place]]));
  over.forEach((file) => colour(state.overlays.get(file.name), file));
  if (place) nv.scene.crosshairPos = nv.mm2frac(place);
  nv.updateGLVolume();
}

async function showVolumes(kind, shown) {
  const nv = state.nv;
  for (const file of filesOf(kind)) {
    if (!state.overlays.has(file.name)) {
      if (!shown) continue;
      const made = await nv.addVolumeFromUrl(overlay(file));
      colour(made, file);
      state.overlays.set(file.name, made);
    }
    nv.setOpacity(nv.volumes.indexOf(state.overlays.get(file.name)), shown ? STYLE[kind].opacity : 0);
  }
}

function layer(name, title, on, show) { state.layers[name] = { title, on, show }; }

function volumeLayer(kind) {
  if (filesOf(kind).length) layer(kind, STYLE[kind].title, STYLE[kind].on, (shown) => showVolumes(kind, shown));
}

function meshLayer(name, title, meshes, on) {
  if (!meshes.length) return;
  layer(name, title, on, (shown) => {
    meshes.forEach((mesh) => { mesh.visible = shown; });
    state.nv.drawScene();
    state.solid.drawScene();
  });
}

async function loadSurfaces() {
  const surface = (file, rgb, opacity = 1) => ({ url: fileUrl(file.name), headers: PART, rgba255: [...rgb, 255], opacity, name: file.name });
  const plates = filesOf("endplates").map((file) => surface(file, [0, 230, 230]));
  const cement = filesOf("cement surface").map((file) => surface(file, [255, 120, 60]));
  const bones = filesOf("bone").map((file) => {
    const found = state.scene.levels.find((one) => one.level === file.level);
    return surface(file, TINTS[found.label % TINTS.length], 0.55);
  });
  await state.solid.loadMeshes([...cement, ...plates, ...bones]);
  await state.nv.loadMeshes(plates);
  const both = [...state.solid.meshes, ...state.nv.meshes];
  const of = (kind) => both.filter((mesh) => filesOf(kind).some((file) => file.name === mesh.name));
  meshLayer("bone", "Surfaces", of("bone"), true);
  meshLayer("endplates", "Endplates", of("endplates"), true);
  meshLayer("cement surface", "Cement surface", of("cement surface"), true);
  const heights = state.scene.levels.flatMap((one) => one.heights.map((height) => height.ends));
  meshLayer("heights", "Heights", lines("heights", heights, [255, 230, 90], 0.9), true);
  const needles = (side) => state.scene.needles.filter((one) => one.side === side).map((one) => [one.from, one.end]);
  const two = [...lines("needles left", needles("left"), [47, 143, 232], 1.3), ...lines("needles right", needles("right"), [242, 140, 30], 1.3)];
  meshLayer("needles", "Needles", two, true);
}

function lines(name, ends, rgb, thick) {
  if (!ends.length) return [];
  const colour = name.replaceAll(" ", "_");
  return [state.nv, state.solid].map((nv) => {
    addColour(nv, colour, rgb);
    const mesh = nv.loadConnectomeAsMesh(connectome(name, ends, colour, thick));
    nv.addMesh(mesh);
    return mesh;
  });
}

function showLayers() {
  const box = document.querySelector(".layers");
  box.replaceChildren(...Object.entries(state.layers).map(([name, one]) => {
    const label = document.createElement("label");
    const input = document.createElement("input");
    input.type = "checkbox";
    input.checked = one.on;
    input.dataset.layer = name;
    input.addEventListener("change", () => { one.on = input.checked; one.show(one.on); });
    label.append(input, one.title);
    return label;
  }));
}

function located(data) {
  const [x, y, z] = data.mm;
  const side = (value, one, other) => `${Math.abs(value).toFixed(1)} mm ${value >= 0 ? one : other}`;
  const words = [`${side(x, "right", "left")}, ${side(y, "anterior", "posterior")}, ${side(z, "superior", "inferior")}`];
  const nv = state.nv;
  if (nv.volumes[0] && filesOf("ct").length) words.push(`${Math.round(nv.volumes[0].getValue(...nv.volumes[0].mm2vox([x, y, z])))} HU`);
  let level = "";
  const map = state.overlays?.get(filesOf("labels")[0]?.name);
  if (map) {
    const label = map.getValue(...map.mm2vox([x, y, z]));
    level = state.scene.levels.find((one) => one.label === label)?.level ?? "";
  }
  if (level) words.push(level);
  document.getElementById("place").textContent = `World of NIfTI (RAS): ${words.join(" · ")}`;
  if (level && level !== state.level && document.activeElement === document.getElementById("gl")) choose(level, false);
}

function press(selector, on) {
  document.querySelectorAll(selector).forEach((button) => button.setAttribute("aria-pressed", String(on(button))));
}

function setWindow(name) {
  state.window = name;
  press("[data-window]", (button) => button.dataset.window === name);
  if (!state.nv) { flatShow(); return; }
  const [low, high] = WINDOWS[name];
  state.nv.volumes[0].cal_min = low;
  state.nv.volumes[0].cal_max = high;
  state.nv.updateGLVolume();
}

function arrange(name) {
  const nv = state.nv;
  if (!nv) return;
  press("button[data-show]", (button) => button.dataset.show === name);
  document.querySelector(".stage").dataset.show = name;
  nv.resizeListener();
  state.solid.resizeListener();
  if (name === "render") return;
  nv.setSliceType({ multi: nv.sliceTypeMultiplanar, axial: nv.sliceTypeAxial, sagittal: nv.sliceTypeSagittal, coronal: nv.sliceTypeCoronal }[name]);
}

function setMeasuring(on) {
  state.measuring = on;
  document.getElementById("measure").setAttribute("aria-pressed", String(on));
  const nv = state.nv;
  if (!nv) return;
  const drag = on ? nv.dragModes.measurement : niivue.DRAG_MODE.crosshair;
  nv.setMouseEventConfig({ leftButton: { primary: drag }, rightButton: nv.dragModes.measurement, centerButton: nv.dragModes.pan });
}

async function openViewer() {
  const canvas = document.getElementById("gl");
  const nv = new niivue.Niivue({
    logLevel: "error", backColor: [0, 0, 0, 1], crosshairColor: [1, 0.85, 0.3, 0.7], crosshairWidth: 0.6,
    isRadiologicalConvention: true, sagittalNoseLeft: true, multiplanarShowRender: niivue.SHOW_RENDER.NEVER,
    meshThicknessOn2D: 1.2, showLegend: false, isOrientationTextVisible: true, dragAndDropEnabled: false, loadingText: "",
  });
  state.nv = nv;
  state.solid = new niivue.Niivue({
    logLevel: "error", backColor: [0.07, 0.08, 0.1, 1], isOrientCube: true, showLegend: false, dragAndDropEnabled: false, loadingText: "",
  });
  await nv.attachToCanvas(canvas);
  await state.solid.attachToCanvas(document.getElementById("gl3"));
  state.solid.setSliceType(state.solid.sliceTypeRender);
  state.solid.setRenderAzimuthElevation(110, 10);
  nv.onLocationChange = located;
  nv.setMultiplanarPadPixels(4);
  nv.setSliceType(nv.sliceTypeMultiplanar);
  setMeasuring(false);
  await loadVolumes("coarse");
  goTo(state.level);
  nv.drawScene();
  viewer.dataset.firstPicture = String(Math.round(performance.now() - began));
  await loadVolumes("ct");
  Object.keys(STYLE).forEach(volumeLayer);
  await loadSurfaces();
  showLayers();
  goTo(state.level);
  viewer.dataset.ready = String(Math.round(performance.now() - began));
}

// Pictures instead
function flatGoTo(centre) {
  const affine = state.scene.affine;
  const at = inverseIndex(affine, centre);
  document.querySelectorAll("#flat figure").forEach((figure) => {
    const axis = { sagittal: 0, coronal: 1, axial: 2 }[figure.dataset.axis];
    figure.querySelector("input").value = Math.round(at[axis]);
  });
  flatShow();
}

function inverseIndex(a, [x, y, z]) {
  const m = [[a[0][0], a[0][1], a[0][2]], [a[1][0], a[1][1], a[1][2]], [a[2][0], a[2][1], a[2][2]]];
  const p = [x - a[0][3], y - a[1][3], z - a[2][3]];
  const det3 = (c) => c[0][0] * (c[1][1] * c[2][2] - c[1][2] * c[2][1]) - c[0][1] * (c[1][0] * c[2][2] - c[1][2] * c[2][0]) + c[0][2] * (c[1][0] * c[2][1] - c[1][1] * c[2][0]);
  return [0, 1, 2].map((k) => det3(m.map((row, i) => row.map((value, j) => (j === k ? p[i] : value)))) / det3(m));
}

function flatShow() {
  document.querySelectorAll("#flat figure").forEach((figure) => {
    const axis = figure.dataset.axis;
    const index = figure.querySelector("input").value;
    figure.querySelector("img").src = `/cases/${viewer.dataset.case}/view/slice/${axis}/${index}.png?window=${state.window}`;
  });
}

function openFlat() {
  document.querySelector(".canvases").hidden = true;
  document.querySelector(".keys").hidden = true;
  document.getElementById("flat").hidden = false;
  document.querySelectorAll("button[data-show], #measure, #clear").forEach((button) => { button.hidden = true; });
  document.querySelectorAll("#flat figure").forEach((figure) => {
    const input = figure.querySelector("input");
    input.max = state.scene.shape[{ sagittal: 0, coronal: 1, axial: 2 }[figure.dataset.axis]] - 1;
    input.addEventListener("input", flatShow);
    const image = figure.querySelector("img");
    image.style.aspectRatio = String(aspect(figure.dataset.axis));
    image.style.maxWidth = `${70 * aspect(figure.dataset.axis)}vh`; // a narrow field is not drawn taller than the window
  });
  goTo(state.level);
  viewer.dataset.firstPicture = String(Math.round(performance.now() - began));
}

// Voxels need not be cubes: width over height of a slice in millimetres
function aspect(axis) {
  const mm = [0, 1, 2].map((n) => state.scene.shape[n] * Math.hypot(...state.scene.affine.slice(0, 3).map((row) => row[n])));
  return { sagittal: mm[1] / mm[2], coronal: mm[0] / mm[2], axial: mm[0] / mm[1] }[axis];
}

function hasWebgl() {
  try { return Boolean(document.createElement("canvas").getContext("webgl2")); } catch (error) { return false; }
}

async function open() {
  placeStrip();
  if (!viewer.dataset.scene) return;
  const answer = await fetch(viewer.dataset.scene, { headers: PART });
  if (!answer.ok) return;
  state.scene = await answer.json();
  if (!hasWebgl()) { openFlat(); return; }
  try { await openViewer(); } catch (error) { console.error(error); state.nv = null; openFlat(); }
}

viewer?.addEventListener("click", (event) => {
  const link = event.target.closest(".strip-level");
  if (link && !event.ctrlKey && !event.metaKey) { event.preventDefault(); choose(link.dataset.level); }
  const button = event.target.closest("button");
  if (button?.dataset.window) setWindow(button.dataset.window);
  if (button?.dataset.show) arrange(button.dataset.show);
  if (button?.id === "measure") setMeasuring(!state.measuring);
  if (button?.id === "clear") state.nv?.clearAllMeasurements();
});

document.getElementById("gl")?.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || !state.nv) return;
  const acts = {
    "[": () => state.nv.moveCrosshairInVox(0, 0, -1), "]": () => state.nv.moveCrosshairInVox(0, 0, 1),
    ArrowUp: () => step(-1), ArrowDown: () => step(1), m: () => setMeasuring(!state.measuring),
    b: () => setWindow("bone"), s: () => setWindow("soft"),
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

if (viewer) open();
