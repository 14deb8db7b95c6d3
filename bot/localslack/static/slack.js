"use strict";
// Sends what the person does, and redraws the parts that the server says have changed.
const page = document.body.dataset;
const part = (id) => document.getElementById(id);
const where = () => `as=${page.as}&tab=${page.tab}&in=${page.in}`;
let modalKey = "";
let thread = "";
let editing = "";

function tell(text) {
  part("told").textContent = text;
  if (text) setTimeout(() => tell(""), 6000);
}

async function send(path, what) {
  const answer = await fetch(`${path}?${where()}`, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ ...what, channel: page.in }),
  });
  if (!answer.ok) tell((await answer.json()).error);
  return answer.ok;
}

const act = (what) => send("/page/act", what);

function draw(shown) {
  const body = part("body");
  const atEnd = body.scrollHeight - body.scrollTop - body.clientHeight < 120;
  if (body.dataset.drawn !== shown.body) {
    body.innerHTML = shown.body;
    body.dataset.drawn = shown.body;
    if (atEnd && page.tab !== "home") body.scrollTop = body.scrollHeight;
  }
  if (shown.modal_key !== modalKey) {
    modalKey = shown.modal_key;
    part("modal").innerHTML = shown.modal;
    const first = part("modal").querySelector(".inside input, .inside textarea, .inside select") || part("modal").querySelector("h2");
    if (first) first.focus();
  }
  const open = new Set([...part("calls").querySelectorAll("details[open]")].map((d) => d.textContent));
  if (!open.size) part("calls").innerHTML = shown.calls;
  part("time").textContent = shown.time;
  page.changes = shown.changes;
}

async function watch() {
  for (;;) {
    try {
      const answer = await fetch(`/page/changes?since=${page.changes}&${where()}`);
      draw(await answer.json());
    } catch {
      await new Promise((done) => setTimeout(done, 1500));
    }
  }
}

function press(target, value) {
  if (target.dataset.confirm && !confirm(target.dataset.confirm)) return;
  const place = target.closest("[data-place]").dataset.place;
  target.disabled = true;
  act({ do: "act", place, block: target.dataset.block, action: target.dataset.press || target.dataset.action, value })
    .finally(() => { target.disabled = false; });
}

document.addEventListener("click", (event) => {
  const target = event.target.closest("button, a[data-press]");
  if (!target) return;
  const data = target.dataset;
  if (data.press) press(target, data.value);
  else if (data.say) act({ do: "say", text: data.say });
  else if (data.shortcut) act({ do: "shortcut", callback_id: data.shortcut });
  else if (data.hours) send("/page/clock", { hours: data.hours });
  else if ("close" in data) act({ do: "close" });
  else if (data.delete) act({ do: "delete", ts: data.delete });
  else if (data.reply) compose("Replying in the thread", data.reply, "");
  else if (data.edit) compose("Editing your message", "", data.edit, data.text);
  else if ("stopReplying" in data) compose("", "", "", "");
});

function compose(label, inThread, edited, text) {
  thread = inThread;
  editing = edited;
  const note = document.querySelector(".replying");
  note.hidden = !label;
  note.firstElementChild.textContent = label;
  if (text !== undefined) part("text").value = text;
  part("text").focus();
}

document.addEventListener("change", (event) => {
  const field = event.target;
  if (!field.dataset || !field.dataset.live) return;
  press(field, valueOf(field.form || field.closest(".actions, .section, .choices"), field));
});

function valueOf(inside, field) {
  if (field.type === "checkbox") return [...inside.querySelectorAll("input:checked")].filter((f) => f.name === field.name).map((f) => f.value);
  if (field.multiple) return [...field.selectedOptions].map((option) => option.value);
  if (field.type === "datetime-local") return field.value ? Math.floor(new Date(field.value).getTime() / 1000) : null;
  return field.value;
}

document.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (event.target.id === "composer") {
    const box = part("text");
    const text = box.value;
    box.value = "";
    const sent = editing ? await act({ do: "edit", ts: editing, text }) : await act({ do: "say", text, thread_ts: thread || null });
    if (!sent) box.value = text;
    compose("", "", "", box.value);
    return;
  }
  const values = {};
  for (const field of event.target.querySelectorAll("[name]")) {
    if (field.type === "radio" && !field.checked) { values[field.name] ??= ""; continue; }
    values[field.name] = valueOf(event.target, field);
  }
  const send = event.target.querySelector("[type=submit]");
  send.disabled = true;
  await act({ do: "submit", values });
  send.disabled = false;
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && modalKey) act({ do: "close" });
  if (event.key === "Enter" && !event.shiftKey && event.target.id === "text") {
    event.preventDefault();
    if (event.target.value.trim()) event.target.form.requestSubmit();
  }
  if (event.key === "Tab" && modalKey) {
    const inside = [...part("modal").querySelectorAll("button, input, select, textarea, a")];
    const [first, last] = [inside[0], inside[inside.length - 1]];
    if (event.shiftKey && document.activeElement === first) { event.preventDefault(); last.focus(); }
    else if (!event.shiftKey && document.activeElement === last) { event.preventDefault(); first.focus(); }
  }
});

part("body").scrollTop = part("body").scrollHeight;
part("body").style.scrollBehavior = "auto";
act({ do: "open", tab: page.tab });
page.changes = -1;
watch();
