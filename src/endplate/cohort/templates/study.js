"use strict";
// Marks of a person on the contact sheet: by case and level the person's grade, "?" or "label" for a wrong label.
(function () {
  const place = document.getElementById("cases");
  if (!place) return;
  const cases = JSON.parse(place.textContent);
  const byId = new Map(cases.map((one, index) => [one.id, index]));
  const figures = Array.from(document.querySelectorAll("figure.case"));
  const marks = new Map();
  const notes = new Map();
  const choices = ["0", "1", "2", "3", "?", "label"];
  const viewer = document.getElementById("viewer");
  const get = (id) => document.getElementById(id);
  let shown = 0;
  let saved = true;

  const keyOf = (id, level) => JSON.stringify([id, level]);
  const markOf = (one, level) => marks.get(keyOf(one.id, level));

  function mark(one, level, value) {
    const key = keyOf(one.id, level);
    if (marks.get(key) === value) marks.delete(key);
    else marks.set(key, value);
    saved = false;
    changed(one);
  }

  function changed(one) {
    const figure = figures[byId.get(one.id)];
    const done = one.levels.length > 0 && one.levels.every((l) => markOf(one, l.level) !== undefined);
    figure.classList.toggle("marked", done);
    const full = figures.filter((f) => f.classList.contains("marked")).length;
    get("state").textContent = `${full} of ${cases.length} cases marked, ${marks.size} levels` + (saved ? "" : ", not saved yet");
  }

  function show(index) {
    shown = (index + cases.length) % cases.length;
    const one = cases[shown];
    const frame = get("big");
    frame.replaceChildren(...Array.from(figures[shown].querySelector(".frame").children, (n) => n.cloneNode(true)));
    for (const badge of frame.querySelectorAll(".grade")) badge.textContent = badge.dataset.level + ": " + badge.textContent;
    get("name").textContent = one.id;
    get("about").textContent = one.about;
    if (one.page) {
      const link = document.createElement("a");
      link.href = "cases/" + encodeURIComponent(one.folder) + "/report.html";
      link.textContent = " report";
      get("about").append(link);
    }
    get("note").value = notes.get(one.id) || "";
    rows(one);
    if (!viewer.open) viewer.showModal();
  }

  function rows(one) {
    const body = get("marks").tBodies[0];
    body.replaceChildren(...one.levels.map((level) => {
      const row = document.createElement("tr");
      const name = document.createElement("th");
      name.textContent = level.level;
      const cell = document.createElement("td");
      for (const choice of choices) {
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = choice === "label" ? "wrong label" : choice;
        button.title = choice === "?" ? "not sure" : choice === "label" ? "the label lies on another vertebra, or beside it" : "grade " + choice;
        if (choice === level.grade) button.classList.add("measured");
        button.setAttribute("aria-pressed", String(markOf(one, level.level) === choice));
        button.addEventListener("click", () => { mark(one, level.level, choice); rows(one); });
        cell.append(button);
      }
      row.append(name, cell);
      return row;
    }));
  }

  function agree() {
    const one = cases[shown];
    for (const level of one.levels) marks.set(keyOf(one.id, level.level), level.grade);
    saved = false;
    changed(one);
    rows(one);
  }

  // A cell that a spreadsheet would take for a formula gets an apostrophe, as endplate's own tables do.
  function cell(text) {
    const number = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
    const safe = /^[=+\-@\t\r\n＝＋－＠]/.test(text) && !number.test(text) ? "'" + text : text;
    return /[",\r\n]/.test(safe) ? '"' + safe.replace(/"/g, '""') + '"' : safe;
  }

  function table() {
    const lines = [["id", "level", "grade", "measured", "mark", "note"]];
    const reader = get("reader").value.trim();
    for (const one of cases) {
      for (const level of one.levels) {
        const value = markOf(one, level.level);
        if (value === undefined) continue;
        const grade = /^[0-3]$/.test(value) ? value : "";
        const word = value === "label" ? "wrong label" : value === "?" ? "not sure" : value === level.grade ? "as measured" : "changed";
        const note = [notes.get(one.id), reader && "by " + reader].filter(Boolean).join("; ");
        lines.push([one.id, level.level, grade, level.grade, word, note]);
      }
    }
    return "\ufeff" + lines.map((line) => line.map(cell).join(",")).join("\r\n") + "\r\n";
  }

  function save() {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([table()], { type: "text/csv;charset=utf-8" }));
    link.download = "marks.csv";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    saved = true;
    if (cases.length) changed(cases[0]);
  }

  function parsed(text) {
    const lines = [[""]];
    let quoted = false;
    for (let i = text.charCodeAt(0) === 0xfeff ? 1 : 0; i < text.length; i++) {
      const c = text[i];
      const line = lines[lines.length - 1];
      if (quoted && c === '"' && text[i + 1] === '"') { line[line.length - 1] += '"'; i++; }
      else if (c === '"') quoted = !quoted;
      else if (!quoted && c === ",") line.push("");
      else if (!quoted && c === "\n") lines.push([""]);
      else if (quoted || c !== "\r") line[line.length - 1] += c;
    }
    return lines;
  }

  function load(text) {
    const [heads, ...lines] = parsed(text);
    const at = (line, name) => line[heads.indexOf(name)] || "";
    let taken = 0;
    for (const line of lines) {
      const id = at(line, "id").replace(/^'(?=[=+\-@])/, "");
      const index = byId.get(id);
      if (index === undefined) continue;
      const level = cases[index].levels.find((l) => l.level === at(line, "level"));
      if (!level) continue;
      const word = at(line, "mark");
      const value = word === "wrong label" ? "label" : word === "not sure" ? "?" : at(line, "grade") || (word === "as measured" ? level.grade : "");
      if (!choices.includes(value)) continue;
      marks.set(keyOf(id, level.level), value);
      const note = at(line, "note").replace(/;? ?by [^;]*$/, "");
      if (note) notes.set(id, note);
      taken++;
    }
    for (const one of cases) changed(one);
    get("state").textContent += `; ${taken} marks loaded`;
  }

  function filter() {
    const wanted = get("filter").value;
    figures.forEach((figure, index) => {
      const grades = cases[index].levels.map((l) => l.grade);
      const fits = wanted === "all" || (wanted === "graded" && grades.some((g) => g > "0" && g <= "3")) ||
        (wanted === "open" && grades.includes("?")) || (wanted === "unmarked" && !figure.classList.contains("marked"));
      figure.hidden = !fits;
    });
  }

  figures.forEach((figure, index) => {
    figure.addEventListener("click", () => show(index));
    figure.addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); show(index); } });
  });
  get("back").addEventListener("click", () => show(shown - 1));
  get("next").addEventListener("click", () => show(shown + 1));
  get("agree").addEventListener("click", agree);
  get("close").addEventListener("click", () => viewer.close());
  get("save").addEventListener("click", save);
  get("filter").addEventListener("change", filter);
  get("note").addEventListener("input", () => { notes.set(cases[shown].id, get("note").value); saved = false; });
  get("load").addEventListener("change", (event) => {
    const file = event.target.files[0];
    if (file) file.text().then(load);
  });
  document.addEventListener("keydown", (event) => {
    if (!viewer.open || event.target.tagName === "INPUT") return;
    if (event.key === "ArrowRight") show(shown + 1);
    if (event.key === "ArrowLeft") show(shown - 1);
    if (event.key === "a") agree();
  });
  window.addEventListener("beforeunload", (event) => { if (!saved && marks.size) event.preventDefault(); });
})();
