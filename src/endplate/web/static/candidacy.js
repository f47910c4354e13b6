// The form of the record: questions are found, and answers that were not saved are kept in the tab.
"use strict";

(() => {
  const form = document.getElementById("record");
  const panel = document.getElementById("answer");
  if (!form || !panel) return;
  let dirty = false;

  function question(path) { return document.getElementById(`q-${path}`); }

  function jump(path) {
    const place = question(path);
    if (!place) return;
    place.closest("details.part")?.setAttribute("open", "");
    place.hidden = false;
    form.querySelectorAll(".q.at").forEach((q) => q.classList.remove("at"));
    place.classList.add("at");
    place.scrollIntoView({ block: "center" });
    place.querySelector("input, select, textarea")?.focus({ preventScroll: true });
  }
  panel.parentElement.addEventListener("click", (event) => {
    const link = event.target.closest("[data-jump]");
    if (!link) return;
    event.preventDefault();
    jump(link.dataset.jump);
  });

  const find = document.getElementById("find");
  find?.addEventListener("input", (event) => {
    event.stopPropagation();
    const words = find.value.trim().toLowerCase();
    form.querySelectorAll("details.part").forEach((part) => {
      let seen = 0;
      part.querySelectorAll(".q").forEach((q) => {
        q.hidden = words !== "" && !q.dataset.words.includes(words);
        seen += q.hidden ? 0 : 1;
      });
      part.hidden = seen === 0;
      if (words) part.open = seen > 0;
    });
  });
  find?.addEventListener("keydown", (event) => { if (event.key === "Enter") event.preventDefault(); });

  // Answers that were not saved outlive a session that ran out, and a record that somebody else saved meanwhile: those
  // that were changed stay in this tab, and are put in again without touching any other
  const kept = form.dataset.kept;
  const entries = () => [...new FormData(form)].filter(([name]) => name.startsWith("f."));
  const saved = new Map(entries());
  const unsaved = (list) => list.filter(([name, value]) => (saved.get(name) ?? "") !== value);
  const forget = () => { try { sessionStorage.removeItem(kept); } catch (error) { /* nothing was kept */ } };

  form.addEventListener("input", () => {
    const changed = unsaved(entries());
    dirty = changed.length > 0;
    if (!dirty) { forget(); return; }
    try { sessionStorage.setItem(kept, JSON.stringify(changed)); } catch (error) { /* not kept */ }
  });
  form.addEventListener("submit", () => { dirty = false; });
  window.addEventListener("beforeunload", (event) => { if (dirty) event.preventDefault(); });

  function restore(list) {
    list.forEach(([name, value]) => {
      form.querySelectorAll(`[name="${CSS.escape(name)}"]`).forEach((field) => {
        if (field.type === "radio") field.checked = field.value === value;
        else field.value = value;
      });
    });
    form.dispatchEvent(new Event("endplate:restored"));
  }
  if (new URLSearchParams(location.search).has("saved")) {
    forget();
    history.replaceState(null, "", location.pathname);
  }
  let old = [];
  try { old = unsaved(JSON.parse(sessionStorage.getItem(kept)) ?? []); } catch (error) { old = []; }
  const offer = document.getElementById("restore");
  if (old.length && offer) {
    offer.hidden = false;
    offer.querySelector("[data-restore]").addEventListener("click", () => { restore(old); dirty = true; offer.hidden = true; });
    offer.querySelector("[data-forget]").addEventListener("click", () => { forget(); offer.hidden = true; });
  }
})();
