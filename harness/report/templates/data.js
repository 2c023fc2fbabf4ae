// Samples: packed pieces in the page or beside it, decoded when wanted.
const waiting = new Map();
const decoded = new Map();
const KEPT = 48;

/** Scripts beside the page hand their piece over here: a page from disk can load nothing else. */
window.harnessChunk = (name, text) => { waiting.get(name)?.(text); waiting.delete(name); };

function fetchPiece(name) {
  const inside = document.getElementById(`chunk-${name}`);
  if (inside) return Promise.resolve(inside.textContent);
  return new Promise((resolve, reject) => {
    waiting.set(name, resolve);
    const script = el("script", { src: `${FACTS.folder}/${name}.js` });
    const broken = () => { waiting.delete(name); reject(new Error(`${FACTS.folder}/${name}.js cannot be read`)); };
    // A script that is cut off loads too, and hands nothing over.
    script.addEventListener("load", () => { script.remove(); if (waiting.get(name) === resolve) broken(); });
    script.addEventListener("error", () => { script.remove(); broken(); });
    document.head.append(script);
  });
}

function bytesOf(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const chars = atob(text);
  const bytes = new Uint8Array(chars.length);
  for (let at = 0; at < chars.length; at += 1) bytes[at] = chars.charCodeAt(at);
  return bytes;
}

function unpack(text) {
  if (typeof DecompressionStream === "undefined") throw new Error(word("compressed"));
  const stream = new Blob([bytesOf(text)]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).text();
}

/** A decoded piece; the most recent ones stay in memory. */
function piece(name, read = JSON.parse) {
  if (decoded.has(name)) {
    const found = decoded.get(name);
    decoded.delete(name);
    decoded.set(name, found);
    return found;
  }
  const found = fetchPiece(name).then(unpack).then(read);
  decoded.set(name, found);
  found.catch(() => decoded.delete(name));
  for (const old of decoded.keys()) {
    if (decoded.size <= KEPT) break;
    if (!old.includes("index")) decoded.delete(old);
  }
  return found;
}

/** What an element holds, where it waits packed. It is ours: the templates have escaped every text. */
async function openPart(node) {
  const { piece: name } = node.dataset;
  if (!name) return;
  const html = await piece(name);
  if (!node.dataset.piece) return;
  delete node.dataset.piece;
  decoded.delete(name);
  node.replaceChildren(...new DOMParser().parseFromString(html, "text/html").body.childNodes);
  for (const title of $$("h1", node)) title.tabIndex = -1;
  speak();
}

/** The block that a row stands in: the last one that does not begin after it. */
function blockOf(starts, row) {
  let low = 0, high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (starts[middle] <= row) low = middle; else high = middle - 1;
  }
  return low;
}

/** A block as text: one line of JSON for each of its samples. */
const blockText = (run, block) => piece(`r${run}-${block}`, String);

async function sampleOf(run, row) {
  const { starts } = await piece(`r${run}-index`);
  const block = blockOf(starts, row);
  const text = await blockText(run, block);
  let from = 0;
  for (let line = starts[block]; line < row; line += 1) from = text.indexOf("\n", from) + 1;
  const to = text.indexOf("\n", from);
  return JSON.parse(to < 0 ? text.slice(from) : text.slice(from, to));
}

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
