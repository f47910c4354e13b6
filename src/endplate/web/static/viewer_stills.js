// Pictures of the scan that the server makes: in the place of the live view until that is ready, and in a browser without
// WebGL instead of it. Each plane lies where the live view will draw it, so that nothing moves when it takes over.
"use strict";

const viewer = document.getElementById("viewer");
const PART = { "HX-Request": "true" };
const AXIS = { sagittal: 0, coronal: 1, axial: 2 };
const PAD = 4;
const LONGEST_MS = 3000;
const began = performance.now();
const state = {
  nv: null, solid: null, scene: null, live: false, whole: false, level: viewer?.dataset.level ?? "", place: null,
  window: "bone", shown: "multi", measuring: false, layers: {},
};

const stillBox = document.getElementById("stills");
const stills = [...(stillBox?.querySelectorAll("img") ?? [])];

// Left, top, width and height of each plane in a canvas, as NiiVue lays them out: in a column, a row or a grid, whichever
// is drawn largest, or one plane alone
function tiles([x, y, z], wide, high, shown) {
  const size = { axial: [x, y], coronal: [x, z], sagittal: [y, z] };
  const fit = (w, h, columns = 1, rows = 1) => {
    const [across, down] = [wide - PAD * (columns - 1), high - PAD * (rows - 1)];
    const scale = Math.min(across / w, down / h);
    return { scale, left: (across - w * scale) / 2, top: (down - h * scale) / 2 };
  };
  const put = ({ scale, left, top }, places) => Object.fromEntries(Object.entries(places).map(([axis, [u, v, columns, rows]]) => [axis, {
    left: left + u * scale + columns * PAD, top: top + v * scale + rows * PAD, width: size[axis][0] * scale, height: size[axis][1] * scale,
  }]));
  if (size[shown]) return put(fit(...size[shown]), { [shown]: [0, 0, 0, 0] });
  const column = fit(Math.max(x, y, z), y + 2 * z, 1, 3);
  const row = fit(2 * x + y, Math.max(y, z), 3, 1);
  const grid = fit(x + y, y + z, 2, 2);
  if (column.scale > Math.max(row.scale, grid.scale)) return put(column, { axial: [0, 0, 0, 0], coronal: [0, y, 0, 1], sagittal: [0, y + z, 0, 2] });
  if (row.scale > grid.scale) return put(row, { axial: [0, 0, 0, 0], coronal: [x, 0, 1, 0], sagittal: [2 * x, 0, 2, 0] });
  return put(grid, { coronal: [0, 0, 0, 0], sagittal: [x, 0, 1, 0], axial: [0, z, 0, 1] });
}

function placeStills() {
  if (stillBox.hidden) return;
  const places = tiles(stillBox.dataset.mm.split(",").map(Number), stillBox.clientWidth, stillBox.clientHeight, state.shown);
  stills.forEach((image) => {
    const place = places[image.dataset.axis];
    image.hidden = !place;
    Object.entries(place ?? {}).forEach(([side, value]) => { image.style[side] = `${value}px`; });
  });
  stillBox.classList.add("placed");
}

const stillsResized = new ResizeObserver(placeStills);

// Until all three are painted, or it takes too long: what comes then keeps the page busy for seconds where a processor
// draws WebGL
function stillsSeen() {
  const painted = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  const all = Promise.all(stills.map((image) => image.decode().catch(() => null))).then(painted);
  return Promise.race([all, new Promise((done) => setTimeout(done, LONGEST_MS))]);
}

// A picture is of a slice, in the window of the moment; `what` says in words where it lies
function showStill(image, index, what) {
  const { axis, words } = image.dataset;
  Object.assign(image.dataset, { index, what });
  image.alt = `${axis[0].toUpperCase()}${axis.slice(1)} slice ${what}: ${words}`;
  const url = `/cases/${viewer.dataset.case}/view/slice/${axis}/${index}.png?window=${state.window}`;
  if (image.getAttribute("src") !== url) image.setAttribute("src", url);
}

function stillsAgain() { stills.forEach((image) => showStill(image, image.dataset.index, image.dataset.what)); }

function stillsGoTo(place, what) {
  const at = indexOf(place);
  stills.forEach((image) => {
    const axis = AXIS[image.dataset.axis];
    const index = Math.min(Math.max(Math.floor(at[axis] + 0.5), 0), state.scene.shape[axis] - 1);
    showStill(image, index, what);
    const slider = image.closest("figure")?.querySelector("input");
    if (slider) slider.value = index;
  });
}

// One axial slice up or down, before the live view can
function stepStills(by) {
  if (!state.scene || !state.place) return;
  const at = indexOf(state.place);
  at[2] = Math.min(Math.max(at[2] + by, 0), state.scene.shape[2] - 1);
  state.place = state.scene.affine.slice(0, 3).map((row) => row[0] * at[0] + row[1] * at[1] + row[2] * at[2] + row[3]);
  stillsGoTo(state.place, "near the level");
}

// Voxel of a place in the scan, in fractions
function indexOf([x, y, z]) {
  const a = state.scene.affine;
  const m = [[a[0][0], a[0][1], a[0][2]], [a[1][0], a[1][1], a[1][2]], [a[2][0], a[2][1], a[2][2]]];
  const p = [x - a[0][3], y - a[1][3], z - a[2][3]];
  const det3 = (c) => c[0][0] * (c[1][1] * c[2][2] - c[1][2] * c[2][1]) - c[0][1] * (c[1][0] * c[2][2] - c[1][2] * c[2][0]) + c[0][2] * (c[1][0] * c[2][1] - c[1][1] * c[2][0]);
  return [0, 1, 2].map((k) => det3(m.map((row, i) => row.map((value, j) => (j === k ? p[i] : value)))) / det3(m));
}

// The live view is seen from here on: it is whole, or somebody moves in it
function uncover() {
  if (!state.live || stillBox.hidden) return;
  stillsResized.disconnect();
  stillBox.hidden = true;
}

// Without WebGL the same pictures stay, each with a slider
function openFlat() {
  state.live = false;
  stillsResized.disconnect();
  document.querySelectorAll(".canvases, .keys, .layers, #place").forEach((part) => { part.hidden = true; });
  document.getElementById("flat").hidden = false;
  document.querySelectorAll("button[data-show], #measure, #clear").forEach((button) => { button.hidden = true; });
  const mm = stillBox.dataset.mm.split(",").map(Number);
  const shape = { sagittal: mm[1] / mm[2], coronal: mm[0] / mm[2], axial: mm[0] / mm[1] };
  stills.forEach((image) => {
    const { axis } = image.dataset;
    const figure = document.querySelector(`#flat figure[data-axis="${axis}"]`);
    const slider = figure.querySelector("input");
    slider.max = state.scene.shape[AXIS[axis]] - 1;
    slider.addEventListener("input", () => showStill(image, slider.value, `number ${slider.value}`));
    image.hidden = false;
    image.removeAttribute("style");
    image.style.aspectRatio = String(shape[axis]);
    image.style.maxWidth = `${70 * shape[axis]}vh`; // a narrow field is not drawn taller than the window
    figure.append(image);
  });
  goTo(state.level);
  viewer.dataset.flat = "yes";
}

function hasWebgl() {
  try { return Boolean(document.createElement("canvas").getContext("webgl2")); } catch (error) { return false; }
}

if (stillBox) stillsResized.observe(stillBox);
