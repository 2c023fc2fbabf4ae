// Export of the samples that the list shows, in its order.
const CSV = [
  "task", "sample_id", "arm", "variant", "epoch", "status", "score", "input", "output", "answer", "wanted",
  "verdict", "reason", "explanation", "error", "tokens_in", "tokens_out", "latency_s", "cost_usd", "slices",
];

/** A field that no spreadsheet takes for a formula. */
function csvField(value) {
  let text = value === null || value === undefined ? "" : String(value);
  if (/^[=+\-@\t\r]/.test(text) && Number.isNaN(Number(text))) text = `'${text}`;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const keysOf = (row, index = state.index) => {
  const { columns, arm, variant, slices } = index;
  return {
    task: FACTS.tasks[columns.t[row]], sample_id: columns.id[row], arm: arm[columns.a[row]], variant: variant[columns.v[row]],
    epoch: columns.e[row], status: STATUS[columns.s[row]], score: columns.x[row], slices: slices[columns.c[row]],
  };
};

const inputOf = (sample) => sample.input ?? (sample.sent || []).map((turn) => turn.text).join("\n\n");
const outputOf = (sample) => sample.output ?? sample.came?.at(-1)?.text;

/** What a line of the CSV says of a sample; of a panel its own verdict, else that of every judge. */
function csvOf(row, sample, index) {
  const heard = sample.verdicts || [];
  const panel = heard.filter((one) => one.judge === "panel");
  const told = panel.length ? panel : heard;
  const all = (read) => told.map(read).filter(Boolean).join("; ");
  return {
    ...keysOf(row, index), input: inputOf(sample), output: outputOf(sample), answer: sample.answer, wanted: (sample.target || [])[0],
    verdict: all((one) => one.verdict), reason: all((one) => one.reason || one.reply), explanation: sample.why, error: sample.error,
    tokens_in: sample.in, tokens_out: sample.out, latency_s: sample.s, cost_usd: sample.cost,
  };
}

async function exportRows(kind) {
  const parts = kind === "csv" ? [`${CSV.join(",")}\n`] : [];
  const { run, index, shown } = state; // another run may be opened meanwhile
  try {
    for (const row of shown) {
      const sample = await sampleOf(run, row);
      if (kind === "csv") {
        const said = csvOf(row, sample, index);
        parts.push(`${CSV.map((name) => csvField(said[name])).join(",")}\n`);
      } else parts.push(`${JSON.stringify({ ...keysOf(row, index), ...sample })}\n`);
    }
  } catch (error) {
    failed(error);
    return;
  }
  download(`${FACTS.runs[run].name}.${kind}`, kind === "csv" ? "text/csv" : "application/jsonl", parts);
}

/** Say what cannot be read, where the sample would stand. */
function failed(error) {
  const text = String(error.message || error);
  $("#detail").replaceChildren(el("p", { class: "bad" }, text));
  announce(text);
}

if (samples) {
  $("#csv").addEventListener("click", () => exportRows("csv"));
  $("#jsonl").addEventListener("click", () => exportRows("jsonl"));
}
