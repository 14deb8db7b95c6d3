// Keys and small comforts; every page works without this file.
(() => {
  "use strict";
  const typing = (e) => e.target.closest("input, textarea, select, [contenteditable]");
  const rows = () => [...document.querySelectorAll(".entry")];
  const current = () => document.activeElement && document.activeElement.closest(".entry");
  const step = (by) => {
    const all = rows(), here = current();
    const next = all[here ? all.indexOf(here) + by : 0];
    if (next) { next.querySelector("a.open").focus(); next.scrollIntoView({ block: "nearest" }); }
  };
  document.addEventListener("keydown", (e) => {
    if (e.key === "Escape" && typing(e)) { e.target.blur(); return; }
    if (e.ctrlKey || e.metaKey || e.altKey || typing(e)) return;
    const page = document.querySelector("[data-keys]");
    if (!page) return;
    const inbox = page.dataset.keys === "inbox";
    const act = {
      "j": () => step(1),
      "k": () => step(-1),
      "/": () => { const search = document.getElementById("words"); if (search) search.focus(); else location.href = "/inbox"; },
      "r": () => {
        if (inbox) { const row = current(); if (row) location.href = row.querySelector("a.open").href.split("#")[0] + "#reply"; return; }
        const box = document.getElementById("reply") || document.getElementById("claim");
        if (box) box.focus();
      },
      "e": () => { const button = (inbox ? current() : page)?.querySelector('[data-key="e"]'); if (button) button.click(); },
    }[e.key];
    if (act) { e.preventDefault(); act(); }
  });
  document.addEventListener("change", (e) => {
    const target = e.target.dataset && e.target.dataset.fill && document.getElementById(e.target.dataset.fill);
    if (target && e.target.value) { target.value = e.target.value; target.focus(); }
  });
  if (location.hash === "#reply") (document.getElementById("reply") || document.getElementById("claim"))?.focus();
})();
