"""What the board's template shows: board.json laid out."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from markupsafe import Markup

from harness.report.board_models import Look, family_name, look_of
from harness.report.charts import Palette
from harness.report.mark import EMPTY, Frame, Mark, arrow, link, mark
from harness.report.marks import Scale, scale_of
from harness.report.say import NOTHING, Said, known, say, told
from harness.report.scatter import cost_chart
from harness.report.story import measure_story

GROUPS = (
    "accuracy",
    "calibration",
    "robustness",
    "fairness",
    "bias",
    "toxicity",
    "efficiency",
)
Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Head:
    """The head of one column."""

    title: Said
    leaf: str
    """The task's name within its family."""
    task: str
    family: str
    metric: str
    arrow: str
    href: str
    language: str
    tags: str
    sorts: Said = NOTHING
    """What its button does, and what is better."""
    tip: Said = NOTHING
    """What its tooltip says: the task's name, the metric, what is better."""


@dataclass(frozen=True, slots=True)
class Line:
    """One model's row."""

    model: str
    look: Look
    href: str | None
    rank: str
    rank_tip: Said
    rate: Mark
    mean: Mark
    covered: Said | None
    marks: tuple[Mark, ...]
    errors: int
    evidence: Said = NOTHING
    borda: str = ""
    strength: str = ""
    """Bradley-Terry, with its interval, where the model was judged in pairs."""
    coverage: str = ""
    steady: str = ""
    """Places as each task in turn is left out."""
    tier: bool = False
    """Whether every model down to this one is surely ahead of every one below."""


@dataclass(frozen=True, slots=True)
class Table:
    """One measure of one group."""

    group: str
    measure: str
    title: Said
    heads: tuple[Head, ...]
    families: tuple[tuple[str, Said, int], ...]
    """Name, what it is called, how many columns it has."""
    lines: tuple[Line, ...]
    has_mean: bool
    story: Said = NOTHING
    chart: Markup = EMPTY
    """Efficiency: score against this cost."""
    paired: bool = False
    without: tuple[Json, ...] = ()
    """The tasks without which places change."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What all tables of a board look things up in."""

    facts: Mapping[str, Json]
    models: Mapping[str, Json]
    pages: frozenset[str]
    """Runs that have a page of their own."""


def tables(board: Json, *, pages: Iterable[str]) -> list[Table]:
    """Return every view of a board as a table; `pages` names the runs whose samples are shown."""
    known_ones = _Known(
        facts={task["task"]: task for task in board["tasks"]},
        models={model["model"]: model for model in board["models"]},
        pages=frozenset(pages),
    )
    shown = [_table(view, known_ones) for view in board["views"]]
    palette = colours(board)
    main = next((view for view in board["views"] if view["group"] == "accuracy"), None)
    return [
        replace(table, chart=_cost(view, main, palette))
        if view["group"] == "efficiency" and main
        else table
        for view, table in zip(board["views"], shown, strict=True)
    ]


def colours(board: Json) -> Palette:
    """Return the colour of each model, by its place in the report."""
    return {model["model"]: place for place, model in enumerate(board["models"])}


def _cost(view: Json, main: Json, palette: Palette) -> Markup:
    """Return mean score against mean cost over the tasks that all models share."""
    shared = _shared(view) & _shared(main)
    costs, scores = _means(view, shared), _means(main, shared)
    points = [
        {"model": model["model"], "cost": costs[model["model"]], "score": scores[model["model"]]}
        for model in main["rows"]
        if model["model"] in costs and model["model"] in scores
    ]
    fits = all(0 <= point["score"] <= 1 for point in points)
    measure = known(f"measure.{view['measure']}", view["measure"])
    title = say("chart.cost", measure=measure, count=len(shared))
    return cost_chart(points, title, palette) if shared and fits else EMPTY


def _shared(view: Json) -> set[str]:
    return {
        column["task"]
        for position, column in enumerate(view["columns"])
        if all(row["cells"][position].get("value") is not None for row in view["rows"])
    }


def _means(view: Json, tasks: set[str]) -> dict[str, float]:
    chosen = [i for i, column in enumerate(view["columns"]) if column["task"] in tasks]
    return {
        row["model"]: sum(row["cells"][i]["value"] for i in chosen) / len(chosen)
        for row in view["rows"]
        if chosen
    }


def _table(view: Json, about: _Known) -> Table:
    columns, rows = view["columns"], view["rows"]
    order = sorted(range(len(columns)), key=lambda c: _family(columns[c]["task"]))
    heads = tuple(_head(columns[c], about.facts.get(columns[c]["task"], {})) for c in order)
    frames = [_frame([row["cells"][c] for row in rows], columns[c]) for c in order]
    lines = []
    for row in rows:
        marks = tuple(
            mark(row["cells"][c], frame, _evidence(row["cells"][c], columns[c], about.pages))
            for c, frame in zip(order, frames, strict=True)
        )
        lines.append(_line(row, marks, about, rows))
    lines = [replace(line, tier=tier) for line, tier in zip(lines, tiers(rows), strict=True)]
    counts = Counter(head.family for head in heads)
    return Table(
        group=view["group"],
        measure=view["measure"],
        title=known(f"measure.{view['measure']}", view["measure"]),
        heads=heads,
        families=tuple((name, family_name(name), count) for name, count in counts.items()),
        lines=tuple(lines),
        has_mean=len(columns) > 1 and any(row["mean"] is not None for row in rows),
        story=NOTHING if view["group"] == "accuracy" else measure_story(view),
        paired=view["paired"],
        without=tuple(one for one in view["without"] if one["moved"]),
    )


