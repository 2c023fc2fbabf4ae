// The board: tabs, measures, sorting, filters, folding, tooltips. All of it stands in the address.
const board = $('[data-view="board"]');
const CHOSEN = ["model", "family", "language", "tag", "size", "weights"];
const FALLING = { rank: false, model: false };
let boardAddress = "#view=board";

async function showBoard(asked) {
  if (location.hash) boardAddress = location.hash;
  const { hash } = location;
  await openPart($(`.panel[data-group="${CSS.escape(asked.get("group") || "")}"]`, board) || $(".panel", board));
  if (hash !== location.hash) return;
  showGroup(asked.get("group"), asked.get("measure"));
  const chosen = {};
  for (const name of CHOSEN) if (asked.has(name)) chosen[name] = new Set(asked.getAll(name));
  for (const box of $$("[data-filter]", board)) box.checked = Boolean(chosen[box.dataset.filter]?.has(box.value));
  for (const menu of $$(".menu", board)) {
    const count = chosen[menu.dataset.menu]?.size;
    $(".count", menu).textContent = count ? `(${count})` : "";
  }
  const folded = new Set(asked.getAll("fold"));
  for (const table of $$(".panel:not([hidden]) > .scroll:not([hidden]) table.board", board)) {
    hideRows(table, chosen);
    hideColumns(table, chosen, folded);
    sortTable(table, asked.get("sort"), asked.get("order"));
    tell(table, chosen);
  }
}

function showGroup(group, measure) {
  const tabs = $$('[role="tab"]', board);
  const chosen = tabs.find((tab) => tab.dataset.group === group) || tabs[0];
  if (!chosen) return;
  for (const tab of tabs) {
    tab.setAttribute("aria-selected", tab === chosen);
    tab.tabIndex = tab === chosen ? 0 : -1;
  }
  const strip = chosen.parentElement;
  if (strip.scrollWidth > strip.clientWidth) strip.scrollLeft = chosen.offsetLeft - strip.offsetLeft - (strip.clientWidth - chosen.offsetWidth) / 2;
  for (const panel of $$(".panel", board)) {
    panel.hidden = panel.dataset.group !== chosen.dataset.group;
    const parts = $$(":scope > .scroll", panel);
    const shown = parts.find((part) => part.dataset.measure === measure) || parts[0];
    for (const part of parts) part.hidden = part !== shown;
    for (const box of $$(".chartbox, .vstory, .vfold", panel)) box.hidden = box.dataset.measure !== shown?.dataset.measure;
    for (const button of $$(".measures button", panel)) {
      button.setAttribute("aria-pressed", Boolean(shown) && button.dataset.measure === shown.dataset.measure);
    }
  }
}

/** The head that an address sorts by: a column of its own, or a task's. */
function sortedHead(table, name) {
  const task = $$("th.task", table).find((head) => head.dataset.task === name);
  return task || $(`[data-sort="${CSS.escape(name || "rate")}"]`, table)?.closest("th") || $('[data-sort="rate"]', table).closest("th");
}

const fallsFirst = (sort) => FALLING[sort.dataset.sort] ?? !sort.textContent.includes("▼");

function sortTable(table, name, order) {
  const head = sortedHead(table, name);
  const sort = $(".sort", head);
  const down = order ? order === "down" : fallsFirst(sort);
  const state = `${sort.dataset.sort} ${down}`;
  if (table.dataset.sorted === state || (!table.dataset.sorted && state === "rate true")) return;
  table.dataset.sorted = state;
  const body = table.tBodies[0];
  const value = (row) => {
    const raw = $(`[data-key="${sort.dataset.sort}"]`, row).dataset.v;
    return sort.dataset.sort === "model" ? raw : raw === "" ? NaN : Number(raw);
  };
  const rows = [...body.rows].map((row) => [value(row), row]);
  rows.sort(([a], [b]) => {
    if (typeof a === "string") return down ? b.localeCompare(a) : a.localeCompare(b);
    if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) - Number.isNaN(b);
    return down ? b - a : a - b;
  });
  body.append(...rows.map(([, row]) => row));
  for (const other of $$("thead th", table)) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
}

