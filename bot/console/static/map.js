// The career map by hand and by key: filters at once, cards without a new page, arrows, size. The page works without this.
(() => {
  "use strict";
  const form = document.getElementById("choose"), roles = [...document.querySelectorAll(".role")];
  const lines = [...document.querySelectorAll(".steps path")];
  const svgs = [...document.querySelectorAll(".drawing svg")];
  const count = document.getElementById("count");
  const sheet = () => document.getElementById("sheet");
  let picked = new URLSearchParams(location.search).get("role") || "";

  const filter = () => {
    const wanted = new FormData(form);
    let shown = 0;
    for (const role of roles) {
      const d = role.dataset;
      const fits = (!wanted.get("family") || d.family === wanted.get("family")) && !(wanted.get("no_patients") && d.patients === "1")
        && !(wanted.get("no_degree") && d.degree === "1") && !(wanted.get("growing") && d.growing !== "1");
      role.classList.toggle("off", !fits);
      if (fits && role.closest(".wide")) shown += 1;
    }
    count.textContent = count.dataset.words.replace("{n}", shown);
  };

  const mark = (slug) => {
    const near = new Set();
    for (const line of lines) {
      const on = slug !== "" && (line.dataset.from === slug || line.dataset.to === slug);
      line.classList.toggle("on", on);
      if (on && line.dataset.from === slug) near.add(line.dataset.to);
    }
    for (const role of roles) {
      role.classList.toggle("near", near.has(role.dataset.role));
      role.classList.toggle("picked", role.dataset.role === slug);
    }
  };

  const address = () => {
    const query = new URLSearchParams(new FormData(form));
    for (const [name, value] of [...query]) if (!value) query.delete(name);
    if (picked) query.set("role", picked);
    return `/map?${query}`;
  };

  const open = async (slug) => {
    picked = slug;
    mark(slug);
    const to = address();
    history.replaceState(null, "", to);
    if (!slug) { sheet().hidden = true; return; }
    const answer = await fetch(to, { credentials: "omit" });
    if (!answer.ok || picked !== slug) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    sheet().replaceWith(page.getElementById("sheet"));
    const seen = roles.find((role) => role.dataset.role === slug && role.getClientRects().length);
    if (seen && matchMedia("(max-width: 760px)").matches) seen.scrollIntoView({ block: "start" });  // above the sheet
  };

  const middle = (role) => {
    const box = role.querySelector(".box");
    return { x: +box.getAttribute("x"), y: +box.getAttribute("y") };
  };
  const beside = (role, key) => {
    const here = middle(role), all = [...role.closest("svg").querySelectorAll(".role:not(.off)")].filter((other) => other !== role);
    const ahead = all.map((other) => {
      const at = middle(other), dx = at.x - here.x, dy = at.y - here.y;
      const along = { ArrowRight: dx, ArrowLeft: -dx, ArrowDown: dy, ArrowUp: -dy }[key];
      const across = key === "ArrowRight" || key === "ArrowLeft" ? Math.abs(dy) : Math.abs(dx);
      return { other, along, cost: along + 2 * across };
    }).filter((each) => each.along > 4).sort((one, two) => one.cost - two.cost);
    return ahead.length ? ahead[0].other : null;
  };

  let size = 1;
  const zoom = (how) => {
    size = how === "fit" ? 1 : Math.min(4, Math.max(1, size * (how === "in" ? 1.3 : 1 / 1.3)));
    for (const svg of svgs) svg.style.width = `${size * 100}%`;
  };

  document.querySelector(".zoom").hidden = false;
  document.querySelector(".zoom").addEventListener("click", (e) => { const how = e.target.dataset.zoom; if (how) zoom(how); });
  form.addEventListener("change", (e) => {
    if (e.target.name === "from" || e.target.name === "to") {
      if (form.elements.from.value && form.elements.to.value) { picked = ""; location.href = address(); }
      return;
    }
    filter();
    history.replaceState(null, "", address());
  });
  document.addEventListener("click", (e) => {
    const role = e.target.closest("[data-role]"), close = e.target.closest("#sheet .close");
    if (e.ctrlKey || e.metaKey || e.shiftKey) return;
    if (role) { e.preventDefault(); open(role.dataset.role); }
    else if (close && picked) { e.preventDefault(); open(""); }
  });
  document.addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || e.target.closest("select")) return;
    const role = document.activeElement && document.activeElement.closest(".role");
    if (role && e.key.startsWith("Arrow")) {
      const next = beside(role, e.key);
      if (next) { e.preventDefault(); next.focus(); next.scrollIntoView({ block: "nearest", inline: "nearest" }); }
    } else if (e.key === "+" || e.key === "=") zoom("in");
    else if (e.key === "-") zoom("out");
    else if (e.key === "Escape" && picked) { const last = picked; open(""); roles.find((each) => each.dataset.role === last && each.getClientRects().length)?.focus(); }
  });
  if (picked) mark(picked);
})();
