"""What an audit ends in: a certificate, given or refused with reasons; JSON and a page."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, StrictUndefined
from msgspec import Struct

from harness.judge.audit import Measure


class Certificate(Struct, frozen=True):
    """Whether a judge's verdicts may be believed, and how that was found."""

    judge: str
    judge_hash: str
    mode: str
    models: dict[str, Any]
    granted: bool
    reasons: tuple[str, ...]
    """Why it was refused; empty where it was granted."""
    measures: tuple[Measure, ...]
    notes: tuple[str, ...]
    """What could not be measured."""
    probes: int
    probe_hash: str
    usage: dict[str, Any]
    harness: str
    date: str


def reasons(measures: tuple[Measure, ...]) -> tuple[str, ...]:
    """Return why a certificate is refused, the gravest first."""
    failed = [measure for measure in measures if not measure.passed]
    failed.sort(key=lambda measure: -(measure.rate or 0.0) / measure.limit)
    return tuple(f"{measure.name}: {measure.reason}" for measure in failed)


_TEMPLATE = """\
<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Audit of judge {{ c.judge }}</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>
body{font:16px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;
color:#1c1c1c;background:#fff}
h1{font-size:1.5rem;margin-bottom:.2rem}
.stamp{display:inline-block;padding:.3rem .8rem;border:2px solid;font-weight:600}
.yes{color:#17603a}.no{color:#8f1d14}
table{border-collapse:collapse;width:100%;margin:1rem 0;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #ddd;vertical-align:top}
td.n{text-align:right;white-space:nowrap}
.bar{position:relative;height:.6rem;background:#eee;min-width:8rem}
.bar i{position:absolute;top:0;bottom:0;background:#4b6a9b}
.bar b{position:absolute;top:-.15rem;bottom:-.15rem;width:2px;background:#8f1d14}
.why{overflow-wrap:anywhere}
@media (prefers-color-scheme:dark){body{background:#16181b;color:#e6e6e6}
th,td{border-color:#3a3d42}.bar{background:#2a2d31}.bar i{background:#86a7dd}
.yes{color:#6fd39b}.no{color:#ff9d92}.bar b{background:#ff9d92 }}
</style></head><body>
<h1>Audit of judge {{ c.judge }}</h1>
<p>{% for seat, model in c.models.items() %}{{ seat }}: {{ model.name }}\
{% if not loop.last %}, {% endif %}{% endfor %} · {{ c.mode }} · \
{{ c.probes }} probes · {{ c.date }}</p>
<p class="stamp {{ 'yes' if c.granted else 'no' }}">\
{{ 'Certificate granted' if c.granted else 'Certificate refused' }}</p>
{% if c.reasons %}<h2>Why</h2><ul>{% for reason in c.reasons %}<li class="why">{{ reason }}</li>\
{% endfor %}</ul>{% endif %}
<h2>Measures</h2>
<p>Each is a rate of failures with its 95 % interval; the line is the highest upper end that is \
allowed. "Caught from" is the smallest true rate that this many probes refuse in nine of ten \
audits.</p>
<table><thead><tr><th>Measure</th><th>Failures</th><th>Rate</th><th>Interval</th><th></th>\
<th>Caught from</th><th>Passed</th></tr></thead><tbody>
{% for m in rows %}<tr><td><strong>{{ m.name }}</strong><br>{{ m.about }}\
{% for line in m.lines %}<br><small class="why">{{ line }}</small>{% endfor %}</td>
<td class="n">{{ m.failures }} of {{ m.n }}</td><td class="n">{{ m.rate }}</td>
<td class="n">{{ m.interval }}</td>
<td><div class="bar"><i style="left:{{ m.left }}%;width:{{ m.width }}%"></i>\
<b style="left:{{ m.limit }}%"></b></div></td>
<td class="n">{{ m.caught }}</td><td>{{ 'yes' if m.passed else 'no' }}</td></tr>
{% endfor %}</tbody></table>
{% if c.notes %}<h2>Not measured</h2><ul>{% for note in c.notes %}<li>{{ note }}</li>{% endfor %}\
</ul>{% endif %}
<p><small>judge {{ c.judge_hash }} · probes {{ c.probe_hash }} · harness \
{{ c.harness }}</small></p>
</body></html>
"""


def page(certificate: Certificate, plain: dict[str, Any]) -> str:
    """Return the certificate as one HTML page; `plain` is the same as built-in values.

    Every text is escaped: names of models and reasons hold what servers and judges said.
    """
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    rows = [_row(measure) for measure in certificate.measures]
    return environment.from_string(_TEMPLATE).render(c=plain, rows=rows)


def _row(measure: Measure) -> dict[str, Any]:
    low, high = 100 * (measure.low or 0.0), 100 * (1.0 if measure.high is None else measure.high)
    return {
        "name": measure.name,
        "about": measure.about,
        "lines": _lines(measure.details),
        "n": measure.n,
        "failures": measure.failures,
        "rate": "–" if measure.rate is None else f"{measure.rate:.1%}",
        "interval": f"{low:.1f}–{high:.1f} %" if measure.n else "–",
        "left": round(low, 2),
        "width": round(max(high - low, 0.5), 2),
        "limit": round(100 * measure.limit, 2),
        "caught": "–" if measure.caught_from is None else f"{measure.caught_from:.0%}",
        "passed": measure.passed,
    }


def _lines(details: dict[str, Any]) -> list[str]:
    out = []
    for name, value in details.items():
        if isinstance(value, dict):
            inner = ", ".join(f"{key}: {_short(item)}" for key, item in value.items())
            out.append(f"{name.replace('_', ' ')}: {inner}")
        else:
            out.append(f"{name.replace('_', ' ')}: {_short(value)}")
    return out


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
