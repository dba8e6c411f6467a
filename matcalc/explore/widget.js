// The explorer of a derivation. What it shows is `page`; what it asks are `notation` and `asked`; the answer is `verdict`.

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function math(formula, big = true) {
  const place = element("span");
  const trust = (context) => context.command === "\\htmlData";
  try {
    katex.render(big ? `\\displaystyle ${formula}` : formula, place, { strict: "ignore", trust });
  } catch {
    place.textContent = formula;
    place.className = "failed";
  }
  return place;
}

/** Words with formulas between dollars. */
function mixed(text, className = "") {
  const parts = text.split("$").map((part, k) => (k % 2 ? math(part, false) : part));
  return element("span", { className }, ...parts);
}

function remarks(row) {
  const said = [];
  if (row.remark) said.push(mixed(row.remark, "remark"));
  if (row.shape) said.push(mixed(row.shape, "remark"));
  return said;
}

function line(row) {
  return element("div", { className: "line" }, math(row.formula), ...remarks(row));
}

/** A chain of equal expressions. */
function chain({ left, sign = "=", rows }) {
  return rows.map((row, k) =>
    element("div", { className: k ? "line more" : "line" }, math(k ? `= ${row.formula}` : `${left} ${sign} ${row.formula}`), ...remarks(row)));
}

function folded(summary, body, open) {
  const made = element("details", { open }, element("summary", {}, summary), element("div", { className: "body" }, ...body));
  return made;
}

