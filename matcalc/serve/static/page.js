// The page: what is typed goes to a backend as plain data, what comes back is shown. No framework, no other network.

import { backend } from "./backend.js";

const $ = (id) => document.getElementById(id);
const { ask, stop, starting } = backend(document.documentElement.dataset.backend);
const FIELDS = ["source", "wrt", "style", "language"];
let current = null; // the input whose answer is shown, and that answer

// ------------------------------------------------------------------------------------------------ input

function given() {
  const input = { source: $("source").value };
  if ($("wrt").value.trim()) input.wrt = $("wrt").value;
  return input;
}

function wanted() {
  return { ...given(), style: $("style").value, language: $("language").value, hessian: $("hessian").checked };
}

function link() {
  const fields = FIELDS.map((name) => [name, $(name).value]).filter(([name, value]) => value && value !== initial(name));
  if ($("hessian").checked) fields.push(["hessian", "1"]);
  return `#${new URLSearchParams(fields)}`;
}

function initial(name) {
  return $(name).tagName === "SELECT" ? $(name).options[0]?.value : "";
}

function readLink() {
  const fields = new URLSearchParams(location.hash.slice(1));
  if (!fields.has("source")) return false;
  for (const name of FIELDS) set(name, fields.get(name) ?? initial(name));
  $("hessian").checked = fields.get("hessian") === "1";
  return true;
}

function set(name, value) {
  const field = $(name);
  if (field.tagName !== "SELECT" || [...field.options].some((option) => option.value === value)) field.value = value;
}

// ------------------------------------------------------------------------------------------------ showing

const typesetBefore = new Map(); // what was made of a formula: symbols come again and again

function typesetOne(element) {
  const displayMode = element.classList.contains("d");
  const formula = element.textContent;
  const key = `${displayMode} ${formula}`;
  if (!typesetBefore.has(key)) {
    if (typesetBefore.size > 4000) typesetBefore.clear();
    let made = null;
    try {
      made = katex.renderToString(formula, { displayMode, strict: "ignore" });
    } catch {
      // stays as it is written
    }
    typesetBefore.set(key, made);
  }
  const made = typesetBefore.get(key);
  if (made === null) element.classList.add("failed");
  else element.innerHTML = made;
}

function typeset(root) {
  for (const element of root.querySelectorAll(".m, .d")) typesetOne(element);
}

const AT_ONCE = 30; // formulas: more than a screen of them
const AT_A_TIME = 15;
let later = []; // formulas further down, last first

/** What is on the screen now, the rest when there is nothing else to do. */
function typesetDown(root) {
  const all = [...root.querySelectorAll(".m, .d")];
  for (const element of all.slice(0, AT_ONCE)) typesetOne(element);
  later = all.slice(AT_ONCE).reverse();
  $("lesson").classList.remove("complete");
  whenIdle(typesetLater);
}

function typesetLater() {
  for (const element of later.splice(-AT_A_TIME).reverse()) typesetOne(element);
  if (later.length) whenIdle(typesetLater);
  else $("lesson").classList.add("complete");
}

function whenIdle(work) {
  if (window.requestIdleCallback) requestIdleCallback(work, { timeout: 300 });
  else setTimeout(work, 0);
}

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function say(message, busy = false) {
  $("status").textContent = message;
  $("status").classList.toggle("busy", busy);
}

function sayError(message) {
  const [said, ...place] = message.split("\n");
  const parts = message ? [element("p", { textContent: said })] : [];
  if (place.length) parts.push(element("pre", { textContent: place.join("\n") }));
  $("error").replaceChildren(...parts);
  $("source").toggleAttribute("aria-invalid", Boolean(message));
  if (message) $("source").setAttribute("aria-invalid", "true");
}

function copyButton(label, text) {
  const button = element("button", { type: "button", className: "copy", textContent: label });
  button.addEventListener("click", () => copy(text, button));
  return button;
}

async function copy(text, button) {
  const label = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Cannot copy here";
  }
  setTimeout(() => { button.textContent = label; }, 1500);
}

function showResult(result) {
  const formula = element("div", { className: "d", textContent: result.equation });
  const copies = element("div", { className: "copies" }, copyButton("Copy LaTeX", result.latex), copyButton("Copy text", result.text));
  if (result.remark) copies.append(element("span", { className: "remark", textContent: result.remark.replaceAll(" x ", " × ") }));
  return element("div", { className: "result" }, formula, copies);
}

