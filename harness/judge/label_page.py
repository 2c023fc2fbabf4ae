"""A page on which a person labels answers: one file, from disk, by keyboard, blind.

It holds questions, accepted answers and answers; neither the model's name nor a verdict. What is
labelled is kept in the browser until it is exported as JSONL.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Labelling</title>
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<style>
:root{color-scheme:light dark}
body{font:17px/1.55 system-ui,sans-serif;max-width:46rem;margin:1.5rem auto;padding:0 1rem}
h2{font-size:.8rem;text-transform:uppercase;letter-spacing:.06em;margin:1.2rem 0 .2rem;opacity:.7}
pre{white-space:pre-wrap;overflow-wrap:anywhere;font:inherit;margin:0;padding:.5rem .8rem;
border-left:3px solid #8886}
#answer{border-left-color:#4b6a9b;background:#4b6a9b1a}
nav{display:flex;gap:.5rem;flex-wrap:wrap;margin:1.4rem 0}
button{font:inherit;padding:.4rem .9rem;cursor:pointer}
button[aria-pressed=true]{outline:3px solid #4b6a9b}
progress{width:100%}
small{opacity:.75}
</style></head><body>
<p><progress id="bar"></progress><small id="count" aria-live="polite"></small></p>
<main><h2>Question</h2><pre id="question"></pre>
<h2>Accepted answers</h2><pre id="reference"></pre>
<h2>Answer</h2><pre id="answer"></pre></main>
<nav id="choices"></nav>
<nav><button id="back">← back</button><button id="next">skip →</button>
<button id="save">export labels (E)</button></nav>
<small>Keys: 1 right, 2 wrong, 3 not attempted, 4 cannot tell; ← and → move, E exports. Judge
the answer by itself: which system gave it, and what a judge said, is not shown on purpose.</small>
<script type="application/json" id="data">__DATA__</script>
<script>
"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const CHOICES = [["1", "right", 1], ["2", "wrong", 0], ["3", "not attempted", "not_attempted"],
                 ["4", "cannot tell", null]];
const place = "labels-" + data.id;
let labels = {};
try { labels = JSON.parse(localStorage.getItem(place) || "{}"); } catch { labels = {}; }
const done = () => data.items.filter(item => item.key in labels).length;
let at = Math.max(0, data.items.findIndex(item => !(item.key in labels)));
const element = id => document.getElementById(id);
function show() {
  const item = data.items[at];
  for (const name of ["question", "reference", "answer"])
    element(name).textContent = item[name] || "(none)";
  element("bar").max = data.items.length;
  element("bar").value = done();
  element("count").textContent = ` ${at + 1} of ${data.items.length}; ${done()} labelled`;
  for (const button of element("choices").children)
    button.setAttribute("aria-pressed",
      String(item.key in labels && JSON.stringify(labels[item.key]) === button.dataset.value));
  scrollTo(0, 0);
}
function label(value) {
  labels[data.items[at].key] = value;
  try { localStorage.setItem(place, JSON.stringify(labels)); } catch { /* kept in memory */ }
  move(1);
}
function move(step) {
  at = Math.min(Math.max(at + step, 0), data.items.length - 1);
  show();
}
function save() {
  const rows = data.items.filter(item => labels[item.key] !== undefined
    && labels[item.key] !== null)
    .map(item => JSON.stringify({key: item.key, label: labels[item.key]}));
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([rows.join("\\n") + "\\n"]));
  link.download = "labels.jsonl";
  link.click();
}
for (const [key, name, value] of CHOICES) {
  const button = document.createElement("button");
  button.textContent = `${key} ${name}`;
  button.dataset.value = JSON.stringify(value);
  button.addEventListener("click", () => label(value));
  element("choices").append(button);
}
element("back").addEventListener("click", () => move(-1));
element("next").addEventListener("click", () => move(1));
element("save").addEventListener("click", save);
addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const choice = CHOICES.find(one => one[0] === event.key);
  if (choice) label(choice[2]);
  else if (event.key === "ArrowLeft" || event.key === "Backspace") move(-1);
  else if (event.key === "ArrowRight") move(1);
  else if (event.key === "e" || event.key === "E") save();
});
show();
</script></body></html>
"""


def label_page(identity: str, items: Sequence[dict[str, Any]]) -> str:
    """Return the page for items of key, question, reference and answer.

    Texts reach the page as JSON and are shown by `textContent` alone, so that none can run; `<`
    is escaped within the JSON, so that none can end its script element.
    """
    data = json.dumps({"id": identity, "items": list(items)}, ensure_ascii=True)
    safe = data.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return _PAGE.replace("__DATA__", safe)
