"""The page on which people label answers: one file that works from disk, blind and by keyboard.

It shows a question, the accepted answers and an answer: neither the model nor the judge, nor any
score. Labels are kept in the browser until they are exported.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from harness.judge.offer import Offer

_PAGE = r"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Labelling</title>
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<style>
:root{color-scheme:light dark;--mark:light-dark(#2f5480,#9dbfe8)}
body{font:17px/1.55 system-ui,sans-serif;max-width:46rem;margin:1.5rem auto;padding:0 1rem}
h1{font-size:1.05rem;margin:0 0 .4rem}
h2{font-size:.8rem;text-transform:uppercase;letter-spacing:.06em;margin:1.2rem 0 .2rem;
color:light-dark(#555,#bbb)}
pre{white-space:pre-wrap;overflow-wrap:anywhere;font:inherit;margin:0;padding:.5rem .8rem;
border-left:3px solid #8886}
#answer{border-left-color:var(--mark);background:#4b6a9b1a}
nav{display:flex;gap:.5rem;flex-wrap:wrap;margin:1.2rem 0}
nav.tall{flex-direction:column}
button{font:inherit;padding:.4rem .9rem;cursor:pointer;text-align:left}
button[aria-pressed=true]{outline:3px solid var(--mark);font-weight:600}
kbd{font:inherit;font-weight:700;padding-right:.45rem}
fieldset{border:0;padding:.45rem .6rem;margin:.3rem 0;border-left:3px solid #8884}
fieldset.now{border-left-color:var(--mark);background:#4b6a9b1a}
legend{float:left;width:100%;padding:0 0 .3rem}
fieldset button{padding:.15rem .8rem;margin-right:.4rem}
progress{width:100%;accent-color:var(--mark)}
small{color:light-dark(#555,#bbb)}
</style></head><body>
<h1 id="title"></h1>
<progress id="bar" aria-labelledby="count"></progress><small id="count" aria-live="polite"></small>
<main><h2 id="h-question"></h2><pre id="question"></pre>
<h2 id="h-reference"></h2><pre id="reference"></pre>
<h2 id="h-answer"></h2><pre id="answer"></pre>
<div id="choices"></div></main>
<nav><button id="back"></button><button id="next"></button><button id="save"></button></nav>
<small id="help"></small>
<script type="application/json" id="data">__DATA__</script>
<script>
"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const WORDS = {
  title: ["Label the answers", "标注回答"],
  question: ["Question", "问题"], reference: ["Accepted answers", "可接受的答案"],
  answer: ["Answer", "回答"], none: ["(none)", "（无）"], back: ["← back", "← 上一条"],
  next: ["skip →", "跳过 →"], save: ["export labels (E)", "导出标注 (E)"],
  unsure: ["cannot tell", "无法判断"], yes: ["yes", "是"], no: ["no", "否"],
  right: ["right", "正确"], wrong: ["wrong", "错误"], correct: ["correct", "正确"],
  incorrect: ["incorrect", "错误"], "not attempted": ["not attempted", "未作答"],
  "better than the accepted answer": ["better than the accepted answer", "比可接受的答案好"],
  worse: ["worse", "更差"], "as good": ["as good", "一样好"],
  of: ["of", "/"], labelled: ["labelled", "条已标注"],
  done: ["All are labelled: press E to export them.", "全部标注完毕：按 E 导出。"],
  help: ["Keys: the numbers label, ← and → move, E exports. Judge the answer by itself: which "
    + "system gave it, and what a judge said, is not shown on purpose. Skip as little as you can: "
    + "what is labelled must stay a random part. Labels stay in this browser until exported.",
    "按键：数字键标注，← → 移动，E 导出。请只看回答本身："
    + "由哪个系统给出、评判者怎么说，都有意不显示。"
    + "请尽量不要跳过：标注的部分必须保持随机。导出之前，标注保存在本浏览器中。"],
};
const zh = navigator.language.startsWith("zh");
if (zh) document.documentElement.lang = "zh";
const say = word => WORDS[word] ? WORDS[word][+zh] : word;
const place = "labels-" + data.id;
let labels = {};
try { labels = JSON.parse(localStorage.getItem(place) || "{}"); } catch { labels = {}; }
const done = () => data.items.filter(item => item.key in labels && whole(item)).length;
const element = id => document.getElementById(id);
const scaleOf = item => data.scales[item.scale];
const whole = item => {
  const given = labels[item.key];
  return !Array.isArray(given) || given.length === scaleOf(item).checks.length;
};
let at = Math.max(0, data.items.findIndex(item => !(item.key in labels && whole(item))));
function make(tag, text, parent) {
  const made = document.createElement(tag);
  made.textContent = text;
  parent.append(made);
  return made;
}
function button(parent, key, text, pressed, act) {
  const made = make("button", "", parent);
  if (key) make("kbd", key, made);
  made.append(text);
  made.setAttribute("aria-pressed", String(pressed));
  made.addEventListener("click", act);
  return made;
}
function options(item) {
  const scale = scaleOf(item);
  if (scale.checks.length)
    return [["yes", 1], ["no", 0], ["unsure", null]].map(([name, value]) =>
      [say(name), () => check(item, value)]);
  return [...scale.choices.map((choice, index) =>
    [say(choice.name) + (choice.about ? " · " + choice.about : ""), () => label(index)]),
    [say("unsure"), () => label(null)]];
}
function show() {
  const item = data.items[at], scale = scaleOf(item), given = labels[item.key];
  for (const name of ["question", "reference", "answer"])
    element(name).textContent = item[name] || say("none");
  const count = done(), all = data.items.length;
  element("bar").max = all;
  element("bar").value = count;
  element("count").textContent = ` ${at + 1} ${say("of")} ${all}; ${count} ${say("labelled")}. `
    + (count === all ? say("done") : "");
  const box = element("choices");
  box.replaceChildren();
  if (scale.checks.length) checks(box, item, scale, given);
  const list = make("nav", "", box);
  if (scale.choices.some(choice => choice.about)) list.className = "tall";
  options(item).forEach(([text, act], index) => {
    const chosen = !scale.checks.length && given !== undefined
      && (given === null ? index === scale.choices.length : given === index);
    button(list, index < 9 ? String(index + 1) : "", text,
      chosen || (scale.checks.length > 0 && given === null && index === 2), act);
  });
}
function checks(box, item, scale, given) {
  const answers = Array.isArray(given) ? given : [];
  scale.checks.forEach((one, index) => {
    const field = make("fieldset", "", box);
    make("legend", one.ask, field);
    if (index === answers.length && given !== null) field.className = "now";
    for (const [name, value] of [["yes", 1], ["no", 0]]) {
      const made = button(field, "", say(name), answers[index] === value, () =>
        answer(item, [...answers.slice(0, index), value, ...answers.slice(index + 1)]));
      made.disabled = index > answers.length;
    }
  });
  const now = box.querySelector(".now");
  if (now) now.scrollIntoView({block: "nearest"});
}
function check(item, value) {
  const given = labels[item.key];
  const answers = Array.isArray(given) && !whole(item) ? given : [];
  answer(item, value === null ? null : [...answers, value]);
}
function answer(item, given) {
  const already = item.key in labels && whole(item);
  labels[item.key] = given;
  keep();
  if (whole(item) && !already) move(1);
}
function label(index) {
  labels[data.items[at].key] = index;
  keep();
  move(1);
}
function keep() {
  try { localStorage.setItem(place, JSON.stringify(labels)); } catch { /* kept in memory */ }
  show();
}
function move(step) {
  at = Math.min(Math.max(at + step, 0), data.items.length - 1);
  show();
  scrollTo(0, 0);
}
function value(item) {
  const scale = scaleOf(item), given = labels[item.key];
  if (!scale.checks.length) return scale.choices[given].value;
  let met = 0, best = 0;
  scale.checks.forEach((one, index) => {
    const points = one.points === undefined ? 1 : one.points;
    met += given[index] * points;
    best += Math.max(points, 0);
  });
  return Math.min(Math.max(met / best, 0), 1);
}
function save() {
  const rows = data.items
    .filter(item => labels[item.key] !== undefined && labels[item.key] !== null && whole(item))
    .map(item => JSON.stringify({key: item.key, label: value(item), run: data.id}));
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([rows.join("\n") + "\n"]));
  link.download = "labels.jsonl";
  link.click();
}
for (const name of ["question", "reference", "answer"])
  element("h-" + name).textContent = say(name);
for (const name of ["title", "back", "next", "save", "help"]) element(name).textContent = say(name);
element("back").addEventListener("click", () => move(-1));
element("next").addEventListener("click", () => move(1));
element("save").addEventListener("click", save);
addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const choice = /^[1-9]$/.test(event.key) && options(data.items[at])[Number(event.key) - 1];
  if (choice) choice[1]();
  else if (event.key === "ArrowLeft" || event.key === "Backspace") move(-1);
  else if (event.key === "ArrowRight") move(1);
  else if (event.key === "e" || event.key === "E") save();
});
show();
</script></body></html>
"""


def label_page(identity: str, items: Sequence[dict[str, Any]], scales: Mapping[str, Offer]) -> str:
    """Return the page for items of key, question, reference, answer and scale (a name in `scales`).

    `identity` names the run without telling it: labels of two runs must not mix, though their
    samples have the same keys. Texts reach the page as JSON and are shown by `textContent` alone,
    so that none can run; `<` is escaped within the JSON, so that none can end its script element.
    """
    told = {
        name: {"choices": msgspec.to_builtins(scale.choices),
               "checks": msgspec.to_builtins(scale.checks)}
        for name, scale in scales.items()
    }  # fmt: skip
    data = json.dumps({"id": identity, "items": list(items), "scales": told}, ensure_ascii=True)
    safe = data.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return _PAGE.replace("__DATA__", safe)
