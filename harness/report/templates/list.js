// The list of samples: filter, search, virtual rows, keyboard.
const ROW = 28;
const list = $("#list");
const samples = $("#samples");
const state = { run: -1, index: null, kinds: [], shown: [], at: -1, query: "", hits: null, searching: false, turn: 0 };

const SHOWS = {
  all: () => true,
  wrong: (kind) => kind === "wrong" || kind === "part",
  failed: (kind) => kind === "error" || kind === "unjudged",
  unparsed: (kind) => kind === "unparsed",
  right: (kind) => kind === "right",
};

async function openRun(name) {
  const run = FACTS.runs.findIndex((one) => one.name === name);
  if (run < 0) return false;
  if (state.run !== run) {
    state.shown = [];
    $("#rows").replaceChildren();
    const { hash } = location;
    const index = await piece(`r${run}-index`);
    if (hash !== location.hash) return false; // left again while it loaded
    Object.assign(state, { run, index, at: -1, query: "", hits: null, searching: false, turn: state.turn + 1 });
    delete samples.dataset.searching;
    const { columns } = index;
    state.kinds = columns.id.map((_, row) => kindOf(columns, row));
    options($("#by-task"), [...new Set(columns.t)].map((t) => FACTS.tasks[t]));
    options($("#by-arm"), state.index.arm);
    options($("#by-variant"), state.index.variant);
  }
  return true;
}

function options(select, names) {
  while (select.options.length > 1) select.options[1].remove();
  for (const name of names) select.append(el("option", { value: name }, plainly(name)));
  select.closest("label").hidden = names.length < 2;
}

/** Narrow the list to what the address asks for. */
function applyFilter(asked) {
  const { columns, arm, variant, slices } = state.index;
  const show = Object.hasOwn(SHOWS, asked.get("show")) ? asked.get("show") : "all";
  const task = FACTS.tasks.indexOf(asked.get("task"));
  const way = arm.indexOf(asked.get("arm"));
  const copy = variant.indexOf(asked.get("variant"));
  const wanted = (asked.get("slice") || "").split("&").filter(Boolean);
  const good = slices.map((one) => { const has = new Set(one.split("&")); return wanted.every((part) => has.has(part)); });
  const base = [];
  for (let row = 0; row < columns.id.length; row += 1) {
    if (task >= 0 && columns.t[row] !== task) continue;
    if (way >= 0 && columns.a[row] !== way) continue;
    if (copy >= 0 && columns.v[row] !== copy) continue;
    if (wanted.length && !good[columns.c[row]]) continue;
    if (state.differs && !state.differs.has(row)) continue;
    base.push(row);
  }
  countShows(base);
  const ranked = new Map(ORDER.map((kind) => [kind, []]));
  for (const row of base) if (!state.hits || state.hits.has(row)) ranked.get(state.kinds[row]).push(row);
  state.shown = ORDER.filter(SHOWS[show]).flatMap((kind) => ranked.get(kind));
  $("#by-task").value = task >= 0 ? asked.get("task") : "";
  $("#by-arm").value = way >= 0 ? asked.get("arm") : "";
  $("#by-variant").value = copy >= 0 ? asked.get("variant") : "";
  $("#by-slice").hidden = !wanted.length;
  $("#by-slice").replaceChildren(visible(`${wanted.join(", ")} ✕`));
  for (const button of $$("[data-show]")) button.setAttribute("aria-pressed", button.dataset.show === show);
  drawCount();
  drawRows();
}

function countShows(base) {
  const counts = Object.fromEntries(ORDER.map((kind) => [kind, 0]));
  for (const row of base) counts[state.kinds[row]] += 1;
  for (const button of $$("[data-show]")) {
    const fits = ORDER.filter(SHOWS[button.dataset.show]);
    $(".count", button).textContent = fits.reduce((sum, kind) => sum + counts[kind], 0).toLocaleString("en");
  }
}

