// On paper nothing scrolls: a wide board is printed as several tables of a few tasks each.
const ON_PAPER = 8;

/** A copy of a board's table with some of its tasks; the first has the ranking, the last the errors. */
function sheetOf(table, tasks, { first, last }) {
  const copy = table.cloneNode(true);
  copy.classList.add("sheet");
  $(".families", copy)?.remove();
  const kept = new Set(["model", ...tasks, ...(first ? ["rank", "rate", "mean"] : []), ...(last ? ["errors"] : [])]);
  const names = $$("tbody tr:first-child > *", copy).map((cell) => cell.dataset.key);
  for (const row of $$("tr", copy)) {
    [...row.children].forEach((cell, place) => { if (!kept.has(names[place])) cell.remove(); });
  }
  return copy;
}

addEventListener("beforeprint", () => {
  for (const table of $$(".view.on .panel:not([hidden]) table.board")) {
    const tasks = $$("th.task", table).filter((head) => head.checkVisibility()).map((head) => head.dataset.c);
    if (tasks.length <= ON_PAPER) continue;
    for (let from = 0; from < tasks.length; from += ON_PAPER) {
      const place = { first: from === 0, last: from + ON_PAPER >= tasks.length };
      table.before(sheetOf(table, tasks.slice(from, from + ON_PAPER), place));
    }
    table.classList.add("sheets");
  }
});

addEventListener("afterprint", () => {
  for (const copy of $$("table.sheet")) copy.remove();
  for (const table of $$("table.sheets")) table.classList.remove("sheets");
});