function render({ model, el }) {
  const root = element("div", { className: "matcalc-explorer" });
  const tip = element("div", { className: "tip", hidden: true });
  const live = element("div", { className: "unseen" });
  live.setAttribute("aria-live", "polite");
  const content = element("div");
  const own = {}; // by name: what was typed, the verdict on it, whether the answer is shown
  let number = 0;
  let practice = false;
  const closed = new Set();

  // ---------------------------------------------------------------------------------------------- the menus

  function menu(label, field, choices) {
    const select = element("select", {}, ...choices.map(([value, words]) => element("option", { value, textContent: words })));
    select.value = model.get("notation")[field];
    select.addEventListener("change", () => choose(field, select.value));
    return element("label", {}, `${label} `, select);
  }

  function tick(label, start, changed) {
    const box = element("input", { type: "checkbox", checked: start });
    box.addEventListener("change", () => changed(box.checked));
    return element("label", {}, box, ` ${label}`);
  }

  function choose(field, value) {
    model.set("notation", { ...model.get("notation"), [field]: value });
    model.save_changes();
  }

  function button(label, clicked) {
    const made = element("button", { type: "button", textContent: label });
    made.addEventListener("click", clicked);
    return made;
  }

  function foldAll(open) {
    for (const part of content.querySelectorAll("details:not(.all)")) part.open = open;
  }

  const bar = element("div", { className: "bar" },
    menu("Transpose", "transpose", [["⊤", "⊤"], ["′", "′"], ["T", "T"]]),
    menu("Adjoints", "adjoint", [["delta", "δ"], ["bar", "bar"], ["partial", "∂"]]),
    tick("bold", model.get("notation").bold, (on) => choose("bold", on)),
    tick("practise", false, (on) => { practice = on; show(); }),
    button("Fold all", () => foldAll(false)),
    button("Unfold all", () => foldAll(true)));

  // ---------------------------------------------------------------------------------------------- the steps

  function asks(name, found) {
    const state = (own[name] ??= { text: "", verdict: null, shown: false });
    const field = element("input", { type: "text", value: state.text, spellcheck: false });
    field.setAttribute("aria-label", `Your gradient by ${name}`);
    field.addEventListener("input", () => { state.text = field.value; });
    field.addEventListener("keydown", (event) => {
      event.stopPropagation(); // the notebook has keys of its own
      if (event.key === "Enter") judge(name);
    });
    const parts = [math(`${found.left} =`, false), field, button("Judge", () => judge(name))];
    if (!state.shown) parts.push(button("Show", () => { state.shown = true; show(); }));
    if (state.verdict) parts.push(element("div", { className: `verdict ${state.verdict.status}`, textContent: state.verdict.text }));
    if (state.verdict?.more) {
      const more = element("div", { className: "verdict", textContent: state.verdict.more });
      parts.push(element("details", { className: "all" }, element("summary", { textContent: "All that is known of it" }), more));
    }
    const made = [element("div", { className: "line" }, ...parts)];
    if (state.shown || state.verdict?.status === "proved") made.push(...chain(found));
    return element("div", { className: "found" }, ...made);
  }

  function judge(name) {
    if (!own[name].text.trim()) return;
    own[name].verdict = { status: "", text: "…" };
    number += 1;
    model.set("asked", { number, name, text: own[name].text });
    model.save_changes();
    show();
  }

  function answered() {
    const verdict = model.get("verdict");
    if (verdict.number !== number || !own[verdict.name]) return;
    own[verdict.name].verdict = verdict;
    live.textContent = verdict.text.split("\n")[0];
    show();
  }

  /** Whether a step's answers are still to be found: then what would give them away is hidden. */
  function isOpen(part) {
    return practice && part.names.some((name) => !own[name]?.shown && own[name]?.verdict?.status !== "proved");
  }

  function step(part, k) {
    const body = part.inline ? [element("div", { className: "line" }, math(part.inline))] : [];
    body.push(...part.lines.flatMap((e) => chain({ ...e, rows: isOpen(part) ? e.rows.slice(0, 1) : e.rows })));
    part.found.forEach((found, i) => {
      const name = part.names[i];
      body.push(practice && name ? asks(name, found) : element("div", { className: "found" }, ...chain(found)));
    });
    return section(`step ${k}`, element("span", {}, `${k + 1}. `, mixed(part.heading)), body);
  }

  function section(key, summary, body) {
    const made = folded(summary, body, !closed.has(key));
    made.addEventListener("toggle", () => (made.open ? closed.delete(key) : closed.add(key)));
    return made;
  }

  function show() {
    const page = model.get("page");
    const focused = document.activeElement?.getAttribute?.("aria-label");
    const parts = [];
    if (page.title) parts.push(element("h3", { textContent: page.title }));
    const variables = page.variables.map((row) => element("div", { className: "line" }, math(row.formula), mixed(row.remark, "remark")));
    if (page.notice) variables.push(element("div", { className: "remark", textContent: page.notice }));
    parts.push(section("variables", "Variables", variables));
    if (page.forward.length) parts.push(section("forward", "Forward graph", page.forward.map(line)));
    if (page.needed.length) {
      parts.push(section("needed", "Needed", page.needed.map((fact) =>
        element("div", { className: "line" }, mixed(fact.text), mixed(fact.remark, "remark")))));
    }
    parts.push(...page.steps.map(step));
    const results = [...page.results.flatMap(chain), ...page.others.map(line)];
    if (!practice) parts.push(section("results", "Results", [element("div", { className: "found" }, ...results)]));
    if (!practice && page.jacobians.length) parts.push(section("jacobians", "As Jacobians", page.jacobians.map(line)));
    content.replaceChildren(...parts);
    if (focused) [...content.querySelectorAll("input")].find((field) => field.getAttribute("aria-label") === focused)?.focus();
  }

  // ---------------------------------------------------------------------------------------------- shapes

  function point(event) {
    const target = event.target.closest?.("[data-name]");
    for (const lit of content.querySelectorAll(".lit")) lit.classList.remove("lit");
    tip.hidden = !target;
    if (!target) return;
    const name = target.dataset.name;
    for (const same of content.querySelectorAll("[data-name]")) same.classList.toggle("lit", same.dataset.name === name);
    tip.textContent = `${name}: ${model.get("page").shapes[name]}`;
    const [place, at] = [root.getBoundingClientRect(), target.getBoundingClientRect()];
    tip.style.left = `${Math.max(4, at.left - place.left)}px`;
    tip.style.top = `${at.bottom - place.top + 4}px`;
  }

  function darken() {
    const [r, g, b] = colour(el);
    root.classList.toggle("dark", 0.299 * r + 0.587 * g + 0.114 * b < 110);
  }

  /** The colour behind an element, however it is written: that of the first ancestor that has one. */
  function colour(of) {
    const brush = element("canvas", { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
    for (let node = of; node; node = node.parentElement ?? node.getRootNode().host) {
      brush.clearRect(0, 0, 1, 1);
      brush.fillStyle = getComputedStyle(node).backgroundColor;
      brush.fillRect(0, 0, 1, 1);
      const [r, g, b, a] = brush.getImageData(0, 0, 1, 1).data;
      if (a > 127) return [r, g, b];
    }
    return [255, 255, 255];
  }

  content.addEventListener("pointerover", point);
  content.addEventListener("pointerleave", point);
  content.addEventListener("click", point); // a finger points so
  model.on("change:page", show);
  model.on("change:verdict", answered);
  root.append(bar, content, tip, live);
  el.append(root);
  darken();
  show();
  return () => {
    model.off("change:page", show);
    model.off("change:verdict", answered);
  };
}

export default { render };
