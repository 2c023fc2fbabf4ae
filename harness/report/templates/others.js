// The same samples in the other runs of the report: which came out otherwise.
const AT_ONCE = 40000;
const places = new Map();

/** A run's samples by what names them in every run: key → row, and what became of each. */
function placesOf(run) {
  if (!places.has(run)) {
    places.set(run, piece(`r${run}-index`).then(({ columns, arm, variant }) => {
      const key = (row) => [columns.t[row], columns.id[row], arm[columns.a[row]], variant[columns.v[row]], columns.e[row]].join("\u0000");
      const rows = new Map();
      for (let row = 0; row < columns.id.length; row += 1) rows.set(key(row), row);
      return { rows, key, kind: (row) => kindOf(columns, row), got: (row) => columns.g[row] };
    }));
  }
  return places.get(run);
}

const otherRuns = () => FACTS.runs.map((_, run) => run).filter((run) => run !== state.run && FACTS.runs[run].rows);

/** Find the samples whose outcome differs from that in the run that the address names, or in any. */
async function compareRuns(asked) {
  const name = asked.get("diff") || "";
  offerRuns(name);
  if (state.against === name && state.comparedIn === state.run) return;
  const { run } = state, { hash } = location;
  const against = otherRuns().filter((other) => name === "any" || FACTS.runs[other].name === name);
  const own = name ? await placesOf(run) : null;
  const found = new Set();
  for (const other of name ? against : []) {
    const there = await placesOf(other);
    for (const [key, row] of own.rows) {
      const place = there.rows.get(key);
      if (place !== undefined && there.kind(place) !== own.kind(row)) found.add(row);
    }
  }
  if (hash === location.hash) Object.assign(state, { against: name, comparedIn: run, differs: name ? found : null });
}

function offerRuns(chosen) {
  const select = $("#by-other");
  const runs = otherRuns();
  select.closest("label").hidden = !runs.length;
  while (select.options.length > 2) select.options[2].remove();
  for (const run of runs) {
    const { name, model } = FACTS.runs[run];
    const [en, zh] = ["en", "zh"].map((_, at) => fill(FACTS.words.differs[at], { model }));
    select.append(el("option", { value: name, "data-en": en, "data-zh": zh }, side() ? zh : en));
  }
  select.value = chosen;
}

/** What the other runs made of a sample, each a link to it there. */
async function elsewhere(row) {
  const runs = otherRuns();
  const rows = FACTS.runs.reduce((sum, run) => sum + run.rows, 0);
  if (!runs.length || (rows > AT_ONCE && !state.against)) return null;
  const own = await placesOf(state.run);
  const key = own.key(row);
  const lines = [];
  for (const run of runs) {
    const there = await placesOf(run);
    const place = there.rows.get(key);
    if (place === undefined) continue;
    const kind = there.kind(place);
    const href = `#${new URLSearchParams({ view: "run", run: FACTS.runs[run].name, ...Object.fromEntries(Object.entries(nameOf(row)).filter(([, value]) => value !== null)) })}`;
    lines.push(el("div", {}, el("span", { class: `m-${kind}` }, `${SIGN[kind]} `), el("a", { href }, visible(FACTS.runs[run].model)), " ",
      el("span", { class: "note" }, kind === own.kind(row) ? both(`status.${kind}`) : el("b", {}, both(`status.${kind}`))), " ",
      el("span", { class: "got" }, visible(there.got(place) || "–"))));
  }
  return lines.length ? line("elsewhere", ...lines) : null;
}

if (samples) $("#by-other").addEventListener("change", (event) => goTo({ diff: event.target.value }));
