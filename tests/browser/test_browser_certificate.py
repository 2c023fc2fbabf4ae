"""The certificate's page in a browser: it fits, it can be read, and its switches work."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "judge"))

CONTRAST = (Path(__file__).parent / "contrast.js").read_text(encoding="utf-8")
NAMELESS = (Path(__file__).parent / "nameless.js").read_text(encoding="utf-8")
WIDER = """() => [...document.querySelectorAll("table")].filter((table) =>
  table.getBoundingClientRect().right > innerWidth + 1 && !table.closest(".scroll")).length"""
pytestmark = pytest.mark.browser


@pytest.fixture(scope="module", params=["refused", "granted"])
def written(request, tmp_path_factory):
    """The page of a certificate on disk."""
    from auditing_scripts import certificate

    from harness.report.certificate import certificate_page

    found = {"refused": ("pairwise", "noisy", 20), "granted": ("correct", "perfect", 60)}
    path = tmp_path_factory.mktemp("certificate") / "certificate.html"
    with ThreadPoolExecutor(1) as thread:  # this one has the browser's event loop
        made = thread.submit(certificate, *found[request.param]).result()
    path.write_text(certificate_page(msgspec.to_builtins(made)), encoding="utf-8")
    return path


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_and_can_be_read(open_page, written, width, scheme):
    """No sideways scrolling, no table beyond the edge, contrast of 4.5:1, in both languages."""
    size = {"width": width, "height": 800}
    for locale, word in (("en-US", "Measures"), ("zh-CN", "各项结果")):
        page = open_page(written, viewport=size, color_scheme=scheme, locale=locale).page
        page.goto(written.as_uri())
        assert page.locator("h2:visible", has_text=word).count() == 1
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.evaluate(WIDER) == 0
        assert page.evaluate(CONTRAST) == []
        assert page.evaluate(NAMELESS) == []


def test_language_and_light_are_switched_and_kept(open_page, written):
    """Two buttons; the choice is there after a reload."""
    page = open_page(written).page
    page.goto(written.as_uri())
    page.locator("#lang").click()
    assert page.locator("html").get_attribute("lang") == "zh"
    assert page.locator("h1 .zh").is_visible()
    page.locator("#theme").click()
    theme = page.locator("html").get_attribute("data-theme")
    page.reload()
    assert page.locator("html").get_attribute("lang") == "zh"
    assert page.locator("html").get_attribute("data-theme") == theme
