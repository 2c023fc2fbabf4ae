"""A task's page in a browser: its charts fit, speak both languages, and are read without colour."""

from __future__ import annotations

import pytest

TASKS = ("arithmetic%2Faddition", "winograd%2Fen", "qa%2Fen")
INSIDE = """() => {
  const wide = document.documentElement.scrollWidth - innerWidth;
  const charts = [...document.querySelectorAll(".view.on svg.chart")];
  const size = (svg) => svg.getBoundingClientRect().width - svg.parentElement.clientWidth;
  return [wide, charts.length, charts.filter((svg) => size(svg) > 1).length];
}"""
TOUCHING = """() => {
  const hits = [];
  const apart = (p, q) => p.right - 1 <= q.left || q.right - 1 <= p.left
    || p.bottom - 3 <= q.top || q.bottom - 3 <= p.top;
  for (const svg of document.querySelectorAll(".view.on svg.chart")) {
    const boxes = [...svg.querySelectorAll("text")]
      .map((node) => [node.textContent, node.getBoundingClientRect()])
      .filter(([, box]) => box.width > 0);
    for (const [i, [a, p]] of boxes.entries()) {
      for (const [b, q] of boxes.slice(i + 1)) if (!apart(p, q)) hits.push([a, b]);
    }
  }
  return hits;
}"""
KEYS = """(heads) => heads.map((head) => [
  head.textContent.trim(), head.querySelector("svg").innerHTML,
])"""


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_charts_fit_and_their_texts_never_touch(opened, width, language):
    """No chart is wider than its place, no page than its window, no text upon another."""
    page = opened.page
    page.set_viewport_size({"width": width, "height": 900})
    for task in TASKS:
        opened.go(f"#view=task&task={task}")
        page.evaluate("(name) => { document.documentElement.dataset.lang = name; }", language)
        wide, charts, cut = page.evaluate(INSIDE)
        assert (wide, cut) == (0, 0), task
        assert charts > 0, task
        assert page.evaluate(TOUCHING) == [], task
    page.set_viewport_size({"width": 1280, "height": 900})


def test_charts_say_what_they_show_in_the_language_that_is_on(opened):
    """The text alternative of a chart follows the switch."""
    page = opened.go("#view=task&task=arithmetic%2Faddition")
    chart = page.locator(".view.on svg.chart").first
    assert chart.get_attribute("aria-label").startswith("exact match by digits")
    page.locator("#lang").click()
    assert chart.get_attribute("aria-label").startswith("按位数看精确匹配")
    page.locator("#lang").click()
    assert chart.get_attribute("aria-label").startswith("exact match by digits")


def test_every_model_has_its_key_beside_its_name(opened):
    """Lines and points are told by colour, shape and dash; the same key stands in every table."""
    page = opened.go("#view=task&task=winograd%2Fen")
    keys = page.locator(".view.on th:has(svg.sk)").evaluate_all(KEYS)
    looks: dict[str, set[str]] = {}
    for name, key in keys:
        looks.setdefault(name, set()).add(key)
    assert len(looks) > 1
    assert all(len(found) == 1 for found in looks.values())
    assert len({next(iter(found)) for found in looks.values()}) == len(looks)


def test_a_perturbation_shows_its_interval_and_what_it_changed(opened):
    """The dumbbell has a whisker, the drop its interval in words, the changed word a line below."""
    page = opened.go("#view=task&task=qa%2Fen")
    assert page.locator(".view.on .variant svg.db path.wl").count() > 0
    page.locator(".view.on .variant [data-why-en]").first.focus()
    assert "lost" in page.locator("#tip").inner_text()
    assert page.locator(".view.on .variant ins").first.inner_text() == "capitla"
