// The live view: NiiVue over the files of the scene. A coarse scan comes first where the whole one is large.
"use strict";

const NIIVUE = "/static/vendor/niivue.umd.js";
const WINDOWS = { bone: [-450, 1050], soft: [-160, 240] };
const TINTS = [[230, 126, 34], [52, 152, 219], [46, 204, 113], [241, 196, 15], [155, 89, 182]];
const STYLE = {
  labels: { opacity: 0.25 }, regions: { opacity: 0.6 },
  strain: { opacity: 0.6, range: { colormap: "inferno", cal_min: 10, cal_max: 150 } },
  cement: { opacity: 0.8, range: { colormap: "warm", cal_min: 20, cal_max: 100 } },
  cavity: { opacity: 0.5, range: { colormap: "cool", cal_min: 20, cal_max: 100 } },
};

function fileUrl(name) { return `/cases/${viewer.dataset.case}/view/files/${encodeURIComponent(name)}`; }
function filesOf(...kinds) { return state.scene.files.filter((file) => kinds.includes(file.kind)); }

// Two megabytes: fetched from the start (see the head of the page), run after the first pictures are seen
function script(address) {
  return new Promise((done, failed) => {
    const made = document.createElement("script");
    Object.assign(made, { src: address, onload: done, onerror: () => failed(new Error(`${address} was not loaded`)) });
    document.head.append(made);
  });
}

function labelColours() {
  const table = { R: [0], G: [0], B: [0], A: [0], I: [0], labels: [""] };
  state.scene.levels.forEach((one) => {
    const tint = TINTS[one.label % TINTS.length];
    table.I.push(one.label); table.labels.push(one.level); table.A.push(255);
    table.R.push(tint[0]); table.G.push(tint[1]); table.B.push(tint[2]);
  });
  return table;
}

function overlay(file) {
  return { url: fileUrl(file.name), headers: PART, opacity: STYLE[file.kind].opacity, ...(STYLE[file.kind].range ?? {}) };
}

function colour(volume, file) { if (["labels", "regions"].includes(file.kind)) volume?.setColormapLabel(labelColours()); }

// NiiVue forgets what it shows before it fetches what comes next, so that is fetched before
async function inMemory(wanted) {
  const answer = await fetch(wanted.url, { headers: PART });
  if (!answer.ok) throw new Error(`${wanted.url} was not answered`);
  return { ...wanted, name: wanted.url.split("/").at(-1), url: URL.createObjectURL(await answer.blob()), headers: {} };
}

