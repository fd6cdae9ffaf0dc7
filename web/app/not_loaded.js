// No module: it works where one of them does not come, which would leave nothing to see.
addEventListener("error", ({ target }) => {
  if (target instanceof HTMLScriptElement) document.getElementById("not-loaded").hidden = false;
}, true);