function showShapes(data) {
  const rows = data.variables.map((v) => {
    const known = element("td", { textContent: v.facts.join(", ") });
    if (v.assumed) known.append(element("span", { className: "assumed", textContent: `${v.facts.length ? ", " : ""}assumed` }));
    return element("tr", {}, element("td", { textContent: v.name }), element("td", { textContent: v.shape.replaceAll(" x ", " × ") }), known);
  });
  $("shapes").querySelector("tbody").replaceChildren(...rows);
  $("notice").textContent = data.notice;
  $("declare").hidden = data.declarations.length === 0;
  $("shapes").hidden = false;
}

function showDerivation(data) {
  $("start").hidden = true;
  $("results").replaceChildren(...data.results.map(showResult));
  $("graph").hidden = !data.picture;
  $("graph").querySelector("figure").innerHTML = data.picture;
  typeset($("results"));
  const lesson = element("template", { innerHTML: data.lesson });
  typesetDown(lesson.content); // before it is part of the page, which would look at each change
  $("lesson").replaceChildren(lesson.content);
  document.title = data.title ? `${data.title} – matcalc` : "matcalc";
}

function showAnswer(place, answer, word, known = "✓ ") {
  const kind = { ok: "ok", undecided: "undecided" }[answer.status] ?? "failed-badge";
  const mark = { ok: known, undecided: "? " }[answer.status] ?? "✗ ";
  place.replaceChildren(element("p", { className: `badge ${kind}`, textContent: mark + word }));
}

function wrong(answer) {
  return answer.status === "error" || answer.status === "defect";
}

function showWrong(place, answer) {
  place.replaceChildren(element("pre", { className: "failed-answer", textContent: answer.text }));
}

// ------------------------------------------------------------------------------------------------ derivation

let running = 0;

async function derive() {
  if (running) {
    running = 0;
    stop();
    return finish("Stopped.");
  }
  const turn = (running = Date.now());
  $("derive").textContent = "Stop";
  sayError("");
  say(starting() ?? "Deriving …", true);
  const asked = wanted();
  const began = performance.now();
  const answer = await ask("show", asked);
  if (running !== turn) return undefined;
  running = 0;
  if (wrong(answer)) {
    sayError(answer.text);
    return finish(answer.status === "error" ? "This cannot be derived." : "A defect of matcalc.");
  }
  current = { key: JSON.stringify(asked), given: given(), data: answer.data, seen: new Set() };
  history.replaceState(null, "", link());
  showShapes(answer.data);
  showDerivation(answer.data);
  prepare(answer.data);
  opened(selected());
  if (matchMedia("(max-width: 61.9rem)").matches) $("answer").scrollIntoView();
  const by = answer.data.names.join(", ");
  return finish(`${answer.data.scalar ? "Gradient" : "Jacobian"} by ${by}, in ${((performance.now() - began) / 1000).toFixed(2)} s.`);
}

function finish(message) {
  $("derive").textContent = "Derive";
  say(message);
  markStale();
}

function markStale() {
  const stale = current !== null && current.key !== JSON.stringify(wanted());
  $("stale").hidden = !stale;
  for (const id of ["answer", "shapes"]) $(id).classList.toggle("stale", stale);
}

/** Fill what the other tabs offer. */
function prepare(data) {
  $("kind").value = data.kind;
  fill($("claim-name"), [...data.names, ...data.values.filter((name) => !data.names.includes(name)), "an identity: left = right"]);
  $("claim-name").lastElementChild.value = "";
  $("over").value = data.names.join(", ");
  for (const id of ["claim-answer", "solve-answer", "export-answer"]) $(id).replaceChildren();
}

function fill(select, values) {
  select.replaceChildren(...values.map((value) => element("option", { value, textContent: value })));
}

// ------------------------------------------------------------------------------------------------ the other tabs

const ON_OPENING = { code: showCode, check: showCheck, curvature: showCurvature };

function opened(name) {
  if (current === null || current.seen.has(name) || !(name in ON_OPENING)) return;
  current.seen.add(name);
  ON_OPENING[name]();
}

async function waitFor(place, tool, fields) {
  const of = current;
  place.replaceChildren(element("p", { className: "quiet busy", textContent: "…" }));
  const answer = await ask(tool, fields);
  if (current !== of) return null;
  if (wrong(answer)) {
    showWrong(place, answer);
    return null;
  }
  return answer;
}