function drawCount() {
  const numbers = { shown: state.shown.length.toLocaleString("en"), all: state.index.columns.id.length.toLocaleString("en") };
  const { left } = state.index;
  const rest = left ? [" ", both("left", { left: left.toLocaleString("en") })] : [];
  $("#found").replaceChildren(both("of", numbers), ...rest, ...(state.searching ? [" ", both("searching")] : []));
}

function drawRows() {
  const rows = $("#rows");
  rows.style.height = `${state.shown.length * ROW}px`;
  list.style.setProperty("--rows", `${Math.max(state.shown.length, 3) * ROW + 1}px`);
  const first = Math.max(0, Math.floor(list.scrollTop / ROW) - 5);
  const last = Math.min(state.shown.length, Math.ceil((list.scrollTop + list.clientHeight) / ROW) + 5);
  rows.replaceChildren();
  for (let place = first; place < last; place += 1) rows.append(rowOf(place));
  if (!state.shown.length) rows.append(el("p", { class: "empty-list" }, both("none")));
  const on = $(`#row-${state.at}`, rows);
  if (on) list.setAttribute("aria-activedescendant", on.id);
  else list.removeAttribute("aria-activedescendant");
}

function rowOf(place) {
  const row = state.shown[place];
  const { columns, variant, mistake } = state.index;
  const kind = state.kinds[row];
  const copy = variant[columns.v[row]], said = mistake[columns.m[row]];
  const node = el("div", {
    class: "row", role: "option", id: `row-${row}`, "aria-selected": String(row === state.at),
    "aria-setsize": state.shown.length, "aria-posinset": place + 1,
  },
    el("span", { class: `m-${kind}`, "aria-hidden": "true" }, SIGN[kind]),
    el("span", {}, visible(columns.l[row] || columns.id[row])),
    el("span", { class: "got" }, visible(columns.g[row] || "–")),
    el("span", { class: "kind" }, copy !== "original" ? visible(copy) : said && kind === "wrong" ? visible(said) : both(`status.${kind}`)));
  node.style.top = `${place * ROW}px`;
  node.dataset.row = row;
  return node;
}

/** The address of one sample: its id, and what tells its copies apart. */
function nameOf(row) {
  const { columns, arm, variant } = state.index;
  const copy = variant[columns.v[row]], way = arm[columns.a[row]];
  return {
    s: columns.id[row],
    sv: copy === "original" ? null : copy,
    sa: way === "default" ? null : way,
    se: columns.e[row] || null,
    st: columns.id.indexOf(columns.id[row]) === row ? null : FACTS.tasks[columns.t[row]],
  };
}

function findSample(asked) {
  const { columns, arm, variant } = state.index;
  const id = asked.get("s");
  if (!id) return -1;
  const fits = (row) => variant[columns.v[row]] === (asked.get("sv") || "original")
    && columns.e[row] === Number(asked.get("se") || 0)
    && (!asked.get("sa") || arm[columns.a[row]] === asked.get("sa"))
    && (!asked.get("st") || FACTS.tasks[columns.t[row]] === asked.get("st"));
  const exact = ["sv", "sa", "se", "st"].some((key) => asked.has(key)); // a copy of its own is meant
  let loose = -1;
  for (let row = 0; row < columns.id.length; row += 1) {
    if (!columns.id[row].startsWith(id)) continue;
    if (columns.id[row] === id && fits(row)) return row;
    if (loose < 0 && (!exact || fits(row))) loose = row;
  }
  return loose;
}

function pick(row) { goTo({ sv: null, sa: null, se: null, st: null, ...nameOf(row) }, true); }

function reveal() {
  const place = state.shown.indexOf(state.at);
  if (place < 0) return;
  const top = place * ROW;
  if (top < list.scrollTop) list.scrollTop = top;
  else if (top + ROW > list.scrollTop + list.clientHeight) list.scrollTop = top + ROW - list.clientHeight;
}

function step(by) {
  if (!state.shown.length) return;
  const place = state.shown.indexOf(state.at);
  const next = place < 0 ? 0 : Math.min(Math.max(place + by, 0), state.shown.length - 1);
  pick(state.shown[next]);
}

