// Differences by character between an answer and the reference.
const DIFF_CELLS = 400000;

/** Edits from `a` to `b`: [kind, text] with kind "=", "-" (only in a), "+" (only in b). */
function edits(a, b) {
  const left = Array.from(a), right = Array.from(b);
  let start = 0, end = 0;
  while (start < left.length && start < right.length && left[start] === right[start]) start += 1;
  while (end < left.length - start && end < right.length - start && left.at(-1 - end) === right.at(-1 - end)) end += 1;
  const x = left.slice(start, left.length - end), y = right.slice(start, right.length - end);
  const middle = x.length * y.length > DIFF_CELLS ? [["-", x.join("")], ["+", y.join("")]] : common(x, y);
  const all = [["=", left.slice(0, start).join("")], ...middle, ["=", left.slice(left.length - end).join("")]];
  return all.filter(([, text]) => text);
}

/** Longest common subsequence, by the usual table. */
function common(x, y) {
  const width = y.length + 1;
  const table = new Uint32Array((x.length + 1) * width);
  for (let i = x.length - 1; i >= 0; i -= 1) {
    for (let j = y.length - 1; j >= 0; j -= 1) {
      table[i * width + j] = x[i] === y[j] ? table[(i + 1) * width + j + 1] + 1
        : Math.max(table[(i + 1) * width + j], table[i * width + j + 1]);
    }
  }
  const out = [];
  const add = (kind, char) => { if (out.at(-1)?.[0] === kind) out.at(-1)[1] += char; else out.push([kind, char]); };
  let i = 0, j = 0;
  while (i < x.length || j < y.length) {
    if (i < x.length && j < y.length && x[i] === y[j]) { add("=", x[i]); i += 1; j += 1; }
    else if (j >= y.length || (i < x.length && table[(i + 1) * width + j] >= table[i * width + j + 1])) { add("-", x[i]); i += 1; }
    else { add("+", y[j]); j += 1; }
  }
  return out;
}

/** One side of a difference, what the other side lacks marked. */
function marked(a, b, own, name) {
  const out = document.createDocumentFragment();
  for (const [kind, text] of edits(a, b)) {
    if (kind === "=") out.append(visible(text));
    else if (kind === own) out.append(el(name, {}, visible(text)));
  }
  return out;
}
