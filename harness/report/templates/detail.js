// One sample: sent, came, read as, wanted, error, tokens, time.
const SPENT = ["prompt_tokens", "completion_tokens", "latency_s", "ece"];
const DIFF_LONGEST = 5000;

/** Whether two texts have so much in common that marking the rest helps. */
function akin(a, b) {
  const common = edits(a, b).reduce((sum, [kind, text]) => sum + (kind === "=" ? text.length : 0), 0);
  return Math.min(a.length, b.length) <= 24 || common > 0.6 * Math.min(a.length, b.length);
}

const line = (key, ...children) => el("div", {}, el("dt", {}, both(key)), el("dd", {}, ...children));

function roleOf(turn) {
  const parts = [turn.role];
  if (turn.served) parts.push(turn.served);
  return el("span", { class: "role" }, visible(parts.join(" · ")));
}

function turnsOf(turns, changed) {
  const out = document.createDocumentFragment();
  turns.forEach((turn, place) => {
    if (turn.reasoning) out.append(folded("thought", turn.reasoning));
    out.append(roleOf(turn), passage(turn.text, place === turns.length - 1 ? changed : visible));
    if (turn.tool_calls) out.append(el("span", { class: "role" }, both("tools")), passage(turn.tool_calls));
  });
  return out;
}

function folded(key, text) {
  return el("details", { class: "thought" }, el("summary", {}, both(key), ` (${text.length.toLocaleString("en")})`), passage(text));
}

/** What the model said in its turns, and what was scored where that is another text. */
const cameOf = ({ came, output }) => [came && turnsOf(came, visible), output !== undefined && passage(output)].filter(Boolean);

/** A perturbed input with its changed stretches underlined; each says what stood there. */
function withSpans(spans) {
  return (text) => {
    const chars = Array.from(text);
    const out = document.createDocumentFragment();
    let at = 0;
    for (const span of [...spans].sort((a, b) => a.start - b.start)) {
      if (span.start < at || span.end > chars.length) continue;
      out.append(visible(chars.slice(at, span.start).join("")));
      out.append(el("ins", { title: word("was", { text: span.original }) }, visible(chars.slice(span.start, span.end).join(""))));
      at = span.end;
    }
    out.append(visible(chars.slice(at).join("")));
    return out;
  };
}

const BLANKS = { " ": "␣", "\t": "⇥", "\n": "↵" };

/** A stretch of nothing but space, written so that it can be seen; any other text as it is. */
const blanks = (text) => (text.trim() ? text : text.replace(/\s/g, (one) => BLANKS[one] ?? codePoint(one)) || "∅");

/** What stood there, and what stands there now: readable without a mouse. */
function changesOf(sample, sent) {
  const text = Array.from(sample.input ?? sent.at(-1).text);
  const shown = sample.spans.slice(0, 12).map((span) => el("div", {}, el("span", { class: "was" }, visible(blanks(span.original)), " → "), visible(blanks(text.slice(span.start, span.end).join("")))));
  if (sample.input !== undefined) shown.push(passage(sample.input, withSpans(sample.spans)));
  return shown;
}

function usageOf(sample) {
  const parts = [];
  if (sample.in !== undefined || sample.out !== undefined) {
    parts.push(both("usage_text", { in: sample.in ?? "?", out: sample.out ?? "?", ms: Math.round(1000 * (sample.s ?? 0)).toLocaleString("en") }));
  }
  if (sample.finish) parts.push(both("finish", { finish: sample.finish }));
  const thought = (sample.came || []).reduce((sum, turn) => sum + (turn.thought || 0), 0);
  if (thought) parts.push(both("usage_thought", { count: thought }));
  const tries = Math.max(...(sample.came || []).map((turn) => turn.tries || 1), 1);
  if (tries > 1) parts.push(both("tries", { tries }));
  if (sample.cached) parts.push(both("replayed"));
  if (sample.cost) parts.push(`$${Number(sample.cost.toPrecision(3))}`);
  return parts.flatMap((part, place) => (place ? [" · ", part] : [part]));
}