def tiers(rows: Sequence[Json]) -> list[bool]:
    """Return after which rows a new tier begins: no rank above can be had by any below.

    >>> bands = ((1, 1), (2, 3), (2, 3), (None, None))
    >>> tiers([{"rank_best": best, "rank_worst": worst} for best, worst in bands])
    [True, False, False, False]
    """
    found = [False] * len(rows)
    ranked = [place for place, row in enumerate(rows) if row["rank_best"] is not None]
    for above, below in itertools.pairwise(ranked):
        worst = max(rows[place]["rank_worst"] for place in ranked if place <= above)
        best = min(rows[place]["rank_best"] for place in ranked if place >= below)
        found[above] = worst < best
    return found


def _family(task: str) -> str:
    return task.split("/", 1)[0]


def _head(column: Json, facts: Json) -> Head:
    sign, meaning = arrow(column["higher_is_better"])
    task = column["task"]
    direction = meaning if meaning.en else say("direction.none")
    named = column["metric"].replace("_", " ")
    metric = Said(named, known(f"metric.{column['metric']}", named).zh)
    leaf = task.split("/", 1)[-1]
    title = told(facts.get("title") or leaf)
    sorts = say("sort_by", what=title)
    return Head(
        title=title,
        leaf=leaf,
        task=task,
        family=_family(task),
        metric=column["metric"],
        arrow=sign,
        href=link("task", task=task),
        language=facts.get("language", ""),
        tags=" ".join(facts.get("tags", ())),
        sorts=say("sort_way", sort=sorts, way=meaning) if meaning.en else sorts,
        tip=say("tip.task", title=title, task=task, metric=metric, direction=direction),
    )


def _frame(cells: Sequence[Json], column: Json) -> Frame:
    ranked = [cell for cell in cells if not cell.get("differs")]
    values = [cell["value"] for cell in ranked if cell.get("value") is not None]
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    noise = _widest(cells)
    if high - low < noise:  # a difference of chance gets no strong tint
        middle = (low + high) / 2
        low, high = middle - noise / 2, middle + noise / 2
    return Frame(scale_of(cells), low, high, column["higher_is_better"])


def _widest(cells: Sequence[Json]) -> float:
    widths = [c["high"] - c["low"] for c in cells if c.get("high") is not None]
    return max(widths, default=0.0)


def _evidence(cell: Json, column: Json, pages: frozenset[str]) -> str | None:
    if cell.get("run") not in pages:
        return link("task", task=column["task"])
    variant = column["variant"]
    return link(
        "run",
        run=cell["run"],
        task=column["task"],
        variant=variant if variant == "original" else None,
    )


def _line(row: Json, marks: tuple[Mark, ...], about: _Known, rows: Sequence[Json]) -> Line:
    model = about.models[row["model"]]
    runs = [run for run in model["runs"] if run in about.pages]
    columns = len(row["cells"])
    means = [{"value": r["mean"], "low": r["mean_low"], "high": r["mean_high"]} for r in rows]
    rate = {
        "value": row["mean_win_rate"],
        "low": row["mean_win_rate_low"],
        "high": row["mean_win_rate_high"],
        "method": "simulated",
    }
    mean = {
        "value": row["mean"],
        "low": row["mean_low"],
        "high": row["mean_high"],
        "method": "combined",
    }
    covered = row["tasks"] < columns
    best, worst = row["rank_best"], row["rank_worst"]
    return Line(
        model=row["model"],
        look=look_of(model),
        href=link("run", run=runs[0]) if len(runs) == 1 else None,
        rank=_rank(best, worst),
        rank_tip=_rank_tip(best, worst, row["mean_win_rate"]),
        rate=mark(rate, Frame(Scale(0.0, 1.0), better=None)),
        mean=mark(mean, Frame(scale_of(means), better=None)),
        covered=say("tasks_covered", have=row["tasks"], all=columns) if covered else None,
        marks=marks,
        errors=row["errors"],
        evidence=known(f"evidence.{model['evidence']}", model["evidence"]),
        borda="" if row["borda"] is None else f"{row['borda']:g}",
        strength=_strength(row["strength"]),
        coverage=f"{row['tasks']}/{columns}",
        steady=_rank(row["steady_best"], row["steady_worst"]),
    )


def _strength(found: Json | None) -> str:
    if found is None:
        return ""
    ends = "" if found["low"] is None else f" [{found['low']:.2f}, {found['high']:.2f}]"
    return f"{found['value']:.2f}{ends}".replace("-", "\N{MINUS SIGN}")


def _rank(best: int | None, worst: int | None) -> str:
    if best is None or worst is None:
        return ""
    return str(best) if best == worst else f"{best}\N{EN DASH}{worst}"


def _rank_tip(best: int | None, worst: int | None, rate: float | None) -> Said:
    if best is None:
        return NOTHING if rate is None else say("rank_few")
    return say("rank_sure" if best == worst else "rank_tip", best=best, worst=worst)


def tabs(shown: Sequence[Table]) -> list[dict[str, Any]]:
    """Return the seven groups, each with its measures; an empty group has none."""
    return [
        {
            "group": group,
            "title": say(f"group.{group}"),
            "how": say(f"how.{group}"),
            "measures": [table for table in shown if table.group == group],
        }
        for group in GROUPS
    ]