function* wordsIn(value) {
  if (typeof value === "string") yield value;
  else if (value && typeof value === "object") for (const part of Object.values(value)) yield* wordsIn(part);
}

const literal = (text, flags) => new RegExp(text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&"), flags);

/** What to look for: in the JSON of a sample as it stands, and in its texts. */
function lookingFor(query) {
  const raw = literal(JSON.stringify(query).slice(1, -1), "giu");
  const plain = literal(query, "iu");
  const free = /[^!-~]/.test(query);
  return {
    raw,
    /** Keys and numbers have no spaces and only ASCII: what has can only stand in a text. */
    inText: (line, at) => (free && line[at - 1] !== "\\") || [...wordsIn(JSON.parse(line))].some((text) => plain.test(text)),
  };
}

/** The lines of a block that say what is looked for. */
function* linesWith(text, { raw, inText }) {
  let line = 0, from = 0;
  while (from <= text.length) {
    raw.lastIndex = from;
    const hit = raw.exec(text);
    if (!hit) return;
    let end = text.indexOf("\n", from);
    while (end >= 0 && end < hit.index) { line += 1; from = end + 1; end = text.indexOf("\n", from); }
    if (end < 0) end = text.length;
    if (inText(text.slice(from, end), hit.index - from)) yield line;
    line += 1;
    from = end + 1;
  }
}

const AHEAD = 6, DRAWN_EVERY = 250;

/** Look through every text of every sample, block by block, so that the page stays alive. */
async function search(query) {
  state.query = query;
  const needle = query.trim();
  const turn = (state.turn += 1);
  state.searching = true;
  samples.dataset.searching = "yes";
  if (!needle) {
    Object.assign(state, { hits: null, searching: false });
    delete samples.dataset.searching;
    return applyFilter(address());
  }
  const { run, index: { starts, columns } } = state;
  const id = needle.toLowerCase();
  const hits = new Set();
  columns.id.forEach((one, row) => { if (one.toLowerCase().startsWith(id)) hits.add(row); });
  state.hits = hits;
  const wanted = lookingFor(needle);
  let drawn = performance.now();
  let broken = null;
  for (let block = 0; block < starts.length; block += 1) {
    for (let next = block + 1; next <= block + AHEAD && next < starts.length; next += 1) blockText(run, next);
    const text = await blockText(run, block).catch((error) => { broken = error; return ""; });
    if (turn !== state.turn) return undefined;
    for (const line of linesWith(text, wanted)) hits.add(starts[block] + line);
    if (performance.now() - drawn > DRAWN_EVERY) { applyFilter(address()); drawn = performance.now(); }
  }
  if (broken) failed(broken);
  state.searching = false;
  delete samples.dataset.searching;
  return applyFilter(address());
}

if (list) {
  list.addEventListener("scroll", () => requestAnimationFrame(drawRows), { passive: true });
  addEventListener("resize", () => { if (state.index) drawRows(); });
  list.addEventListener("click", (event) => {
    const row = event.target.closest(".row");
    if (row) pick(Number(row.dataset.row));
  });
  list.addEventListener("keydown", (event) => {
    const by = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -1e9, End: 1e9 }[event.key];
    if (by) { event.preventDefault(); step(by); }
  });
  samples.addEventListener("click", (event) => {
    const show = event.target.closest("[data-show]");
    if (show) goTo({ show: show.dataset.show === "all" ? null : show.dataset.show });
  });
  $("#by-task").addEventListener("change", (event) => goTo({ task: event.target.value, arm: null, slice: null }));
  $("#by-arm").addEventListener("change", (event) => goTo({ arm: event.target.value }));
  $("#by-variant").addEventListener("change", (event) => goTo({ variant: event.target.value }));
  $("#by-slice").addEventListener("click", () => goTo({ slice: null }));
  let pause = 0;
  $("#search").addEventListener("input", (event) => {
    clearTimeout(pause);
    pause = setTimeout(() => goTo({ q: event.target.value }, true), 200);
  });
}
