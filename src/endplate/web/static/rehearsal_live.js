// The course of a rehearsal: the curve of pressure over volume, and how cavity and cement grow, from what its worker
// wrote so far. It lies over the pictures of the needle, and in the 3-D view as a surface.
"use strict";

const course = { job: "", chart: null, frames: [], busy: false, again: false, follow: true };
const pressure = (stage, mpa) => (stage === "cement" ? `${(1000 * mpa).toFixed(1)} kPa` : `${mpa.toFixed(2)} MPa`);
const KINDS = { cavity: "cavity of the balloons", cement: "cement" };

function chartOf(points) {
  const of = (stage) => points.filter((point) => point[0] === stage);
  const x = [...new Set(points.map((point) => point[1]))].sort((a, b) => a - b);
  const column = (stage) => { const table = new Map(of(stage).map((point) => [point[1], point[2]])); return x.map((ml) => table.get(ml) ?? null); };
  // Cement flows under kilopascals, a balloon opens under megapascals: each has an axis of its own
  const data = [x, column("balloon"), column("cement").map((mpa) => (mpa === null ? null : 1000 * mpa))];
  if (course.chart) { course.chart.setData(data); return; }
  const ink = getComputedStyle(document.body).color;
  const axis = { stroke: ink, grid: { stroke: "#8884", width: 1 }, ticks: { stroke: "#8888" } };
  const place = document.getElementById("curve");
  course.chart = new uPlot({
    width: Math.max(place.clientWidth, 240), height: 240, title: "Pressure over volume", scales: { x: { time: false } },
    axes: [{ ...axis, label: "mL" }, { ...axis, label: "balloon, MPa", size: 62 }, { ...axis, grid: { show: false }, scale: "kPa", side: 1, label: "cement, kPa", size: 62 }],
    series: [{ label: "mL" }, { label: "balloon, MPa", stroke: "#2f8fe8", width: 2, spanGaps: true }, { label: "cement in the bone, kPa", scale: "kPa", stroke: "#c8641e", width: 2, dash: [6, 3], spanGaps: true }],
  }, data, place);
}

// One request at a time; what came meanwhile is asked for once more
async function follow(job) {
  if (job !== course.job) {
    Object.assign(course, { job, frames: [], follow: true });
    course.chart?.destroy();
    course.chart = null;
  }
  if (course.busy) { course.again = true; return; }
  course.busy = true;
  try {
    const answer = await fetch(`${here()}/${job}/curve.json`, { headers: PART });
    if (answer.ok) courseShown(await answer.json());
  } catch (error) { /* the next event asks again */ } finally { course.busy = false; }
  if (course.again) { course.again = false; follow(course.job); }
}

function courseShown(found) {
  if (found.id !== course.job) return;
  document.getElementById("live").hidden = false;
  const words = document.getElementById("curve-words");
  if (found.points.length) {
    chartOf(found.points);
    const [stage, ml, mpa] = found.points.at(-1);
    words.textContent = `${stage === "balloon" ? "Balloon" : "Cement"}: ${ml.toFixed(2)} mL at ${pressure(stage, mpa)} (${found.title})`;
  } else words.textContent = found.state === "running" ? `${found.title}: ${found.stage.toLowerCase()}; its curve begins with balloon or cement.` : `Nothing was kept of the course of ${found.title}.`;
  plan.dataset.points = String(found.points.length);
  course.frames = found.frames;
  const step = document.getElementById("step");
  document.getElementById("step-label").hidden = !course.frames.length;
  if (!course.frames.length) return;
  step.max = course.frames.length - 1;
  if (course.follow) step.value = step.max;
  stepShown();
}

// The frame of a step, and below cement the last cavity before it
function stepShown() {
  const at = Number(document.getElementById("step").value);
  const frame = course.frames[at];
  if (!frame) return;
  const last = (kind) => course.frames.slice(0, at + 1).filter((one) => one.kind === kind).at(-1);
  state.layers = Object.fromEntries(Object.keys(KINDS).map((kind) => { const one = last(kind); return [kind, one ? { job: course.job, number: one.number, surface: one.surface } : null]; }));
  const reading = frame.at ? `${frame.at[1].toFixed(2)} mL, ${pressure(frame.at[0], frame.at[2])}` : "before the first reading";
  document.getElementById("step-words").textContent = `Step ${at + 1} of ${course.frames.length}: ${KINDS[frame.kind]}, ${reading}. Drawn over the pictures of the needle: blue the balloons, orange the cement, where they fill at least half.`;
  document.getElementById("layers-words").textContent = "Blue: balloons; orange: cement, of the course below.";
  plan.dataset.frame = String(frame.number);
  if (state.frame) draw();
  document.dispatchEvent(new CustomEvent("endplate:layers"));
}

document.getElementById("step")?.addEventListener("input", (event) => {
  course.follow = event.target.value === event.target.max;
  stepShown();
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-course]");
  if (!button) return;
  follow(button.dataset.course);
  document.getElementById("live").scrollIntoView({ block: "nearest" });
});

document.addEventListener("endplate:job", (event) => {
  if (!plan || event.detail.case !== plan.dataset.case) return;
  const job = event.detail;
  const place = document.querySelector(`[data-then="reload"] [data-job="${CSS.escape(job.id)}"], [data-then="reload"][data-job="${CSS.escape(job.id)}"]`);
  if (place) {
    if (job.state === "done") location.reload();
    else if (job.state === "running") follow(job.id);
  } else if (["queued", "running"].includes(job.state)) elsewhere(job);
});

// Begun in another tab, or by somebody else
function elsewhere(job) {
  if (job.task === "rehearse") say(`Another rehearsal of this case was begun elsewhere: ${job.title}. Load the page again to see it; what you placed is kept in this tab.`);
  if (job.task === "measure") say("This case is being measured again: names and pictures of its levels may change. What you placed is kept in this tab.", true);
}

if (plan) {
  const running = document.querySelector('[data-then="reload"] [data-state="running"]');
  if (running) document.addEventListener("endplate:placed", () => follow(running.dataset.job), { once: true });
}