/** Options with their log-likelihoods, the chosen and the right one named. */
function choicesOf(sample) {
  if (!sample.choices) return (sample.options || []).map((option) => passage(option));
  const best = Math.max(...sample.choices.map((one) => one.loglikelihood));
  const rows = sample.choices.map((one, place) => {
    const chosen = sample.answer !== undefined ? one.text === sample.answer : one.loglikelihood === best;
    const notes = [];
    if (chosen) notes.push(both("chosen"));
    if (sample.gold === place) notes.push(both("gold"));
    const per = one.tokens ? (one.loglikelihood / one.tokens).toFixed(3) : "–";
    return el("tr", {}, el("td", { class: chosen ? "chosen" : null }, passage(one.text)),
      el("td", { class: "num" }, one.loglikelihood.toFixed(3)), el("td", { class: "num" }, per),
      el("td", {}, notes.flatMap((note, at) => (at ? [", ", note] : [note]))));
  });
  const head = el("tr", {}, el("td", {}), el("th", { class: "num", scope: "col" }, both("loglikelihood")), el("th", { class: "num", scope: "col" }, both("per_token")), el("td", {}));
  return [el("table", { class: "grid" }, el("thead", {}, head), el("tbody", {}, rows))];
}

/** How the answer was found: by which rule, where in the text, and what it was taken to be. */
function traceOf(sample) {
  if (typeof sample.read !== "object") return visible(sample.read);
  const { rule, start, end, value } = sample.read;
  const parts = [end > start ? both("read_at", { rule, start: start + 1, end }) : both("rule", { rule })];
  if (value !== null && value !== undefined && value !== sample.answer) parts.push("; ", both("read_value", { value }));
  return parts;
}

/** Answer and reference, with what one has and the other lacks marked by character. */
function compared(sample) {
  const got = sample.answer, accepted = sample.target || [];
  const wanted = accepted.find((one) => one === got) ?? accepted[0];
  const rest = accepted.filter((one) => one !== wanted);
  const differ = got !== undefined && wanted !== undefined && got !== wanted && got.length <= DIFF_LONGEST && wanted.length <= DIFF_LONGEST && akin(got, wanted);
  const lines = [];
  const trace = sample.read ? el("span", { class: "note" }, traceOf(sample)) : null;
  const read = got === undefined
    ? (sample.choices || sample.error ? null : el("span", { class: "bad" }, both("unread")))
    : passage(got, differ ? () => marked(got, wanted, "-", "ins") : visible);
  if (read) lines.push(line("read", el("div", { class: "diff" }, read), trace));
  if (wanted !== undefined) {
    const shown = passage(wanted, differ ? () => marked(got, wanted, "+", "del") : visible);
    lines.push(line("wanted", el("div", { class: "diff" }, shown),
      rest.length ? el("details", {}, el("summary", { class: "note" }, both("also"), ` (${rest.length})`), rest.map((one) => passage(one))) : null));
  }
  return lines;
}

const REASONS = 1200;

/** What each judge, seat or check said, and why: a panel's own verdict comes first. */
function verdictsOf(sample) {
  const panel = sample.verdicts.filter((one) => one.judge === "panel");
  const rest = sample.verdicts.filter((one) => one.judge !== "panel");
  return [...panel, ...rest].map((one) => {
    const parts = [el("b", { class: one.verdict === null ? "bad" : null }, (one.verdict ?? null) === null ? both("verdict_missing", { reason: one.reason ?? "?" }) : visible(String(one.verdict)))];
    if (typeof one.score === "number") parts.push(both("verdict_score", { score: Number(one.score.toFixed(3)) }));
    if (typeof one.valid_mass === "number") parts.push(both("verdict_mass", { mass: one.valid_mass.toFixed(2) }));
    if (one.verdict !== null && one.reason) parts.push(visible(one.reason));
    const who = [one.judge, one.order, one.model].filter(Boolean).join(" · ");
    const wrote = one.reply && (one.reply.length > REASONS ? folded("verdict_reply", one.reply) : passage(one.reply));
    return el("div", { class: "verdict" }, el("span", { class: "role" }, visible(who)),
      parts.flatMap((part, place) => (place ? [" · ", part] : [part])), wrote || null);
  });
}