function hideRows(table, chosen) {
  const out = new Set();
  for (const { dataset: { model, size, weights } } of table.tBodies[0].rows) {
    const fits = [[chosen.model, model], [chosen.size, size], [chosen.weights, weights]].every(([some, one]) => !some || some.has(one));
    if (!fits) out.add(model);
  }
  for (const row of $$("tr[data-model]", table.closest(".panel"))) row.hidden = out.has(row.dataset.model);
}

function hideColumns(table, chosen, folded) {
  const state = JSON.stringify([[...(chosen.family || [])], [...(chosen.language || [])], [...(chosen.tag || [])], [...folded]]);
  if ((table.dataset.hides || "[[],[],[],[]]") === state) return;
  table.dataset.hides = state;
  const open = {}, fitting = {}, hides = [];
  for (const head of $$("th.task", table)) {
    const { family, language, tags } = head.dataset;
    const fits = (!chosen.family || chosen.family.has(family)) && (!chosen.language || chosen.language.has(language))
      && (!chosen.tag || tags.split(" ").some((tag) => chosen.tag.has(tag)));
    head.hidden = !fits || folded.has(family);
    hides[head.dataset.c] = head.hidden;
    open[family] = (open[family] || 0) + !head.hidden;
    fitting[family] = (fitting[family] || 0) + fits;
  }
  for (const cell of $$("tbody [data-key]", table)) if (cell.dataset.key in hides) cell.hidden = hides[cell.dataset.key];
  for (const one of $$(".families th", table)) {
    const { family } = one.dataset;
    one.hidden = !fitting[family];
    one.colSpan = Math.max(1, open[family]);
    $(".fold", one).setAttribute("aria-expanded", !folded.has(family));
  }
  padFolded(table, Object.keys(open).filter((family) => fitting[family] && !open[family]));
}

/** A folded family keeps one narrow column, so that its head has something to stand on. */
function padFolded(table, families) {
  for (const cell of $$(".pad", table)) cell.remove();
  for (const family of families) {
    const last = $$("th.task", table).findLast((head) => head.dataset.family === family);
    last.after(el("th", { class: "pad" }, "…"));
    for (const row of table.tBodies[0].rows) $(`[data-key="${last.dataset.c}"]`, row).after(el("td", { class: "pad num" }, "…"));
  }
}

/** What a filter leaves, in words, with the way back. */
function tell(table, chosen) {
  const note = $(".filtered", board);
  note.hidden = !Object.keys(chosen).length;
  if (note.hidden) return;
  const rows = [...table.tBodies[0].rows], heads = $$("th.task", table);
  const shown = rows.filter((row) => !row.hidden).length;
  const tasks = $$(".families th:not([hidden])", table).length;
  const parts = [both("filtered", {
    models: shown, all_models: rows.length, tasks: heads.filter((head) => !head.hidden).length, all_tasks: heads.length,
  })];
  if (!shown) parts.push(" ", both("no_model_fits"));
  if (!tasks) parts.push(" ", both("no_task_fits"));
  const clear = el("button", { type: "button", class: "clear" }, both("clear"));
  note.replaceChildren(...parts, " ", clear);
}

