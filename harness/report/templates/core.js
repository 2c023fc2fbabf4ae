// Small helpers. Every text from a run reaches the page by textContent alone.
const root = document.documentElement;
const $ = (selector, inside = document) => inside.querySelector(selector);
const $$ = (selector, inside = document) => [...inside.querySelectorAll(selector)];

function el(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) node.setAttribute(key, value === true ? "" : value);
  }
  for (const child of children.flat()) {
    if (child !== null && child !== undefined) node.append(child);
  }
  return node;
}

const side = () => (root.dataset.lang === "zh" ? 1 : 0);

function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => (Object.hasOwn(values, name) ? plainly(String(values[name])) : whole));
}

/** A text in the language that is on. */
const word = (key, values = {}) => fill(FACTS.words[key][side()], values);

/** A text in both languages, so that the switch needs no redrawing. */
function both(key, values = {}) {
  const [en, zh] = FACTS.words[key];
  const said = document.createDocumentFragment();
  said.append(el("span", { class: "en", lang: "en" }, fill(en, values)), el("span", { class: "zh", lang: "zh" }, fill(zh, values)));
  return said;
}

const HIDDEN = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/gu;

const codePoint = (text) => "U+" + text.codePointAt(0).toString(16).toUpperCase().padStart(4, "0");

/** The same as plain text, for what holds no elements. */
const plainly = (text) => text.replace(HIDDEN, codePoint);

/** Text nodes in which what cannot be seen stands as its code point. */
function visible(text) {
  const out = document.createDocumentFragment();
  let at = 0;
  for (const found of text.matchAll(HIDDEN)) {
    if (found.index > at) out.append(text.slice(at, found.index));
    out.append(el("i", { class: "ctl" }, codePoint(found[0])));
    at = found.index + found[0].length;
  }
  if (at < text.length) out.append(text.slice(at));
  return out;
}

const LONG = 20000;

/** A block of text from a run; a very long one opens on demand. */
function passage(text, drawn = visible) {
  const pre = el("pre");
  if (!text) return el("span", { class: "note" }, both("empty"));
  if (text.length <= LONG) {
    pre.append(drawn(text));
    return pre;
  }
  pre.append(visible(text.slice(0, LONG)), "…");
  const more = el("button", { type: "button" }, both("more", { count: text.length.toLocaleString("en") }));
  more.addEventListener("click", () => { pre.replaceChildren(visible(text)); more.remove(); });
  const out = document.createDocumentFragment();
  out.append(pre, more);
  return out;
}

// ---- the address: everything on screen is named in the hash
const address = () => new URLSearchParams(location.hash.slice(1));

function goTo(changes, replace = false) {
  const now = address();
  for (const [key, value] of Object.entries(changes)) {
    now.delete(key);
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== null && one !== undefined && one !== "") now.append(key, one);
    }
  }
  const hash = "#" + now.toString();
  if (hash === location.hash) return;
  if (replace) { history.replaceState(null, "", hash); route(); } else location.hash = hash;
}

function keep(changes) {
  let kept = {};
  try {
    kept = JSON.parse(localStorage.getItem("harness") || "{}") || {};
    localStorage.setItem("harness", JSON.stringify({ ...kept, ...changes }));
  } catch { /* pages from disk may have no storage: the choice then lasts while the page is open */ }
}

function speak() {
  const name = root.dataset.lang;
  root.lang = name;
  const key = name === "zh" ? "Zh" : "En";
  for (const node of $$("option[data-en]")) node.textContent = node.dataset[name];
  for (const node of $$("[data-placeholder-en]")) node.placeholder = node.dataset["placeholder" + key];
  for (const node of $$("[data-label-en]")) node.setAttribute("aria-label", node.dataset["label" + key]);
}

/** Text that scrolls can be reached by the keyboard; text that does not is no stop on its way. */
function reachable(inside) {
  const texts = $$("pre", inside).map((node) => [node, node.scrollHeight > node.clientHeight + 1]);
  for (const [node, scrolls] of texts) {
    if (scrolls) node.tabIndex = 0;
    else node.removeAttribute("tabindex");
  }
}

function announce(text) { $("#live").textContent = text; }

async function copy(text, button) {
  let done = false;
  if (navigator.clipboard) {
    try { await navigator.clipboard.writeText(text); done = true; } catch { done = false; }
  }
  if (!done) {
    const area = el("textarea", { class: "hidden" });
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
    button.focus();
  }
  announce(word("copied"));
  const before = [...button.childNodes];
  button.replaceChildren(both("copied"));
  setTimeout(() => button.replaceChildren(...before), 1200);
}

function download(name, type, parts) {
  const url = URL.createObjectURL(new Blob(parts, { type }));
  const link = el("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
