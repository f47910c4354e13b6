// What every page does: theme, CSRF token for htmx, progress of jobs, files that are dropped, keys of the worklist.
"use strict";

const csrf = () => document.querySelector('meta[name="csrf"]')?.content ?? "";

function say(words, alarm = false) {
  const notice = document.getElementById("notice");
  if (!notice) return;
  notice.textContent = words;
  notice.classList.toggle("refusal", alarm && words !== "");
}

// Theme
function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

function showTheme() {
  const button = document.getElementById("theme");
  if (!button) return;
  button.setAttribute("aria-pressed", String(isDark()));
}

document.getElementById("theme")?.addEventListener("click", () => {
  const theme = isDark() ? "light" : "dark";
  document.documentElement.dataset.theme = theme;
  try { localStorage.setItem("endplate-theme", theme); } catch (error) { /* it lasts until the page is left */ }
  showTheme();
  document.dispatchEvent(new CustomEvent("endplate:theme", { detail: theme }));
});
showTheme();

// htmx sends the token of the session, and shows what was refused
document.addEventListener("htmx:configRequest", (event) => { event.detail.headers["X-CSRF-Token"] = csrf(); });
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.xhr.status < 400) {  // what went wrong before is over; other words stay
    if (document.getElementById("notice")?.classList.contains("refusal")) say("");
    return;
  }
  event.detail.shouldSwap = false;
  const part = new DOMParser().parseFromString(event.detail.xhr.responseText, "text/html");
  say(part.body.textContent.trim() || "The server refused this.", true);
});
document.addEventListener("htmx:sendError", () => say("The server does not answer; nothing was changed.", true));

// Progress of jobs: one stream while the page is seen
let stream = null;

function setText(place, selector, words) {
  const found = place.querySelector(selector);
  if (found && found.textContent !== words) found.textContent = words;
}

function jobChanged(job) {
  document.querySelectorAll(`[data-job="${CSS.escape(job.id)}"]`).forEach((place) => {
    if (place.dataset.state !== job.state) {
      if (job.state === "running" && place.dataset.state === "queued") place.dataset.state = job.state;
      else { jobEnded(place, job); return; }
    }
    const bar = place.querySelector("progress");
    if (bar) bar.value = job.percent;
    setText(place, "[data-words]", job.words);
    setText(place, "[data-detail]", job.detail);
    setText(place, "[data-left]", job.left);
  });
  document.dispatchEvent(new CustomEvent("endplate:job", { detail: job }));
}

function jobEnded(place, job) {
  const row = place.closest(".case");
  place.dataset.state = job.state;
  if (row && job.case) {
    fetch(`/cases/${job.case}/row`, { headers: { "HX-Request": "true" } }).then(async (answer) => {
      if (!answer.ok) return;
      const part = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = part.querySelector(".case");
      if (!fresh) return;
      row.replaceWith(fresh);
      window.htmx?.process(fresh);
      freshCounts();
    });
  } else {
    window.htmx?.ajax("GET", `/jobs/${job.id}`, { target: place, swap: "outerHTML" });
  }
}

async function freshCounts() {
  const answer = await fetch(location.href);
  if (!answer.ok) return;
  const part = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = part.querySelector(".filters");
  if (fresh) document.querySelector(".filters")?.replaceWith(fresh);
}

function listen() {
  if (document.hidden || !document.getElementById("theme")) { stream?.close(); stream = null; return; }
  if (stream) return;
  const open = [...document.querySelectorAll('[data-job][data-state="queued"], [data-job][data-state="running"]')];
  stream = new EventSource(`/jobs/events?jobs=${open.map((place) => place.dataset.job).join(",")}`);
  stream.addEventListener("job", (event) => jobChanged(JSON.parse(event.data)));
}
document.addEventListener("visibilitychange", listen);
window.addEventListener("pagehide", () => { stream?.close(); stream = null; });
window.addEventListener("pageshow", listen);
listen();

// Files that are dropped or chosen
function filesOf(entry) {
  return new Promise((resolve, reject) => {
    if (entry.isFile) { entry.file((file) => resolve([file]), reject); return; }
    const reader = entry.createReader();
    const all = [];
    const more = () => reader.readEntries(async (entries) => {
      if (!entries.length) { resolve((await Promise.all(all.map(filesOf))).flat()); return; }
      all.push(...entries);
      more();
    }, reject);
    more();
  });
}

