// On paper nothing scrolls: a wide board is printed as several tables of a few tasks each.
const ON_PAPER = 8, FLIPS_ON_PAPER = 20;

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

/** The flipped samples of a comparison fill a book: their first ones are printed, and how many. */
function printFlips() {
  const parts = $$(".view.on .flips");
  const most = Math.ceil(FLIPS_ON_PAPER / Math.max(1, parts.length));
  for (const part of parts) {
    const flips = $$(".flip:not([hidden])", part);
    flips.slice(most).forEach((flip) => flip.classList.add("unprinted"));
    const note = $(".paper", part);
    if (!note) continue;
    note.hidden = flips.length <= most;
    note.replaceChildren(both("on_paper", { shown: most, all: flips.length }));
  }
}

addEventListener("beforeprint", printFlips);
addEventListener("afterprint", () => {
  for (const flip of $$(".unprinted")) flip.classList.remove("unprinted");
  for (const note of $$(".paper")) note.hidden = true;
  for (const copy of $$("table.sheet")) copy.remove();
  for (const table of $$("table.sheets")) table.classList.remove("sheets");
});
