// What the rule sets say, anew with each answer: one request at a time, the latest answers last. Of what comes back only
// cells that differ are touched, and marked where the verdict itself differs. What to ask next follows in a pause.
"use strict";

(() => {
  const PAUSE_MS = 700;
  const LONGEST_MS = 20000;
  const form = document.getElementById("record");
  const panel = document.getElementById("answer");
  const next = document.getElementById("next");
  const dialog = document.getElementById("reasons");
  if (!form || !panel) return;
  let busy = false;
  let waiting = false;
  let pause = 0;

  async function ask(what) {
    const answer = await fetch(form.dataset.asks + what, {
      method: "POST",
      headers: { "X-CSRF-Token": csrf(), "HX-Request": "true" },
      body: new URLSearchParams(new FormData(form)),
      signal: AbortSignal.timeout(LONGEST_MS),
    });
    const part = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (answer.ok) return part;
    say(part.body.textContent.trim() || "The server refused this.", true);
    return null;
  }

  async function guarded(work) {
    try { await work(); } catch (error) { say("The server does not answer; nothing was changed.", true); }
  }

  async function weigh() {
    clearTimeout(pause);
    waiting = true;
    if (busy) return;
    busy = true;
    while (waiting) {
      waiting = false;
      await guarded(async () => {
        const part = await ask("answer");
        if (part) { say(""); show(part); }
      });
    }
    busy = false;
    if (!next.hidden) pause = setTimeout(askNext, PAUSE_MS);
  }

  async function askNext() {
    await guarded(async () => {
      const part = await ask("next");
      if (part && !busy) next.replaceChildren(...part.body.childNodes);
    });
  }

  function show(part) {
    showStanding(part.getElementById("standing"));
    const count = showMatrix(part.getElementById("matrix"));
    next.hidden = !document.getElementById("matrix");
    form.querySelectorAll(".q.unfit").forEach((q) => q.classList.remove("unfit"));
    panel.querySelectorAll("[data-fault]").forEach((line) =>
      document.getElementById(`q-${line.dataset.fault}`)?.classList.add("unfit"));
    const words = count === 1 ? "One verdict" : `${count || "No"} verdicts`;
    document.getElementById("changes").textContent = `${words} changed by the last answer.`;
    document.dispatchEvent(new Event("endplate:weighed"));
  }

  function showStanding(fresh) {
    const here = document.getElementById("standing");
    const was = [...here.querySelectorAll("details")].map((one) => one.open);
    here.querySelectorAll("details").forEach((one) => { one.open = false; });
    if (here.innerHTML !== fresh.innerHTML) here.replaceChildren(...fresh.childNodes);
    here.querySelectorAll("details").forEach((one, place) => { one.open = was[place] ?? false; });
  }

  const cellsOf = (place) => [...place.querySelectorAll("[data-cell]")];
  const saidIn = (place) => new Map(cellsOf(place).map((cell) => [cell.dataset.cell, cell.dataset.says]));
  const order = (place) => cellsOf(place).map((cell) => cell.dataset.cell).join(";");
  // A record that cannot be weighed for a moment shows no cells; what they said last is what the next ones differ from
  let before = saidIn(panel);

  function showMatrix(fresh) {
    const here = document.getElementById("matrix");
    if (!fresh) { here?.remove(); return 0; }
    if (here && order(here) === order(fresh)) {
      const cells = cellsOf(here);
      cellsOf(fresh).forEach((cell, place) => put(cells[place], cell));
    } else if (here) here.replaceWith(fresh);
    else panel.append(fresh);
    let count = 0;
    cellsOf(panel).forEach((cell) => { count += mark(cell, before.get(cell.dataset.cell)); });
    before = saidIn(panel);
    return count;
  }

  function put(cell, fresh) {
    if (cell.innerHTML !== fresh.innerHTML) cell.innerHTML = fresh.innerHTML;
    if (cell.className !== fresh.className) cell.className = fresh.className;
    cell.dataset.says = fresh.dataset.says;
    cell.removeAttribute("title");
  }

  function mark(cell, was) {
    if (was === undefined || was === cell.dataset.says) return 0;
    cell.classList.add("changed");
    cell.title = `Changed by the last answer; before: ${was}`;
    return 1;
  }

  panel.addEventListener("click", (event) => {
    const cell = event.target.closest("[data-cell]");
    if (!cell) return;
    guarded(async () => {
      const part = await ask(`reasons/${cell.dataset.cell.replace(" ", "/")}`);
      if (!part) return;
      document.getElementById("reasons-body").replaceChildren(...part.body.childNodes);
      if (!dialog.open) dialog.showModal();
    });
  });
  form.addEventListener("input", weigh);
  form.addEventListener("endplate:restored", weigh);
  next.hidden = !document.getElementById("matrix");
  if (!next.hidden) pause = setTimeout(askNext, PAUSE_MS);
})();
