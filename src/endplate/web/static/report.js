// The report that is being written again is shown as soon as that is done.
"use strict";

document.addEventListener("endplate:job", (event) => {
  const place = document.querySelector(`[data-then="reload"] [data-job="${CSS.escape(event.detail.id)}"]`);
  if (place && event.detail.state === "done") location.reload();
});
