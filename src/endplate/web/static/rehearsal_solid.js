// The needle in 3-D: NiiVue draws the bone, the needle and what grows in it; two rings lie over the picture where its
// own matrix puts entry and target. A ring is dragged in the plane of the screen, at the depth that it has.
"use strict";

const solid = { nv: null, needle: null, layers: {}, drag: null };

function webgl() {
  try { return Boolean(document.createElement("canvas").getContext("webgl2")); } catch (error) { return false; }
}

async function openSolid() {
  const figure = document.getElementById("solid");
  if (!figure) return;
  if (!webgl() || !window.niivue) { document.getElementById("no-solid").hidden = false; return; }
  figure.hidden = false;
  try {
    solid.nv = new niivue.Niivue({ logLevel: "error", backColor: [0.07, 0.08, 0.1, 1], isOrientCube: true, show3Dcrosshair: false, showLegend: false, dragAndDropEnabled: false, loadingText: "", meshXRay: 0.25 });
    await solid.nv.attachToCanvas(document.getElementById("gl3"));
    solid.nv.setSliceType(solid.nv.sliceTypeRender);
    const bones = state.frame.bones.map((one) => ({
      url: `/cases/${plan.dataset.case}/view/files/${encodeURIComponent(one.name)}`, headers: PART, name: one.name,
      rgba255: one.level === plan.dataset.level ? [225, 205, 170, 255] : [120, 130, 145, 255], opacity: one.level === plan.dataset.level ? 0.45 : 0.16,
    }));
    await solid.nv.loadMeshes(bones);
    solid.nv.setRenderAzimuthElevation(20, 25);
    solid.nv.onAzimuthElevationChange = rings;
    buildSolid(figure.querySelector("svg"));
    needleMesh();
    await layerMeshes();
    new ResizeObserver(() => { solid.nv.resizeListener(); rings(); }).observe(figure);
    figure.dataset.ready = "yes";
  } catch (error) {
    console.error(error);
    solid.nv = null;
    figure.hidden = true;
    document.getElementById("no-solid").hidden = false;
  }
}

function buildSolid(svg) {
  svg.replaceChildren(element("line", { class: "shaft" }), grip("entry", 11, "in 3-D"), grip("target", 8, "in 3-D"));
  svg.addEventListener("pointerdown", (event) => {
    const held = event.target.closest(".grip");
    if (!held) return;
    event.preventDefault();
    event.stopPropagation();
    held.focus();
    held.setPointerCapture(event.pointerId);
    solid.drag = { end: held.dataset.end, at: [event.clientX, event.clientY] };
  });
  svg.addEventListener("pointermove", (event) => {
    if (!solid.drag) return;
    onScreen(solid.drag.end, [event.clientX - solid.drag.at[0], event.clientY - solid.drag.at[1]]);
    solid.drag.at = [event.clientX, event.clientY];
  });
  ["pointerup", "pointercancel"].forEach((kind) => svg.addEventListener(kind, () => { solid.drag = null; }));
  svg.addEventListener("keydown", (event) => {
    const by = arrow(event);
    if (!by) return;
    const mm = millimetres();
    onScreen(event.target.closest(".grip").dataset.end, [by[0] / mm, by[1] / mm]);
  });
}

// Columns of NiiVue's matrix from millimetres to its clip space, and the canvas in points of the page
function matrix() {
  const nv = solid.nv;
  const [found] = nv.calculateMvpMatrix(null, [0, 0, nv.gl.canvas.width, nv.gl.canvas.height], nv.scene.renderAzimuth, nv.scene.renderElevation);
  const box = nv.gl.canvas.getBoundingClientRect();
  return { m: found, wide: box.width, high: box.height };
}

function project(place) {
  const { m, wide, high } = matrix();
  const row = (n) => m[n] * place[0] + m[n + 4] * place[1] + m[n + 8] * place[2] + m[n + 12];
  return [(0.5 + row(0) / row(3) / 2) * wide, (0.5 - row(1) / row(3) / 2) * high];
}