async function droppedFiles(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  return entries.length ? (await Promise.all(entries.map(filesOf))).flat() : [...transfer.files];
}

function send(form, files) {
  const state = form.querySelector(".state");
  const bar = form.querySelector("progress");
  if (!files.length) { state.textContent = "No file was given."; return; }
  const data = new FormData();
  data.append("name", form.querySelector('[name="name"]')?.value ?? "");
  data.append("how", form.querySelector('[name="how"]')?.value ?? "");
  files.forEach((file) => data.append("files", file, file.name));
  const request = new XMLHttpRequest();
  request.open("POST", form.action);
  request.setRequestHeader("X-CSRF-Token", csrf());
  request.setRequestHeader("Accept", "application/json");
  request.setRequestHeader("HX-Request", "true");
  request.upload.addEventListener("progress", (event) => {
    if (!event.lengthComputable) return;
    bar.hidden = false;
    bar.value = 100 * event.loaded / event.total;
    state.textContent = event.loaded < event.total ? "Sending" : "Looking at what was given";
  });
  request.addEventListener("error", () => { state.textContent = "The server does not answer; nothing was kept."; });
  request.addEventListener("load", () => {
    bar.hidden = true;
    if (request.status < 300) { location.href = form.dataset.after; return; }
    const part = new DOMParser().parseFromString(request.responseText, "text/html");
    state.textContent = part.body.textContent.trim() || "The server refused this.";
    state.classList.add("refusal");
  });
  state.classList.remove("refusal");
  state.textContent = files.length === 1 ? `Sending ${files[0].name}` : `Sending ${files.length} files`;
  request.send(data);
}

const drop = document.getElementById("drop");
if (drop) {
  drop.classList.add("scripted");
  drop.querySelectorAll('input[type="file"]').forEach((input) =>
    input.addEventListener("change", () => { send(drop, [...input.files]); input.value = ""; }));
  ["dragenter", "dragover"].forEach((kind) => document.addEventListener(kind, (event) => {
    if (![...event.dataTransfer.types].includes("Files")) return;
    event.preventDefault();
    drop.classList.add("over");
  }));
  document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) drop.classList.remove("over"); });
  document.addEventListener("drop", async (event) => {
    if (![...event.dataTransfer.types].includes("Files")) return;
    event.preventDefault();
    drop.classList.remove("over");
    send(drop, await droppedFiles(event.dataTransfer));
  });
}

// What is typed into a form is kept until it was taken: a session may run out, a page may be left. The key of the form
// changes once the server took it. Forms of a part that is put in later, such as those of a level, are kept alike.
function keepTyped(form) {
  const key = `endplate-${location.pathname}-${form.dataset.keep}`;
  let kept = null;
  try { kept = JSON.parse(sessionStorage.getItem(key)); } catch (error) { kept = null; }
  if (kept) {
    [...form.elements].filter((one) => one.name && one.type !== "hidden").forEach((one) => {
      if (one.type === "radio" || one.type === "checkbox") one.checked = (kept[one.name] ?? []).includes(one.value);
      else if (kept[one.name]) one.value = kept[one.name][0];
    });
    const folded = form.closest("details");
    if (folded) folded.open = true;
    say("What was typed here before and not taken yet is offered again.");
  }
  form.addEventListener("input", () => {
    const typed = {};
    new FormData(form).forEach((value, name) => { if (name !== "csrf") (typed[name] ??= []).push(value); });
    try { sessionStorage.setItem(key, JSON.stringify(typed)); } catch (error) { /* it lasts until the page is left */ }
  });
}
document.querySelectorAll("form[data-keep]").forEach(keepTyped);
const levelPart = document.getElementById("level");
if (levelPart?.tagName === "SECTION") {
  new MutationObserver(() => levelPart.querySelectorAll("form[data-keep]").forEach(keepTyped))
    .observe(levelPart, { childList: true });
}

// Keys: / to search, j and k through the worklist
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest('input:not([type="file"]), textarea, select, [contenteditable]')) return;
  const links = [...document.querySelectorAll(".cases h2 a")];
  const at = links.indexOf(document.activeElement);
  if (event.key === "/" && document.getElementById("q")) { event.preventDefault(); document.getElementById("q").focus(); }
  if (event.key === "j" && links.length) links[Math.min(at + 1, links.length - 1)].focus();
  if (event.key === "k" && links.length) links[Math.max(at - 1, 0)].focus();
});