// Each volume that is loaded is sent to the graphics card with all others, so what is not shown waits until it is
async function loadVolumes(kind) {
  const nv = state.nv;
  const [low, high] = WINDOWS[state.window];
  const ct = filesOf(kind)[0];
  const first = ct ? [{ url: fileUrl(ct.name), headers: PART, colormap: "gray", cal_min: low, cal_max: high }] : [];
  const over = kind === "coarse" ? [] : filesOf(...Object.keys(STYLE).filter(wantsLayer));
  const held = await Promise.all([...first, ...over.map(overlay)].map(inMemory));
  await nv.loadVolumes(held);
  held.forEach((one) => URL.revokeObjectURL(one.url));
  if (ct) [nv.volumes[0].cal_min, nv.volumes[0].cal_max] = WINDOWS[state.window];
  state.overlays = new Map(over.map((file, number) => [file.name, nv.volumes[first.length + number]]));
  over.forEach((file) => colour(state.overlays.get(file.name), file));
  if (state.place) nv.scene.crosshairPos = nv.mm2frac(state.place);
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

// Layers: their boxes are there before what they show, and what is ticked meanwhile holds
function layerBox(name) { return document.querySelector(`.layers [data-layer="${CSS.escape(name)}"]`); }
function wantsLayer(name) { return layerBox(name)?.checked ?? false; }
function layer(name, shown, show) { if (layerBox(name)) state.layers[name] = { shown, show }; }

function layersAsWanted() {
  Object.entries(state.layers).forEach(([name, one]) => {
    if (one.shown === wantsLayer(name)) return;
    one.shown = !one.shown;
    one.show(one.shown);
  });
}

function meshLayer(name, meshes) {
  layer(name, true, (shown) => {
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
  ["bone", "endplates", "cement surface"].forEach((kind) => {
    meshLayer(kind, both.filter((mesh) => filesOf(kind).some((file) => file.name === mesh.name)));
  });
  const heights = state.scene.levels.flatMap((one) => one.heights.map((height) => height.ends));
  meshLayer("heights", lines("heights", heights, [255, 230, 90], 0.9));
  const needles = (side) => state.scene.needles.filter((one) => one.side === side).flatMap((one) => (one.course ?? [one.from, one.end]).slice(1)
    .map((to, k) => [(one.course ?? [one.from])[k], to]));
  meshLayer("needles", [...lines("needles left", needles("left"), [47, 143, 232], 1.3), ...lines("needles right", needles("right"), [242, 140, 30], 1.3)]);
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

function lines(name, ends, rgb, thick) {
  if (!ends.length) return [];
  const colour = name.replaceAll(" ", "_");
  return [state.nv, state.solid].map((nv) => {
    nv.addColormap(colour, { R: [rgb[0], rgb[0]], G: [rgb[1], rgb[1]], B: [rgb[2], rgb[2]], A: [255, 255], I: [0, 255] });
    const mesh = nv.loadConnectomeAsMesh(connectome(name, ends, colour, thick));
    nv.addMesh(mesh);
    return mesh;
  });
}

// Where the crosshair is, in words; a level that it enters is chosen
function located(data) {
  const nv = state.nv;
  if (!nv.volumes.length) return;
  const [x, y, z] = data.mm;
  state.place = [x, y, z];
  const side = (value, one, other) => `${Math.abs(value).toFixed(1)} mm ${value >= 0 ? one : other}`;
  const words = [`${side(x, "right", "left")}, ${side(y, "anterior", "posterior")}, ${side(z, "superior", "inferior")}`];
  if (state.whole && filesOf("ct").length) words.push(`${Math.round(nv.volumes[0].getValue(...nv.volumes[0].mm2vox([x, y, z])))} HU`);
  if (!state.whole) words.push("coarse until the whole scan is loaded");
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

function crosshairTo(place) {
  const nv = state.nv;
  if (!nv.volumes.length) return;
  nv.scene.crosshairPos = nv.mm2frac(place);
  nv.drawScene();
  nv.createOnLocationChange();
}

function brightenSurface(level) {
  state.solid?.meshes.filter((mesh) => mesh.name.endsWith(".mz3")).forEach((mesh) => {
    if (state.scene.levels.some((one) => mesh.name === `${one.level}.mz3`)) mesh.opacity = mesh.name === `${level}.mz3` ? 0.95 : 0.4;
  });
  state.solid?.drawScene();
}

async function attach() {
  const nv = new niivue.Niivue({
    logLevel: "error", backColor: [0, 0, 0, 1], crosshairColor: [1, 0.85, 0.3, 0.7], crosshairWidth: 0.6,
    isRadiologicalConvention: true, sagittalNoseLeft: true, multiplanarShowRender: niivue.SHOW_RENDER.NEVER,
    meshThicknessOn2D: 1.2, showLegend: false, isOrientationTextVisible: true, dragAndDropEnabled: false, loadingText: "",
  });
  const solid = new niivue.Niivue({
    logLevel: "error", backColor: [0.07, 0.08, 0.1, 1], isOrientCube: true, showLegend: false, dragAndDropEnabled: false, loadingText: "",
  });
  await nv.attachToCanvas(document.getElementById("gl"));
  await solid.attachToCanvas(document.getElementById("gl3"));
  solid.setSliceType(solid.sliceTypeRender);
  solid.setRenderAzimuthElevation(110, 10);
  nv.onLocationChange = located;
  nv.setMultiplanarPadPixels(PAD);
  nv.setSliceType(nv.sliceTypeMultiplanar);
  Object.assign(state, { nv, solid });
}

// What was chosen while it opened is taken over; the pictures stay above it until it is whole or somebody moves in it
function takeOver() {
  state.live = true;
  arrange(state.shown);
  setMeasuring(state.measuring);
  if (state.place) crosshairTo(state.place);
  viewer.dataset.live = String(Math.round(performance.now() - began));
}

async function openLive() {
  document.getElementById("place").textContent = "Still pictures, until the live view is open.";
  await script(NIIVUE);
  await attach();
  if (filesOf("coarse").length) {
    await loadVolumes("coarse");
    takeOver();
  }
  await loadVolumes("ct");
  state.whole = true;
  if (state.live) state.nv.createOnLocationChange();
  else takeOver();
  requestAnimationFrame(uncover); // what was drawn now is seen in the next frame
  Object.keys(STYLE).forEach((kind) => layer(kind, filesOf(kind).some((file) => state.overlays.has(file.name)), (shown) => showVolumes(kind, shown)));
  await loadSurfaces();
  layersAsWanted();
  brightenSurface(state.level);
  viewer.dataset.ready = String(Math.round(performance.now() - began));
}
