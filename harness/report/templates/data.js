// Samples: packed pieces in the page or beside it, decoded when wanted.
const waiting = new Map();
const decoded = new Map();
const KEPT = 40;

/** Scripts beside the page hand their piece over here: a page from disk can load nothing else. */
window.harnessChunk = (name, text) => { waiting.get(name)?.(text); waiting.delete(name); };

function fetchPiece(name) {
  const inside = document.getElementById(`chunk-${name}`);
  if (inside) return Promise.resolve(inside.textContent);
  return new Promise((resolve, reject) => {
    waiting.set(name, resolve);
    const script = el("script", { src: `${FACTS.folder}/${name}.js` });
    script.addEventListener("load", () => script.remove());
    script.addEventListener("error", () => reject(new Error(`${FACTS.folder}/${name}.js cannot be read`)));
    document.head.append(script);
  });
}

async function unpack(text) {
  if (typeof DecompressionStream === "undefined") throw new Error(word("compressed"));
  const bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

/** A decoded piece; the most recent ones stay in memory. */
function piece(name) {
  if (decoded.has(name)) {
    const found = decoded.get(name);
    decoded.delete(name);
    decoded.set(name, found);
    return found;
  }
  const found = fetchPiece(name).then(unpack);
  decoded.set(name, found);
  found.catch(() => decoded.delete(name));
  for (const old of decoded.keys()) {
    if (decoded.size <= KEPT) break;
    if (!old.includes("index")) decoded.delete(old);
  }
  return found;
}

const PER_BLOCK = 200;
const blockOf = (run, row) => piece(`r${run}-${Math.floor(row / PER_BLOCK)}`);
const sampleOf = async (run, row) => (await blockOf(run, row))[row % PER_BLOCK];

const STATUS = ["ok", "unparsed", "error", "unjudged"];

/** What became of a sample: error, unjudged, unparsed, wrong, part, right or ok (nothing to be right about). */
function kindOf(columns, row) {
  const status = STATUS[columns.s[row]];
  if (status !== "ok") return status;
  const score = columns.x[row];
  if (score === null || score < 0 || score > 1) return "ok";
  return score >= 1 ? "right" : score >= 0.5 ? "part" : "wrong";
}
const SIGN = { error: "⚠", unjudged: "⚠", unparsed: "?", wrong: "✗", part: "~", right: "✓", ok: "·" };
const ORDER = ["error", "unjudged", "unparsed", "wrong", "part", "ok", "right"];
