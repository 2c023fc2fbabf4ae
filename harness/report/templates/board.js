// The board: tabs, measures, sorting, filters, folding, tooltips.
const board = $('[data-view="board"]');

function showGroup(group, measure) {
  const tabs = $$('[role="tab"]', board);
  const chosen = tabs.find((tab) => tab.dataset.group === group) || tabs[0];
  if (!chosen) return;
  for (const tab of tabs) {
    tab.setAttribute("aria-selected", tab === chosen);
    tab.tabIndex = tab === chosen ? 0 : -1;
  }
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

function sortTable(table, key, down) {
  const body = table.tBodies[0];
  const value = (row) => {
    const raw = $(`[data-key="${key}"]`, row).dataset.v;
    return key === "model" ? raw : raw === "" ? NaN : Number(raw);
  };
  const rows = [...body.rows].map((row) => [value(row), row]);
  rows.sort(([a], [b]) => {
    if (typeof a === "string") return down ? b.localeCompare(a) : a.localeCompare(b);
    if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) - Number.isNaN(b);
    return down ? b - a : a - b;
  });
  body.append(...rows.map(([, row]) => row));
  for (const head of $$("thead th", table)) head.removeAttribute("aria-sort");
  const head = $(`[data-sort="${key}"]`, table).closest("th");
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
}

function filterBoard() {
  const chosen = {};
  for (const box of $$("[data-filter]:checked", board)) (chosen[box.dataset.filter] ||= new Set()).add(box.value);
  for (const menu of $$(".menu", board)) {
    const count = $$("input:checked", menu).length;
    $(".count", menu).textContent = count ? `(${count})` : "";
  }
  $(".filtered", board).hidden = !Object.keys(chosen).length;
  for (const row of $$("tbody tr", board)) row.hidden = Boolean(chosen.model) && !chosen.model.has(row.dataset.model);
  for (const table of $$("table.board", board)) hideColumns(table, chosen);
}

function hideColumns(table, chosen) {
  const open = {};
  for (const head of $$("th.task", table)) {
    const tags = head.dataset.tags.split(" ");
    const fits = (!chosen.language || chosen.language.has(head.dataset.language))
      && (!chosen.tag || tags.some((tag) => chosen.tag.has(tag)));
    const family = $$(".families th", table).find((one) => one.dataset.family === head.dataset.family);
    const folded = $(".fold", family).getAttribute("aria-expanded") === "false";
    open[head.dataset.family] = (open[head.dataset.family] || 0) + (fits && !folded);
    head.hidden = !fits || folded;
    for (const cell of $$(`[data-key="${head.dataset.c}"]`, table)) cell.hidden = head.hidden;
  }
  for (const family of $$(".families th", table)) family.colSpan = Math.max(1, open[family.dataset.family]);
  padFolded(table, open);
}

/** A folded family keeps one narrow column, so that its head has something to stand on. */
function padFolded(table, open) {
  for (const cell of $$(".pad", table)) cell.remove();
  for (const [family, count] of Object.entries(open)) {
    if (count) continue;
    const last = $$(`th.task[data-family="${CSS.escape(family)}"]`, table).at(-1);
    last.after(el("th", { class: "pad" }, "…"));
    for (const row of table.tBodies[0].rows) $(`[data-key="${last.dataset.c}"]`, row).after(el("td", { class: "pad num" }, "…"));
  }
}

board.addEventListener("click", (event) => {
  const tab = event.target.closest('[role="tab"]');
  if (tab) return goTo({ view: "board", group: tab.dataset.group, measure: null });
  const measure = event.target.closest(".measures button");
  if (measure) return goTo({ view: "board", group: measure.closest(".panel").dataset.group, measure: measure.dataset.measure });
  const sort = event.target.closest(".sort");
  if (sort) {
    const now = sort.closest("th").getAttribute("aria-sort");
    const rising = ["rank", "model"].includes(sort.dataset.sort) || sort.textContent.includes("▼");
    return sortTable(sort.closest("table"), sort.dataset.sort, now ? now === "ascending" : !rising);
  }
  const fold = event.target.closest(".fold");
  if (fold) {
    fold.setAttribute("aria-expanded", fold.getAttribute("aria-expanded") === "false");
    filterBoard();
  }
});
board.addEventListener("change", (event) => { if (event.target.matches("[data-filter]")) filterBoard(); });
board.addEventListener("keydown", (event) => {
  const tab = event.target.closest('[role="tab"]');
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!tab || !step) return;
  const tabs = $$('[role="tab"]', board);
  const next = tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length];
  goTo({ view: "board", group: next.dataset.group, measure: null });
  next.focus();
});
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
