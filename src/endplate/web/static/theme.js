// Before the page is drawn: the theme that was chosen; else that of the system.
"use strict";
(function () {
  var chosen = null;
  try { chosen = localStorage.getItem("endplate-theme"); } catch (error) { chosen = null; }
  if (chosen === "dark" || chosen === "light") document.documentElement.dataset.theme = chosen;
})();
