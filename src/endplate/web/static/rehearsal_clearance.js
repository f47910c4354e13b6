// Clearances of the needle follow from the server, in numbers and in words.
"use strict";

// One request at a time; the last place wins
async function ask() {
  if (!state.lines[state.side]) return;
  if (state.busy) { state.again = true; return; }
  state.busy = true;
  const { entry, target } = state.lines[state.side];
  const asked = new URLSearchParams({
    level: plan.dataset.level, side: state.side, entry: text3(entry), target: text3(target), needle: form.needle.value,
    procedure: form.procedure.value, balloon: form.balloon.value, seen: plan.dataset.seen,
  });
  const began = performance.now();
  try {
    const answer = await fetch(`${here()}/clearance?${asked}`, { headers: PART });
    if (answer.ok) show(await answer.json());
    else unknown(await refusal(answer));
    state.answers.push(performance.now() - began);
    plan.dataset.answered = String(state.answers.length);
    plan.dataset.last = state.answers.at(-1).toFixed(1);
  } catch (error) {
    unknown("The server does not answer. What you placed is kept in this tab.");
  } finally { state.busy = false; }
  if (state.again) { state.again = false; ask(); }
}

async function refusal(answer) {
  const part = new DOMParser().parseFromString(await answer.text(), "text/html");
  const words = part.body.textContent.trim() || "The server refused this.";
  return answer.status === 401 ? `Your session ran out: ${words} What you placed and chose is kept in this tab; sign in, then open this page again.` : words;
}

// Where nothing is known of the needle as it lies now, no former verdict may stand
function unknown(words) {
  say(words, true);
  state.answer = null;
  const place = document.getElementById("verdict");
  place.className = "verdict refused";
  place.textContent = "The clearances of the needle as it lies now are not known.";
  document.querySelector("#clearances tbody").replaceChildren();
  document.getElementById("course").textContent = "";
}

function show(answer) {
  state.answer = answer;
  const place = document.getElementById("verdict");
  place.className = `verdict ${answer.verdict}`;
  place.textContent = answer.said;
  document.querySelector("#clearances tbody").replaceChildren(...answer.clearances.map((row) => {
    const line = document.createElement("tr");
    const last = row.mm < 0 ? "breaks it" : row.kept ? (row.mm >= row.wanted ? "kept" : "tight") : "too near";
    [row.wall, row.mm.toFixed(1), row.band.toFixed(1), row.least.toFixed(1), last].forEach((words) => {
      const cell = document.createElement("td");
      cell.textContent = words;
      line.append(cell);
    });
    return line;
  }));
  document.getElementById("course").textContent = answer.words;
  document.querySelectorAll(".shaft").forEach((shaft) => shaft.classList.toggle("refused", answer.verdict === "refused"));
  document.querySelectorAll(".plane[data-plane] .shaft").forEach((shaft) => shaft.setAttribute("stroke-width", answer.outer_mm));
  document.dispatchEvent(new CustomEvent("endplate:needle"));
}