const quoted = (text) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

function commandOf(row) {
  const keys = keysOf(row);
  const parts = ["harness run", quoted(keys.task), FACTS.runs[state.run].options, "--sample", quoted(keys.sample_id)];
  return parts.join(" ");
}

const promptOf = (sample) => (sample.sent?.length ? sample.sent.map((turn) => (sample.sent.length > 1 ? `${turn.role}: ${turn.text}` : turn.text)).join("\n\n") : sample.input ?? "");

function action(key, text) {
  const button = el("button", { type: "button" }, both(key));
  button.addEventListener("click", () => copy(text(), button));
  return button;
}

function headOf(row) {
  const keys = keysOf(row);
  const kind = state.kinds[row];
  const parts = [keys.task, ...(keys.slices ? keys.slices.split("&") : [])];
  if (keys.variant !== "original") parts.push(keys.variant);
  if (keys.arm !== "default") parts.push(keys.arm);
  if (keys.epoch) parts.push(`epoch ${keys.epoch}`);
  const metric = ["right", "part", "wrong"].includes(kind) ? FACTS.runs[state.run].primary[keys.task] : null;
  return [
    el("h3", {}, el("span", { class: `m-${kind}` }, `${SIGN[kind]} `, both(`status.${kind}`)),
      metric ? el("small", {}, " ", both("by_metric", { metric })) : null, " · ", visible(parts.join(" · "))),
    el("p", { class: "sub" }, visible(keys.sample_id)),
  ];
}

async function showDetail(row) {
  const detail = $("#detail");
  if (row < 0) {
    detail.replaceChildren(el("p", { class: "note" }, both(address().get("s") ? "gone" : "pick")));
    return;
  }
  const { run } = state;
  const sample = await sampleOf(run, row);
  if (row !== state.at || run !== state.run) return;
  const sent = sample.sent || [{ role: "user", text: sample.input || "" }];
  const used = usageOf(sample);
  const lines = [
    sample.error ? line("error", el("span", { class: "bad" }, visible(sample.error))) : null,
    line("sent", turnsOf(sent, sample.spans && sample.input === undefined ? withSpans(sample.spans) : visible)),
    sample.spans ? line("changed", ...changesOf(sample, sent)) : null,
    sample.came || sample.output !== undefined ? line("came", ...cameOf(sample)) : null,
    sample.choices || sample.options ? line("choices", ...choicesOf(sample)) : null,
    ...compared(sample),
    sample.verdicts ? line("verdicts", ...verdictsOf(sample)) : null,
    sample.label !== undefined ? line("label", String(sample.label)) : null,
    sample.why ? line("why", passage(sample.why)) : null,
    sample.scores ? line("scores", ...Object.entries(sample.scores).filter(([name]) => !SPENT.includes(name)).map(([name, value]) => visible(`${name} ${Number(value.toFixed(4))}`)).flatMap((one, place) => (place ? [", ", one] : [one]))) : null,
    sample.sure !== undefined ? line("sure", sample.sure.toFixed(3)) : null,
    used.length ? line("usage", ...used) : null,
  ];
  const acts = el("div", { class: "acts" }, action("copy_prompt", () => promptOf(sample)), action("copy_command", () => commandOf(row)), action("copy_link", () => location.href));
  const told = el("dl", { class: "turns" }, lines);
  detail.replaceChildren(...headOf(row), acts, told);
  detail.scrollTop = 0;
  reachable(detail);
  const others = await elsewhere(row);
  if (others && row === state.at && told.isConnected) told.append(others);
}
