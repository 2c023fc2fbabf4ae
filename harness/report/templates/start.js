// What is on screen follows from the address alone.
let routed = false;

/** Show what the address names; `data-settled` says for which address all is drawn. */
async function route() {
  const { hash } = location;
  await show();
  if (hash === location.hash) root.dataset.settled = hash;
}

async function show() {
  const asked = address();
  const view = asked.get("view") || (asked.get("s") ? "run" : FACTS.home);
  const run = asked.get("run") || (view === "run" ? FACTS.runs[0]?.name : null);
  let shown = $$(".view").filter((node) => node.dataset.view === view
    && (view !== "task" || node.dataset.task === asked.get("task"))
    && (view !== "run" || node.dataset.run === run));
  missing(shown.length ? null : { task: asked.get("task"), run }[view] || view);
  if (!shown.length) shown = [board];
  const { hash } = location;
  await openPart(shown[0]);
  if (hash !== location.hash) return;
  const changed = !shown[0].classList.contains("on");
  for (const node of $$(".view")) node.classList.toggle("on", node === shown[0]);
  trail(shown[0], asked);
  if (shown[0] === versus) showFlips(asked);
  if (shown[0] === board) await showBoard(asked);
  if (changed) scrollTo(0, 0);
  if (changed && routed) $("h1", shown[0]).focus({ preventScroll: true });
  routed = true;
  reachable(shown[0]);
  if (samples) {
    const here = shown[0].dataset.view === "run";
    if (!here) samples.hidden = true;
    if (here) await routeSamples(run, asked);
  }
}

/** Say that an address names a page that the report does not have. */
function missing(name) {
  const note = $("#missing");
  note.hidden = name === null;
  note.replaceChildren(...(name === null ? [] : [both("no_page", { name })]));
}

async function routeSamples(run, asked) {
  const { hash } = location;
  try {
    if (!(await openRun(run))) return;
    const query = asked.get("q") || "";
    if (document.activeElement !== $("#search")) $("#search").value = query;
    state.at = findSample(asked);
    if (asked.get("s") && state.at >= 0) { $("#trail").append(el("span", {}, visible(asked.get("s")))); entitle(); }
    await compareRuns(asked);
    if (hash !== location.hash) return;
    samples.hidden = false; // only now, so that nothing moves once it is drawn
    if (query !== state.query) search(query);
    applyFilter(asked);
    if (state.at < 0 && !asked.get("s") && state.shown.length) state.at = state.shown[0];
    reveal();
    drawRows();
    await showDetail(state.at);
  } catch (error) {
    if (hash !== location.hash) return;
    samples.hidden = false;
    failed(error);
  }
}

function trail(shown, asked) {
  const steps = [el("a", { href: boardAddress }, ...$("#board-title").cloneNode(true).childNodes)];
  const { view } = shown.dataset;
  if (versus && shown === versus) steps.length = 0;
  if (versus) steps.unshift(el("a", { href: "#view=compare" }, ...$("h1", versus).cloneNode(true).childNodes));
  if (["task", "about", "judges", "cost"].includes(view)) steps.push(el("span", {}, ...$("h1", shown).cloneNode(true).childNodes));
  if (view === "run") {
    const task = asked.get("task");
    if (FACTS.tasks.includes(task)) steps.push(el("a", { href: `#${new URLSearchParams({ view: "task", task })}` }, visible(task)));
    steps.push(el("a", { href: `#${new URLSearchParams({ view: "run", run: shown.dataset.run })}` }, $("h1", shown).textContent));
  }
  $("#trail").replaceChildren(...steps);
  entitle();
}

/** The window is called what the trail says, in the language that is on. */
function entitle() {
  document.title = [...[...$("#trail").children].map(spoken).reverse(), "harness"].join(" - ");
}

/** What a node says in the language that is on. */
function spoken(node) {
  const copy = node.cloneNode(true);
  for (const other of $$(root.dataset.lang === "zh" ? ".en" : ".zh", copy)) other.remove();
  return copy.textContent.trim();
}

/** All slices of a run, written when they are asked for. */
async function openSlices(node) {
  const place = $("tbody", node);
  if (place.childElementCount) return;
  const run = FACTS.runs.findIndex((one) => one.name === node.dataset.run);
  const cells = await piece(`r${run}-cells`);
  const digits = (value) => (value === null ? "–" : Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(3));
  const number = (text) => el("td", { class: "num" }, text);
  place.replaceChildren(...cells.map((cell) => el("tr", {}, el("th", { scope: "row" }, visible(cell.task)), el("td", {}, visible(cell.metric)),
    el("td", {}, el("a", { href: `#${new URLSearchParams({ view: "run", run: node.dataset.run, task: cell.task, slice: cell.slice, arm: cell.arm, variant: cell.variant })}` }, visible(cell.slice))),
    el("td", {}, visible(cell.arm)), el("td", {}, visible(cell.variant)),
    number(digits(cell.value)), number(cell.low === null ? "" : `${digits(cell.low)}–${digits(cell.high)}`),
    number(cell.n.toLocaleString("en")), number(cell.unparsed || ""), number(cell.errors + cell.unjudged || ""))));
}

document.addEventListener("toggle", (event) => {
  if (event.target.matches?.("details.slices") && event.target.open) openSlices(event.target);
  if (event.target.open) reachable(event.target);
}, true);

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) copy(button.dataset.copy, button);
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target.matches("input, select, textarea");
  if (event.key === "Escape") {
    hideTip();
    for (const menu of $$(".menu[open]")) menu.open = false;
    if (typing) { event.target.blur(); list?.focus(); }
    return;
  }
  if (typing || !samples || samples.hidden) return;
  if (event.key === "/") { event.preventDefault(); $("#search").focus(); $("#search").select(); }
  if (event.key === "j") step(1);
  if (event.key === "k") step(-1);
});

$("#lang").addEventListener("click", () => {
  root.dataset.lang = root.dataset.lang === "zh" ? "en" : "zh";
  keep({ lang: root.dataset.lang });
  speak();
  entitle();
});
$("#theme").addEventListener("click", () => {
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  keep({ theme: root.dataset.theme });
});
$("#tint").addEventListener("click", () => {
  const plain = root.classList.toggle("plain");
  $("#tint").setAttribute("aria-pressed", !plain);
  keep({ tint: !plain });
});
$("#tint").setAttribute("aria-pressed", !root.classList.contains("plain"));
addEventListener("hashchange", route);
for (const title of $$(".view > h1")) title.tabIndex = -1;
speak();
route();
