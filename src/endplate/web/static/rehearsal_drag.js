// An end of the needle is moved by pointer or by arrow keys; in a plane that holds the needle it keeps it in the plane.
"use strict";

let drag = null;

function pointer(svg, event) {
  const place = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
  return [place.x, place.y];
}

function shift(end, by) {
  const line = state.lines[state.side];
  line[end] = plus(line[end], by);
  state.moved = true;
  keep();
}

function move(end, plane, by) { shift(end, plus(plane.right.map((x) => x * by[0]), plane.down, by[1])); }

function arrow(event) {
  const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  if (!by || !event.target.closest(".grip")) return null;
  event.preventDefault();
  event.stopPropagation();
  const mm = event.shiftKey ? 2 : 0.5;
  return [mm * by[0], mm * by[1]];
}

function bindDrag() {
  document.querySelectorAll(".plane[data-plane] svg").forEach((svg) => {
    const name = svg.closest(".plane").dataset.plane;
    svg.addEventListener("pointerdown", (event) => {
      const held = event.target.closest(".grip");
      if (!held) return;
      event.preventDefault();
      held.focus();
      svg.setPointerCapture(event.pointerId);
      drag = { svg, name, end: held.dataset.end, plane: planes()[name], at: pointer(svg, event) };
    });
    svg.addEventListener("pointermove", (event) => {
      if (drag?.svg !== svg) return;
      const at = pointer(svg, event);
      move(drag.end, drag.plane, [at[0] - drag.at[0], at[1] - drag.at[1]]);
      drag.at = at;
      ask();
      drawSoon({ name, plane: drag.plane });
    });
    ["pointerup", "pointercancel"].forEach((kind) => svg.addEventListener(kind, () => {
      if (drag?.svg !== svg) return;
      drag = null;
      draw();
      ask();
    }));
    svg.addEventListener("keydown", (event) => {
      const by = arrow(event);
      if (!by) return;
      move(event.target.closest(".grip").dataset.end, planes()[name], by);
      draw();
      ask();
    });
  });
}
