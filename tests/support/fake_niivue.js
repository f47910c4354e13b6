// Stands for NiiVue where a test says when each part of it is ready: `ready("attach")`, `ready("ct_coarse.nii")`.
"use strict";

const waiting = {};
const until = (name) => { waiting[name] ??= Promise.withResolvers(); return waiting[name].promise; };
const ready = (name) => { until(name); waiting[name].resolve(); };
const views = [];

class Niivue {
  constructor() {
    Object.assign(this, { volumes: [], meshes: [], scene: { crosshairPos: [0, 0, 0] }, dragModes: { measurement: "measure", pan: "pan" } });
    ["Axial", "Coronal", "Sagittal", "Multiplanar", "Render"].forEach((name, number) => { this[`sliceType${name}`] = number; });
    views.push(this);
  }

  async attachToCanvas() { await until("attach"); }

  async loadVolumes(wanted) {
    this.volumes = wanted.map((one) => ({ ...one, getValue: () => 0, mm2vox: (mm) => mm, setColormapLabel: () => {} }));
    await until(wanted[0].name);
  }

  async loadMeshes(wanted) { this.meshes = [...wanted]; }
  addMesh(mesh) { this.meshes.push(mesh); }
  loadConnectomeAsMesh(json) { return { ...json, visible: true }; }
  mm2frac(mm) { return [...mm]; }
  setSliceType(kind) { this.sliceType = kind; }
  setMouseEventConfig(config) { this.mouse = config; }
  setOpacity(number, value) { this.volumes[number].opacity = value; }
  createOnLocationChange() { this.onLocationChange?.({ mm: this.scene.crosshairPos }); }
}
["drawScene", "updateGLVolume", "resizeListener", "setMultiplanarPadPixels", "setRenderAzimuthElevation", "addColormap"].forEach((name) => {
  Niivue.prototype[name] = () => {};
});
window.niivue = { Niivue, SHOW_RENDER: { NEVER: 0 }, DRAG_MODE: { crosshair: "crosshair" } };