async function showCode() {
  const place = $("code-text");
  const answer = await waitFor(place, "code", { ...current.given, kind: $("kind").value, target: $("target").value });
  if (answer) place.replaceChildren(answer.text);
}

async function showCheck() {
  const place = $("check-answer");
  const answer = await waitFor(place, "check", current.given);
  if (!answer) return;
  showAnswer(place, answer, answer.status === "ok" ? "agrees" : "does not agree");
  place.append(element("pre", { textContent: answer.text }));
}

async function showCurvature() {
  const place = $("curvature-answer");
  const answer = await waitFor(place, "curvature", { ...current.given, format: "text" });
  if (!answer) return;
  const { status, strong, smooth, hessian, conditions, steps, witness, not_shown: missing } = answer.data;
  showAnswer(place, answer, `${status} in ${answer.data.variables.join(", ")}`, status === "neither" ? "" : undefined);
  const code = (text) => element("code", { textContent: text });
  const constants = [
    ...(hessian ? [`H = ${hessian}`] : []),
    ...(strong ? [`${status.includes("concave") ? "-" : ""}H >= mu*I with mu = ${strong}`] : []),
    ...(smooth ? [`-L*I <= H <= L*I with L = ${smooth}`] : []),
  ];
  showLists(place, [
    ["Hessian and constants", constants.map(code)],
    ["Where", conditions],
    ["Because", steps.map(reason)],
    ["Not shown", missing ? [missing] : []],
  ]);
  if (witness.length) {
    place.append(element("h3", { textContent: "Witness" }), element("pre", { textContent: witness.flatMap(witnessed).join("\n") }));
  }
}

/** A point, and what the function does there in a direction or along a chord. */
function witnessed({ values, directions, curvatures, chord }) {
  const arrays = (table) => Object.entries(table)
    .map(([name, value]) => `${name} = ${JSON.stringify(value, (key, part) => (typeof part === "number" ? Number(part.toFixed(4)) : part))}`)
    .join(", ");
  const said = chord === null
    ? directions.map((v, k) => `the second derivative along ${arrays(v)} is ${curvatures[k].toPrecision(4)}`)
    : [`the function minus its chord between -v and +v, v: ${arrays(directions[0])}, is ${chord.toPrecision(4)}`];
  return [`at ${arrays(values)}`, ...said];
}

function reason({ rule, statement, source }) {
  return `${rule.replaceAll("_", " ")}: ${statement} [${source}]`;
}

function showLists(place, lists) {
  for (const [title, rows] of lists) {
    if (rows.length) place.append(element("h3", { textContent: title }), element("ul", {}, ...rows.map((row) => element("li", {}, row))));
  }
}

async function judge() {
  if (current === null) return;
  const place = $("claim-answer");
  const name = $("claim-name").value;
  const { source, ...rest } = current.given;
  const fields = { claim: $("claim-text").value, language: $("language").value };
  const answer = await waitFor(place, "claim", name ? { ...rest, ...fields, of: source, name } : fields);
  if (!answer) return;
  showAnswer(place, answer, answer.data.status);
  place.append(element("pre", { textContent: answer.text }));
}

async function solve() {
  if (current === null) return;
  const place = $("solve-answer");
  const { source } = current.given;
  const equations = $("subject-to").value.split("\n").filter((line) => line.trim());
  const fields = { source, over: $("over").value, sense: $("sense").value, subject_to: equations, format: "latex" };
  const answer = await waitFor(place, "solve", fields);
  if (!answer) return;
  const data = answer.data;
  showAnswer(place, answer, data.status);
  place.append(element("div", { className: "result" }, element("div", { className: "d", textContent: answer.text })));
  showLists(place, [
    ["Stationarity", data.equations.map((row) => element("code", { textContent: row }))],
    ["Notes", data.remarks],
    ["Because", data.steps.map(reason)],
  ]);
  if (data.note) place.append(element("p", { textContent: data.note }));
  typeset(place);
}

async function download(format) {
  if (current === null) return;
  const place = $("export-answer");
  const fields = { ...current.given, format, language: $("language").value, hessian: $("hessian").checked && current.data.scalar };
  if ($("title").value.trim()) fields.title = $("title").value;
  const answer = await waitFor(place, "export", fields);
  if (!answer) return;
  const { name, type, content, files } = answer.data;
  save(name, type, content);
  for (const [beside, drawing] of Object.entries(files)) save(beside, "image/svg+xml", drawing);
  showAnswer(place, answer, [name, ...Object.keys(files)].join(", "));
}

