"""The page of a judge's certificate: one file, both languages, nothing loaded from elsewhere.

Works on the certificate as plain data, as `certificate.json` beside the page holds it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from harness.report.numbers import dollars
from harness.report.pages import environment, page_policy
from harness.report.say import Said, known, say
from harness.report.visible import seen

Plain = Mapping[str, Any]
MUTE = 0.2
"""Share of missing verdicts above which little can be said of the rest."""
LIMITS_SHOWN = 1.5
"""The axis reaches at least so many times a limit."""
STATES = {"within": "●", "beyond": "▼", "open": "◇", "none": "–"}


def certificate_page(certificate: Plain) -> str:
    """Return the page of a certificate; every text of a judge or model is escaped."""
    env = environment()
    assert env.loader is not None, "the environment has the package's templates"
    style, early, script = (
        env.loader.get_source(env, name)[0] for name in ("page.css", "early.js", "certificate.js")
    )
    style += env.loader.get_source(env, "certificate.css")[0]
    pairwise = certificate["mode"] == "pairwise"
    measures = certificate["measures"]
    page = env.get_template("certificate.html.j2").render(
        c=certificate,
        policy=page_policy(style, (early, script)),
        style=Markup(style),  # noqa: S704 - ours
        early=Markup(early),  # noqa: S704 - ours
        script=Markup(script),  # noqa: S704 - ours
        outcome=_outcome(certificate),
        heading=say("cert.title", judge=certificate["judge"]),
        byline=_byline(certificate),
        story=_story(certificate),
        why=_whys(measures, pairwise=pairwise),
        rows=[_row(one, _reach(measures), pairwise=pairwise) for one in measures],
        attacks=_attacks(measures),
        splits=_splits(measures),
        position=_position(measures),
        missing=_missing(measures),
        notes=[_note(one) for one in certificate["notes"]],
        facts=_facts(certificate),
    )
    return seen(page)


# ---- numbers --------------------------------------------------------------------------------


def share(value: float | None, *, signed: bool = False) -> str:
    """Write a share in per cent.

    >>> share(0.0754), share(-0.1, signed=True), share(None)
    ('7.5\N{NO-BREAK SPACE}%', '\N{MINUS SIGN}10.0\N{NO-BREAK SPACE}%', '\N{EN DASH}')
    """
    if value is None:
        return "\N{EN DASH}"
    text = f"{100 * value:{'+' if signed else ''}.1f}"
    bare = text.lstrip("+-") if not text.strip("+-0.") else text.replace("-", "\N{MINUS SIGN}")
    return f"{bare}\N{NO-BREAK SPACE}%"


def limit(value: float) -> str:
    """Write a limit, a whole number of per cent."""
    return f"{100 * value:.0f}\N{NO-BREAK SPACE}%"


def _signed(measure: Plain) -> bool:
    return bool(measure["kind"] != "rate")


def _allowed(measure: Plain) -> str:
    return ("±" if measure["kind"] == "shift" else "") + limit(measure["limit"])


def _ends(measure: Plain) -> tuple[float, float]:
    """Return the least and the most that a fault may be; a shift has no direction."""
    low, high = measure["low"], measure["high"]
    if measure["kind"] != "shift":
        return low, high
    return max(low, -high), max(high, -low)


def _failed(measures: Sequence[Plain]) -> list[Plain]:
    failed = [one for one in measures if not one["passed"]]
    return sorted(failed, key=lambda one: (not one["shown"], -_gravity(one)))


def _gravity(measure: Plain) -> float:
    return float(abs(measure["value"] or 0.0) / measure["limit"])


def _name(measure: Plain) -> Said:
    return known(f"cert.m.{measure['name']}", measure["name"])


def _inside(name: Said) -> Said:
    """Return a name as it stands within a sentence."""
    return Said(name.en[:1].lower() + name.en[1:], name.zh)


def _about(measure: Plain, *, pairwise: bool) -> Said:
    side = "two" if pairwise else "one"
    return known(f"cert.a.{measure['name']}.{side}", measure["about"])


# ---- sentences ------------------------------------------------------------------------------


def _byline(certificate: Plain) -> Said:
    models = dict.fromkeys(model["name"] for model in certificate["models"].values())
    return say(
        "cert.by",
        models=", ".join(models),
        mode=known(f"cert.mode.{certificate['mode']}", certificate["mode"]),
        probes=f"{certificate['probes']:,}",
        facts=f"{sum(certificate['facts'].values()):,}",
        date=certificate["date"],
    )


def _outcome(certificate: Plain) -> str:
    if certificate["granted"]:
        return "granted"
    cut = certificate["stopped"] and not certificate["stopped"].startswith("mute")
    return "incomplete" if cut else "refused"


def _story(certificate: Plain) -> Said:
    measures = certificate["measures"]
    failed, missing = _failed(measures), measures[-1]
    head = Said("", "")
    if certificate["stopped"]:
        kind, _, detail = certificate["stopped"].partition(": ")
        head = say("cert.story.partial", reason=say(f"cert.stop.{kind}", detail=detail))
    if (
        not missing["passed"]
        and (missing["value"] or 1.0) > MUTE
        and (_outcome(certificate) == "refused")
    ):
        return say("cert.story.mute", share=share(missing["value"])) + head
    if certificate["stopped"] and _outcome(certificate) == "incomplete":
        return head
    if failed:
        return head + _told("cert.story.refused", failed[0], measures, bad=len(failed))
    nearest = max(measures, key=lambda one: (_ends(one)[1] / one["limit"], one["name"]))
    told = head + _told("cert.story.granted", nearest, measures)
    caught = [one["caught_from"] for one in measures if one["caught_from"]]
    if not caught:
        return told
    power = say("cert.story.power", least=share(min(caught)), most=share(max(caught)))
    return told + power


def _told(key: str, measure: Plain, measures: Sequence[Plain], **more: object) -> Said:
    signed = _signed(measure)
    return say(
        key,
        count=len(measures),
        name=_inside(_name(measure)),
        value=share(measure["value"], signed=signed),
        low=share(measure["low"], signed=signed),
        high=share(measure["high"], signed=signed),
        limit=_allowed(measure),
        **more,
    )


def _whys(measures: Sequence[Plain], *, pairwise: bool) -> list[Said]:
    """Return the reasons; measures without any verdict share one."""
    failed = _failed(measures)
    told = [_why(one, pairwise=pairwise) for one in failed if one["n"]]
    mute = [_inside(_name(one)) for one in failed if not one["n"]]
    if mute:
        names = Said(", ".join(one.en for one in mute), "、".join(one.zh for one in mute))
        told.append(say("cert.why.none", about=names))
    return told


def _why(measure: Plain, *, pairwise: bool) -> Said:
    about = _about(measure, pairwise=pairwise)
    facts = {
        "name": _name(measure),
        "about": about,
        "n": f"{measure['n']:,}",
        "limit": _allowed(measure),
    }
    value = share(measure["value"], signed=_signed(measure))
    if measure["name"] == "missing":
        reasons = measure["details"].get("reasons", {})
        return say("cert.why.missing", **facts, value=value, count=f"{measure['failures']:,}",
                   reason=next(iter(reasons), ""))  # fmt: skip
    if measure["caught_from"] == 0 and not measure["failures"]:
        return say("cert.why.few", **facts)
    least, most = _ends(measure)
    if measure["shown"]:
        return say("cert.why.beyond", **facts, value=value, end=share(least))
    return say("cert.why.open", **facts, value=value, end=share(most))


def _note(note: Plain) -> Said:
    values = dict(note["values"])
    if "name" in values:
        values["name"] = known(f"cert.m.{values['name']}", values["name"])
    found = known(f"cert.n.{note['key']}", note["text"])
    return say(f"cert.n.{note['key']}", **values) if found.zh != note["text"] else found


# ---- tables ---------------------------------------------------------------------------------


def _row(measure: Plain, reach: float, *, pairwise: bool) -> dict[str, Any]:
    signed = _signed(measure)
    few = measure["caught_from"] == 0
    return {
        "name": _name(measure),
        "about": _about(measure, pairwise=pairwise),
        "state": _state(measure),
        "mark": STATES[_state(measure)],
        "value": "" if measure["value"] is None else share(measure["value"], signed=signed),
        "interval": _interval(measure),
        "drawn": _drawn(measure, reach),
        "limit": _allowed(measure),
        "n": f"{measure['n']:,}",
        "caught": say("cert.always") if few else share(measure["caught_from"]),
        "passes": "\N{EN DASH}" if few else share(measure["passes_to"]),
    }


def _state(measure: Plain) -> str:
    if measure["passed"]:
        return "within"
    if measure["value"] is None:
        return "none"
    return "beyond" if measure["shown"] else "open"


def _interval(measure: Plain) -> Said | str:
    if measure["low"] is None or measure["high"] is None:
        return "\N{EN DASH}"
    low, high = (share(measure[end], signed=_signed(measure)) for end in ("low", "high"))
    return Said(f"{low} to {high}", f"{low} 至 {high}")


def _reach(measures: Sequence[Plain]) -> float:
    """Return how far the common axis goes to either side of zero."""
    ends = [abs(one[end]) for one in measures for end in ("low", "high") if one[end] is not None]
    limits = [LIMITS_SHOWN * one["limit"] for one in measures]
    return float(min(max(*ends, *limits, 0.0), 1.0))


def _drawn(measure: Plain, reach: float) -> Markup:
    """Return the interval on the common axis, with the limit; the text beside it says the same."""
    if measure["value"] is None or measure["low"] is None:
        return Markup("")

    def at(value: float) -> str:
        return f"{50 + 50 * min(max(value / reach, -1.0), 1.0):.1f}"

    low, high, value = at(measure["low"]), at(measure["high"]), at(measure["value"])
    ends = [measure["limit"]]
    if measure["kind"] == "shift":
        ends.append(-measure["limit"])
    limits = "".join(f'<path class="cl" d="M{at(end)} 0V10"/>' for end in ends)
    return Markup(  # noqa: S704 - numbers only
        '<svg class="cw" viewBox="-1 0 102 10" preserveAspectRatio="none" aria-hidden="true">'
        f'<path class="wb" d="M0 5H100M50 2V8"/>{limits}<path class="wl" d="M{low} 5H{high}'
        f'M{low} 3V7M{high} 3V7"/><path class="wv" d="M{value} 1V9"/></svg>'
    )


def _details(measures: Sequence[Plain], name: str) -> Plain:
    for one in measures:
        if one["name"] == name:
            found: Plain = one["details"]
            return found
    return {}


def _attacks(measures: Sequence[Plain]) -> dict[str, Any] | None:
    tally = _details(measures, "injection").get("succeeded")
    if not tally:
        return None
    lenient = next((one for one in measures if one["name"] == "lenient" and one["n"]), None)
    plain = None if lenient is None else lenient["failures"] / lenient["n"]
    rows = sorted(tally.items(), key=lambda row: (-row[1]["failed"] / max(row[1]["n"], 1), row[0]))
    return {
        "about": say("cert.attacks.about", value=share(plain)),
        "rows": [(known(f"cert.attack.{name}", name), _of(one), _span(one)) for name, one in rows],
    }


def _of(tally: Plain) -> Said | str:
    if not tally["n"]:
        return "\N{EN DASH}"
    return say("cert.of", a=tally["failed"], b=tally["n"])


def _span(tally: Plain) -> Said | str:
    if not tally["n"]:
        return ""
    low, high = share(tally["low"]), share(tally["high"])
    return Said(f"{low} to {high}", f"{low} 至 {high}")


def _splits(measures: Sequence[Plain]) -> dict[str, Any] | None:
    """Return failures by language and kind of probe, a row a measure."""
    tallies = [
        (one, {**one["details"]["by_language"], **one["details"].get("by_kind", {})})
        for one in measures
        if "by_language" in one["details"]
    ]
    keys = list(dict.fromkeys(key for _, tally in tallies for key in tally))
    if not tallies:
        return None
    nothing = {"failed": 0, "n": 0}
    rows = [(_name(one), [_of(tally.get(key, nothing)) for key in keys]) for one, tally in tallies]
    return {"heads": [known(f"cert.k.{key}", key) for key in keys], "rows": rows}


def _position(measures: Sequence[Plain]) -> dict[str, Any] | None:
    details = _details(measures, "position")
    if not details:
        return None
    beyond = _details(measures, "consistency").get("beyond_noise")
    note = None
    if beyond and beyond["value"] is not None:
        ends = {name: share(beyond[name], signed=True) for name in ("value", "low", "high")}
        note = say("cert.beyond_noise", **ends)
    rows = [
        {
            "name": known(f"cert.pair.{role}", role),
            "pairs": f"{found['pairs']:,}",
            "consistency": share(found["consistency"]),
            "bias": share(found["bias"], signed=True),
            "p": "<0.001" if found["p_value"] < 0.001 else f"{found['p_value']:.3f}",  # noqa: PLR2004
        }
        for role, found in details.items()
    ]
    return {"rows": rows, "note": note}


def _missing(measures: Sequence[Plain]) -> list[tuple[str, str]]:
    reasons = _details(measures, "missing").get("reasons", {})
    return [(reason, f"{count:,}") for reason, count in reasons.items()]


def _facts(certificate: Plain) -> list[tuple[Said, Any]]:
    usage = certificate["usage"]
    cost = usage["cost_usd"]
    counts = {key: f"{usage[key]:,}" for key in ("requests", "cached")}
    tokens = f"{usage['prompt_tokens'] + usage['completion_tokens']:,}"
    seats = [f"{seat}: {model['name']}" for seat, model in certificate["models"].items()]
    return [
        (say("cert.f.judge"), f"{certificate['judge']} {certificate['judge_hash']}"),
        (say("cert.f.models"), "; ".join(seats)),
        (say("cert.f.facts"), _kinds(certificate["facts"])),
        (say("cert.f.probes"), f"{certificate['probes']:,}, {certificate['probe_hash']}"),
        (say("cert.f.usage"), say("cert.usage", **counts, tokens=tokens)),
        (say("cert.f.cost"), say("cert.cost.unknown") if cost is None else dollars(cost)),
        (say("cert.f.made"), certificate["harness"]),
    ]


def _kinds(facts: Mapping[str, int]) -> Said:
    out = Said("", "")
    for key, count in facts.items():
        kind, language = (known(f"cert.k.{part}", part) for part in key.split(", "))
        told = Said(f"{count} {kind.en} ({language.en})", f"{language.zh}{kind.zh} {count}")
        out = told if not out.en else Said(f"{out.en}, {told.en}", f"{out.zh}，{told.zh}")
    return out
