"""Templates: what they render, and that nothing in them escapes, hangs or explodes."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import StrictUndefined
from jinja2.exceptions import SecurityError

from harness.errors import InvalidFile
from harness.template import MAX_TEMPLATE, Template, compile_template
from harness.template.sandbox import Environment

FIELDS = {
    "a": 5,
    "text": "abc",
    "xs": ["p", "q"],
    "d": {"k": 1, "items": 3, "nested": {"deep": "x"}},
    "rows": [{"g": 1, "v": "a"}, {"g": 2, "v": "b"}, {"g": 1, "v": "c"}],
    "none": None,
    "big": "x" * 900_000,
}


def made(text):
    """Compile at a known place."""
    return compile_template(text, path="task.yaml", line=7, key="prompt")


RENDERED = [
    ("plain", "plain"),
    ("", ""),
    ("{{ text }}", "abc"),
    ("{{ a }} + {{ a }}\n", "5 + 5\n"),
    ("{{ a * 2 + 1 }}", "11"),
    ("{{ -a ** 2 }}{{ 7 % 4 }}{{ 7 // 2 }}", "2533"),
    ("{{ 'x' * 3 ~ a ~ none }}", "xxx5None"),
    ("{{ [1] * 2 + [a] }}", "[1, 1, 5]"),
    ("{{ xs|join(', ') }}", "p, q"),
    ("{{ xs|map('upper')|list }}", "['P', 'Q']"),
    ("{{ xs[::-1] }}{{ text[1:] }}{{ xs[0] }}", "['q', 'p']bcp"),
    ("{{ d.k }}{{ d.items }}{{ d['nested'].deep }}", "13x"),
    ("{{ d|tojson }}", '{"k": 1, "items": 3, "nested": {"deep": "x"}}'),
    ("{{ '<&>'|tojson }}", '"<&>"'),
    ("{{ [1]|tojson(indent=1) }}", "[\n 1\n]"),
    ("{{ '{:,} {x}'.format(1234567, x='y') }}", "1,234,567 y"),
    ("{{ '%05.1f'|format(2.25) }}{{ '%(k)s'|format(k=1) }}{{ '%d' % a }}", "002.215"),
    ("{{ text.replace('b', 'BB') }}{{ text|replace('', '-') }}", "aBBc-a-b-c-"),
    ("{{ ','.join(xs) }}{{ text.center(5) }}{{ text|center(5) }}", "p,q abc  abc "),
    ("{{ 'a\nb'|indent('> ', true) }}", "> a\n> b"),
    ("{% for x in xs %}{{ loop.index }}/{{ loop.length }}{{ x }}{% endfor %}", "1/2p2/2q"),
    ("{% for k, v in d.nested.items() %}{{ k }}={{ v }}{% endfor %}", "deep=x"),
    ("{% for c in text %}{{ loop.cycle('1', '2') }}{{ loop.changed(c) }}{% endfor %}",
     "1True2True1True"),
    ("{% for i in range(3) if i %}{{ i }}{% else %}none{% endfor %}", "12"),
    ("{% for g in rows|groupby('g') %}{{ g.grouper }}{{ g.list|length }}{% endfor %}", "1221"),
    ("{% if text == 'abc' and a is divisibleby 5 %}y{% else %}n{% endif %}", "y"),
    ("{% if zz is defined %}y{% else %}n{% endif %}", "n"),
    ("{{ zz|default('-') }}", "-"),
    ("{{ 'x' if a > 7 }}", ""),
    ("{% set x %}ab{{ a }}{% endset %}{{ x|upper }}", "AB5"),
    ("{% set s = namespace(n=0) %}{% for x in xs %}{% set s.n = s.n + 1 %}{% endfor %}{{ s.n }}",
     "2"),
    ("{% macro m(x, y=2) %}{{ x }}{{ y }}{% endmacro %}{{ m(1) }}{{ m(3, y=4) }}", "1234"),
    ("{% filter upper %}q{% endfilter %}{% with z = 1 %}{{ z }}{% endwith %}", "Q1"),
    ("{{ rows|map(attribute='v')|join }}{{ [3, 1]|sort|first }}{{ [1, 2]|sum }}", "abc13"),
    ("{{ 2.5|round(0) }}{{ dict(a=1).a }}{{ 5|abs }}{{ a.bit_length() }}", "2.0153"),
    ("{{ xs|batch(1)|list }}{{ d|dictsort|length }}", "[['p'], ['q']]3"),
    ("{{ (1, 2) }}", "(1, 2)"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), RENDERED)
def test_template_renders(text, expected):
    """Ordinary Jinja2 gives what it should, white space kept."""
    assert made(text).render(FIELDS) == expected


VALUES = [
    ("{{ xs }}", ["p", "q"]),
    (" {{ a + 1 }}\n", 6),
    ("{{ a > 1 }}", True),
    ("{{ xs|map('upper') }}", ["P", "Q"]),
    ("{{ (1, 2) }}", [1, 2]),
    ("{{ none }}", None),
    ("{{ d.nested }}", {"deep": "x"}),
    ("{{ 'x' if a > 7 }}", ""),
    ("{{ a }}{{ a }}", "55"),
    ("{{ a }}.", "5."),
    ("plain", "plain"),
    ("{% if a %}y{% endif %}", "y"),
]


@pytest.mark.parametrize(("text", "expected"), VALUES)
def test_value_of_a_single_expression_is_native(text, expected):
    """One `{{ expression }}` keeps its type; anything else is text."""
    value = made(text).value(FIELDS)
    assert value == expected
    assert type(value) is type(expected)


DOUBLE = "{% set x = 'aaaaaaaaaaaaaaaa' %}" + "{% set x = x ~ x %}" * 40 + "{{ x|length }}"
NEST = "{% set x = [1, 2] %}" + "{% set x = [x, x] %}" * 40
ATTACKS = [
    "{{ 'a' * 10 ** 9 }}",
    "{{ 10 ** 9 * 'a' }}",
    "{{ [1] * 10 ** 9 }}",
    "{{ ([1] * 60000 + [1] * 60000)|length }}",
    "{{ 10 ** (10 ** 10) }}",
    "{{ (2 ** 16000) * (2 ** 16000) }}",
    "{{ 2 ** 16000 }}",
    "{{ 2 ** 8000 * 2 ** 8000 * 2 ** 8000 }}",
    "{{ '%s'|format(1, x=2) }}",
    "{{ text.replace('a') }}",
    "{{ ','.join(5) }}",
    "{% set n = namespace() %}{{ n['x'] }}",
    "{% for x in zz %}{% endfor %}",
    "{{ big ~ big }}",
    "{{ 9.0 ** 999 }}",
    "{{ 'a'|center(10 ** 9) }}",
    "{{ 'a'.center(1000000000) }}",
    "{{ 'a'.zfill(1000000000) }}",
    "{{ '\t'.expandtabs(1000000000) }}",
    "{{ 'a\nb'|indent(1000000000) }}",
    "{{ ('a\n' * 100000)|indent('b' * 1000) }}",
    "{{ [1]|batch(1000000000, 'x')|list }}",
    "{{ [1]|slice(1000000000)|list }}",
    "{{ 1.5|round(1000000000) }}",
    "{{ 'a b'|wordwrap(1000000000) }}",
    "{{ '%1000000000s'|format('a') }}",
    "{{ '%.1000000000f'|format(1.5) }}",
    "{{ '%*d'|format(1000000000, 1) }}",
    "{{ '%1000000000s' % 'a' }}",
    "{{ '{:>1000000000}'.format(1) }}",
    "{{ '{:{}}'.format(1, 1000000000) }}",
    "{{ '{0.__class__}'.format(1) }}",
    "{{ '{x[__class__]}'.format_map(d) }}",
    "{{ big.replace('x', big) }}",
    "{{ big|replace('', big) }}",
    "{{ big.join(big) }}",
    "{{ xs|join(big ~ big) }}",
    "{{ (big ~ 'x' * 200000)|length }}",
    "{{ (big + big)|length }}",
    "{{ big }}{{ big }}",
    "{% set x %}{{ big }}{{ big }}{% endset %}",
    DOUBLE,
    NEST + "{{ x }}",
    NEST + "{{ x == x }}",
    NEST + "{{ x|tojson }}",
    NEST + "{{ x|string }}",
    NEST + "{{ x is eq x }}",
    "{% set x = [] %}" + "{% set x = [x] %}" * 60 + "{{ x }}",
    "{{ [1]|tojson(indent=100000) }}",
    "{{ xs|sum(start=[]) }}",
    "{% for a in range(10 ** 9) %}{% endfor %}",
    "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}",
    "{% for a in range(9999) %}{% if big == big ~ 'y' %}{% endif %}{% endfor %}",
    "{% for a in range(9999) %}{{ big[1:]|length }}{% endfor %}",
    "{% for a in range(9999) %}{{ big.upper()|length }}{% endfor %}",
    "{% for a in range(9999) %}{{ big|lower|length }}{% endfor %}",
    "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(99) }}",
    "{% for x in xs recursive %}{{ loop(xs) }}{% endfor %}",
    "{% for x in xs %}{{ loop(xs) }}{% endfor %}",
    "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "{{ 1" + " + 1" * 5000 + " }}",
    "{{ a" + ".b" * 5000 + " }}",
    "{% if a %}" * 500 + "{% endif %}" * 500,
    "{{ [" * 400 + "]}}",
    "x" * (MAX_TEMPLATE + 1),
    "{{ ''.__class__.__mro__ }}",
    "{{ ''['__class__'] }}",
    "{{ d|attr('__class__') }}",
    "{{ xs|map(attribute='__class__')|list }}",
    "{{ d['_' ~ '_class__'] }}",
    "{{ a._x }}",
    "{{ __name__ }}",
    "{{ self }}",
    "{{ self._TemplateReference__context }}",
    "{{ range.__globals__ }}",
    "{{ namespace.__init__ }}",
    "{{ namespace }}",
    "{{ xs.append(1) }}",
    "{{ d.update({}) }}",
    "{{ a.to_bytes(1000000000, 'big') }}",
    "{{ text() }}",
    "{{ zz() }}",
    "{{ lipsum() }}",
    "{{ cycler }}",
    "{{ xs.__iter__ }}",
    "{{ text.upper }}",
    "{% include 'x' %}",
    "{% import 'x' as y %}",
    "{% extends 'x' %}",
    "{% block b %}{{ self.b() }}{% endblock %}",
    "{% macro m() %}{% endmacro %}{% call m() %}x{% endcall %}",
    "{% for x in 5 %}{% endfor %}",
    "{{ 1 / 0 }}",
    "{{ 'a' + 1 }}",
    "{{ xs|nofilter }}",
    "{{ xs is notest }}",
    "{{ xs|random }}",
    "{{ zz }}",
    "{{ zz.y }}",
    "{{ [zz] }}",
    "{{ d.zz }}",
    "{{ xs[9] }}",
    "{% set a.b = 1 %}",
    "{{ a",
    "{% if %}",
    "{% for %}",
]


@pytest.mark.parametrize("text", ATTACKS, ids=lambda text: text[:40])
def test_attack_is_one_invalid_file(text):
    """Whatever is barred, endless, huge or broken is one error with file, line and key."""
    with pytest.raises(InvalidFile) as caught:
        made(text).render(FIELDS)
    assert caught.value.path == "task.yaml"
    assert caught.value.line == 7 or "\n" in text
    assert caught.value.key == "prompt"
    assert "\n" not in str(caught.value).split("allowed:")[0][:60]


@pytest.mark.parametrize("text", ["{{ [zz] }}", "{{ text.upper }}", "{{ zz.y }}", "{{ 1 / 0 }}"])
def test_value_fails_like_render(text):
    """`value` translates errors as `render` does."""
    with pytest.raises(InvalidFile):
        made(text).value(FIELDS)


def test_text_longer_than_the_output_limit_is_refused():
    """A field alone is held to the limit as anything else is."""
    with pytest.raises(InvalidFile, match="does too much"):
        made("{{ text }}").render({"text": "x" * 1_000_001})


def test_only_listed_methods_are_called():
    """Were a method to slip past the attribute check, calling it is refused still."""
    environment = Environment(undefined=StrictUndefined)
    for method in ([].append, Template.render, made("x").render):
        with pytest.raises(SecurityError):
            environment.call(environment.context({}), method, 1)


def test_undefined_name_suggests_a_field():
    """An unknown field names the fields there are, and the nearest."""
    with pytest.raises(InvalidFile) as caught:
        made("{{ tekst }}").value(FIELDS)
    assert "did you mean 'text'?" in str(caught.value)
    assert "xs" in (caught.value.allowed or "")
    assert caught.value.got == "tekst"


def test_syntax_error_counts_lines_from_the_key():
    """A syntax error on the third line of a template is two lines below its first."""
    with pytest.raises(InvalidFile) as caught:
        made("a\nb\n{{ c")
    assert caught.value.line == 9


def test_line_may_be_unknown():
    """A template without a place still fails clearly."""
    with pytest.raises(InvalidFile) as caught:
        compile_template("{{ c")
    assert caught.value.line is None


def test_names_are_the_fields_read():
    """`names` lists what the template reads, without what it sets or Jinja2 gives."""
    text = "{% set x = a %}{% for y in range(b) %}{{ y }}{{ loop.index }}{{ x }}{% endfor %}"
    assert made(text + "{% macro m() %}{% endmacro %}{{ m() }}").names == {"a", "b"}


def test_rendering_keeps_no_state():
    """The budget is of one render: the same template renders again and again."""
    template = made("{% for i in range(9000) %}{{ i }}{% endfor %}")
    assert len({template.render({}) for _ in range(60)}) == 1


def test_fields_do_not_change():
    """A template cannot change the row it reads."""
    fields = {"xs": [1, 2], "d": {}}
    made("{{ xs|sort(reverse=true) }}{% set d = 3 %}{{ d }}").render(fields)
    assert fields == {"xs": [1, 2], "d": {}}


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="{}%|()[]'\"ax.1*+~,_ \nif", max_size=60))
def test_any_text_renders_or_is_invalid(text):
    """No text, however broken, gives anything but a string or `InvalidFile`."""
    with contextlib.suppress(InvalidFile):
        assert isinstance(made(text).render({"a": 1, "x": "y"}), str)