function save(name, type, content) {
  const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
  const address = URL.createObjectURL(new Blob([bytes], { type }));
  const anchor = element("a", { href: address, download: name });
  document.body.append(anchor);
  anchor.click();
  anchor.remove();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}

// ------------------------------------------------------------------------------------------------ tabs

const tabs = [...document.querySelectorAll("[role=tab]")];

function selected() {
  return tabs.find((tab) => tab.getAttribute("aria-selected") === "true").getAttribute("aria-controls");
}

function select(tab, focus = false) {
  for (const other of tabs) {
    const on = other === tab;
    other.setAttribute("aria-selected", String(on));
    other.tabIndex = on ? 0 : -1;
    $(other.getAttribute("aria-controls")).hidden = !on;
  }
  if (focus) tab.focus();
  tab.scrollIntoView({ block: "nearest", inline: "nearest" });
  opened(selected());
}

function onTabKey(event) {
  const k = tabs.indexOf(event.target);
  const to = { ArrowRight: k + 1, ArrowLeft: k - 1 + tabs.length, Home: 0, End: tabs.length - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  select(tabs[to % tabs.length], true);
}

// ------------------------------------------------------------------------------------------------ start

function connect() {
  $("input").addEventListener("submit", (event) => { event.preventDefault(); derive(); });
  $("source").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      if (!running) derive();
    }
  });
  for (const id of [...FIELDS, "hessian"]) $(id).addEventListener("input", markStale);
  for (const id of ["style", "language", "hessian"]) $(id).addEventListener("change", () => { if (current && !running) derive(); });
  $("again").addEventListener("click", derive);
  $("link").addEventListener("click", () => copy(location.href.split("#")[0] + link(), $("link")));
  $("declare").addEventListener("click", () => {
    $("source").value = `${current.data.declarations.join("\n")}\n${$("source").value}`;
    derive();
  });
  for (const tab of tabs) tab.addEventListener("click", () => select(tab));
  $("tabs").addEventListener("keydown", onTabKey);
  for (const id of ["kind", "target"]) $(id).addEventListener("change", () => { if (current) showCode(); });
  $("judge").addEventListener("click", judge);
  $("find").addEventListener("click", solve);
  document.querySelector("[data-copy]").addEventListener("click", (event) => copy($("code-text").textContent, event.target));
  addEventListener("hashchange", () => { if (readLink()) derive(); });
}

function offer(about) {
  const words = { steps: "all steps", differential: "differentials", result: "the answers only", components: "by entries", jacobians: "local Jacobians" };
  const languages = new Intl.DisplayNames(["en"], { type: "language" });
  $("style").replaceChildren(...about.styles.map((value) => element("option", { value, textContent: words[value] ?? value })));
  $("language").replaceChildren(...about.languages.map((value) => element("option", { value, textContent: languages.of(value) })));
  fill($("kind"), about.kinds);
  fill($("target"), about.targets);
  for (const { format, suffix, what } of about.documents) {
    const button = element("button", { type: "button" }, element("b", { textContent: suffix }), ` ${what}`);
    button.addEventListener("click", () => download(format));
    $("documents").append(button);
  }
  about.examples.forEach(({ title }, k) => $("examples").append(element("option", { value: k, textContent: title })));
  $("examples").addEventListener("change", (event) => {
    const example = about.examples[event.target.value];
    if (!example) return;
    $("source").value = example.source;
    $("wrt").value = example.wrt;
    if (running) derive();
    derive();
  });
  $("about").textContent = `matcalc ${about.version}. ${document.documentElement.dataset.backend === "server" ? "Everything is computed on the machine that serves this page." : "Everything is computed in this browser: nothing is sent anywhere."}${about.numpy ? "" : " Numbers are computed without NumPy."}`;
}

async function start() {
  connect();
  say(starting() ?? "Starting …", true);
  const answer = await ask("about", {});
  if (wrong(answer)) {
    sayError(answer.text);
    return say("");
  }
  offer(answer.data);
  say("");
  document.documentElement.dataset.ready = "yes";
  if (readLink()) await derive();
  else $("source").focus({ preventScroll: true });
  return undefined;
}

start();