// The view is parallel, so right and down on the screen are two directions of space, each of one length
function screenAxes() {
  const { m, wide, high } = matrix();
  const axis = (n, size) => { const v = [m[n], m[n + 4], m[n + 8]]; const long = Math.hypot(...v); return { along: v.map((x) => x / long), perPoint: 2 / (size * long) }; };
  return { right: axis(0, wide), up: axis(1, high) };
}

function millimetres() { return screenAxes().right.perPoint; }

function onScreen(end, [x, y]) {
  const { right, up } = screenAxes();
  const by = right.along.map((a) => a * x * right.perPoint);
  shift(end, plus(by, up.along, -y * up.perPoint));
  draw();
  ask();
}

function rings() {
  if (!solid.nv || !state.lines[state.side]) return;
  const svg = document.querySelector("#solid svg");
  const { entry, target } = state.lines[state.side];
  const ends = { entry: project(entry), target: project(target) };
  svg.querySelectorAll(".grip").forEach((one) => {
    one.setAttribute("cx", ends[one.dataset.end][0]);
    one.setAttribute("cy", ends[one.dataset.end][1]);
  });
  const shaft = svg.querySelector(".shaft");
  Object.entries({ x1: ends.entry[0], y1: ends.entry[1], x2: ends.target[0], y2: ends.target[1] }).forEach(([key, value]) => shaft.setAttribute(key, value));
}

// The needle as a rod of its own thickness, from behind the entry to the target
function needleMesh() {
  const nv = solid.nv;
  const { entry, target } = state.lines[state.side];
  const back = plus(entry, unit(less(entry, target)), 35);
  const node = (place) => ({ name: "", x: place[0], y: place[1], z: place[2], colorValue: 1, sizeValue: 0.4 });
  const unsafe = state.answer?.verdict === "refused";
  const colour = unsafe ? "needle_unsafe" : "needle";
  const rgb = unsafe ? [255, 98, 87] : [255, 210, 74];
  nv.addColormap(colour, { R: [rgb[0], rgb[0]], G: [rgb[1], rgb[1]], B: [rgb[2], rgb[2]], A: [255, 255], I: [0, 255] });
  const made = nv.loadConnectomeAsMesh({
    name: "needle", nodeColormap: colour, nodeColormapNegative: colour, nodeMinColor: 0, nodeMaxColor: 1, nodeScale: 1,
    edgeColormap: colour, edgeColormapNegative: colour, edgeMin: 0, edgeMax: 1, edgeScale: (state.answer?.outer_mm ?? 3) / 2, showLegend: false,
    nodes: [node(back), node(target)], edges: [{ first: 0, second: 1, colorValue: 1 }],
  });
  if (solid.needle) nv.removeMesh(solid.needle);
  solid.needle = made;
  nv.addMesh(made);
}

async function layerMeshes() {
  const nv = solid.nv;
  if (!nv) return;
  for (const [kind, one] of Object.entries(state.layers)) {
    const url = one?.surface ? `${here()}/${one.job}/frames/${one.number}.mz3` : "";
    const held = solid.layers[kind];
    if (held?.url === url) continue;
    const rgb = kind === "cement" ? [255, 130, 40] : [70, 160, 255];
    const mesh = url ? await niivue.NVMesh.loadFromUrl({ url, gl: nv.gl, headers: PART, name: `${kind}.mz3`, rgba255: [...rgb, 255], opacity: kind === "cement" ? 1 : 0.6 }) : null;
    if (held?.mesh) nv.removeMesh(held.mesh);
    if (mesh) nv.addMesh(mesh);
    solid.layers[kind] = { url, mesh };
  }
  document.getElementById("solid").dataset.layers = Object.values(solid.layers).filter((one) => one.mesh).length;
}

// Rings and line follow at once; the rod waits for a pause, since drawing it can take longer than a move of the pointer
// where a processor draws the picture, and the clearances must not wait for it
const PAUSE_MS = 150;
let drawn = 0;
document.addEventListener("endplate:needle", () => {
  if (!solid.nv) return;
  rings();
  clearTimeout(drawn);
  drawn = setTimeout(needleMesh, PAUSE_MS);
});
let loading = Promise.resolve();
document.addEventListener("endplate:layers", () => { loading = loading.then(layerMeshes).catch((error) => console.error(error)); });
document.addEventListener("endplate:placed", openSolid);