board.addEventListener("click", (event) => {
  const tab = event.target.closest('[role="tab"]');
  if (tab) return goTo({ view: "board", group: tab.dataset.group, measure: null, sort: null, order: null });
  const measure = event.target.closest(".measures button");
  if (measure) return goTo({ view: "board", group: measure.closest(".panel").dataset.group, measure: measure.dataset.measure });
  const sort = event.target.closest(".sort");
  if (sort) {
    const head = sort.closest("th"), now = head.getAttribute("aria-sort");
    const down = now ? now === "ascending" : fallsFirst(sort);
    return goTo({ view: "board", sort: head.dataset.task || sort.dataset.sort, order: down ? "down" : "up" }, true);
  }
  const fold = event.target.closest(".fold");
  if (fold) {
    const { family } = fold.closest("th").dataset;
    const folded = new Set(address().getAll("fold"));
    if (!folded.delete(family)) folded.add(family);
    return goTo({ view: "board", fold: [...folded] }, true);
  }
  if (event.target.closest(".clear")) {
    goTo({ view: "board", ...Object.fromEntries(CHOSEN.map((name) => [name, null])) }, true);
    return $(".menu summary", board)?.focus();
  }
  return undefined;
});
board.addEventListener("change", (event) => {
  if (!event.target.matches("[data-filter]")) return;
  const name = event.target.dataset.filter;
  goTo({ view: "board", [name]: $$(`[data-filter="${name}"]:checked`, board).map((box) => box.value) }, true);
});
board.addEventListener("keydown", (event) => {
  const tab = event.target.closest('[role="tab"]');
  const tabs = $$('[role="tab"]', board);
  const step = { ArrowRight: 1, ArrowLeft: -1, Home: -tabs.indexOf(tab), End: -1 - tabs.indexOf(tab) }[event.key];
  if (!tab || step === undefined) return;
  event.preventDefault();
  const next = tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length];
  goTo({ view: "board", group: next.dataset.group, measure: null, sort: null, order: null });
  next.focus();
});
$("#figures")?.addEventListener("click", () => {
  const on = root.classList.toggle("figures");
  $("#figures").setAttribute("aria-pressed", on);
  keep({ figures: on });
});
$("#figures")?.setAttribute("aria-pressed", root.classList.contains("figures"));
document.addEventListener("click", (event) => {
  for (const menu of $$(".menu[open]")) if (!menu.contains(event.target)) menu.open = false;
});

// ---- tooltips: on hover and on focus
const tip = $("#tip");

function tipLines(node) {
  if (node.dataset.whyEn !== undefined) return [side() ? node.dataset.whyZh : node.dataset.whyEn];
  const [value, span, n, unparsed, missing, low, high, method, confidence, flags] = node.dataset.tip.split("|");
  const lines = [value, span ? word("tip.interval", { confidence, span, method }) : word("tip.nothing")];
  if (Number(n)) lines.push(word("tip.n", { n: Number(n).toLocaleString("en") }));
  if (Number(unparsed)) lines.push(word("tip.unparsed", { count: unparsed }));
  if (Number(missing)) lines.push(low === "" ? word("tip.errors_plain", { count: missing }) : word("tip.errors", { count: missing, low, high }));
  if (flags.includes("o")) lines.push(word("tip.observed"));
  if (flags.includes("b")) lines.push(word("tip.best"));
  if (flags.includes("d")) lines.push(word("tip.differs"));
  return lines;
}

function showTip(node) {
  const [first, ...rest] = tipLines(node);
  tip.replaceChildren(el("b", {}, first), ...rest.map((line) => el("span", {}, line)));
  tip.hidden = false;
  node.setAttribute("aria-describedby", "tip");
  const at = node.getBoundingClientRect();
  const left = Math.min(Math.max(8, at.right - tip.offsetWidth), innerWidth - tip.offsetWidth - 8);
  const below = at.bottom + 10;
  tip.style.left = `${left}px`;
  tip.style.top = `${below + tip.offsetHeight > innerHeight ? at.top - tip.offsetHeight - 6 : below}px`;
}

function hideTip() {
  tip.hidden = true;
  $("[aria-describedby=tip]")?.removeAttribute("aria-describedby");
}

const TIPPED = "[data-tip], [data-why-en]";
for (const [on, off] of [["mouseover", "mouseout"], ["focusin", "focusout"]]) {
  document.addEventListener(on, (event) => { const node = event.target.closest?.(TIPPED); if (node) showTip(node); });
  document.addEventListener(off, (event) => { if (event.target.closest?.(TIPPED)) hideTip(); });
}
addEventListener("scroll", hideTip, { passive: true });
