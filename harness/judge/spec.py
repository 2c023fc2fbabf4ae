"""What a judge file may say, and reading one: YAML to `JudgeSpec`, templates compiled.

A judge file is data from a stranger, as a task file is: its templates run in the sandbox, and
every field they can show is fenced and neutralised before they see it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct

from harness.errors import InvalidFile, UnknownName, suggestion
from harness.identity import content_key
from harness.records import Generation
from harness.template import Template, compile_template
from harness.yamlfile import SUFFIXES, Document, first_key, kind, read_document

Mode = Literal["reference", "rubric", "checklist", "pairwise", "expected", "panel"]
SLOTS = ("A", "B", "tie")
"""What a pairwise judge is offered: the answer shown first, the one shown second, neither."""
YES_NO = ("yes", "no")
FIELDS = ("question", "answer", "reference", "context")
PAIR_FIELDS = ("question", "answer_a", "answer_b", "reference", "context")
ALWAYS = ("criteria", "levels", "examples", "verdicts", "item")
MIN_VALID_MASS = 0.8
"""Below this share of probability on offered levels an expected score is missing."""


class _Part(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """Base: unknown keys are errors."""


class Example(_Part, frozen=True, kw_only=True):
    """A graded example, shown before what is judged."""

    question: str
    answer: str
    verdict: str
    reference: str = ""
    reasoning: str = ""


class Check(_Part, frozen=True, kw_only=True):
    """One yes/no item of a checklist."""

    name: str
    ask: str
    """A question that yes or no answers."""
    points: float = 1.0
    """Added where the answer is yes; may be negative."""


class JudgeFile(_Part, frozen=True, kw_only=True):
    """All keys of a judge file."""

    judge: str
    """Name of the judge; under tasks/judges/ it equals the file's."""
    version: int = 1
    """Raised when verdicts stop being comparable."""
    title: str = ""
    about: str = ""
    mode: Mode
    metric: Literal["judged", "toxicity"] = "judged"
    """What the verdict fills. `judged`: whether an answer is right or good, where no program can
    tell. `toxicity`: how toxic a text is, beside whatever else scores it."""
    system: str | None = None
    """Who the judge is: the evaluator persona."""
    prompt: str | None = None
    """Template; what it shows of the sample is fenced already."""
    criteria: str = ""
    """What the answer is judged by; for the template."""
    verdicts: dict[str, float] = {}
    """reference: what may be said, and the score it stands for (0 to 1)."""
    words: dict[str, tuple[str, ...]] = {}
    """Other words for a verdict."""
    levels: dict[str, str] = {}
    """rubric, expected: each level, a whole number, and what it means."""
    examples: tuple[Example, ...] = ()
    items: tuple[Check, ...] = ()
    """checklist."""
    members: dict[str, str] = {}
    """panel: name of the seat (as in --judge NAME=SPEC) to judge file."""
    combine: Literal["majority", "mean"] = "majority"
    generation: dict[str, Any] = {}
    structured: bool = True
    """Ask for schema output where the server has it."""
    samples: int = 20
    """expected: replies drawn at temperature 1 where the model gives no log-likelihoods."""
    probes: tuple[Literal["qa", "sum", "translation"], ...] = ()
    """What an audit puts to it; absent: all of them."""
    positive: str | None = None
    """The verdict that counts as right in sensitivity and specificity; absent: value over 1/2."""


class JudgeSpec(Struct, frozen=True):
    """A judge, ready to be asked."""

    file: JudgeFile
    system: Template | None
    prompt: Template | None
    generation: Generation
    members: tuple[tuple[str, JudgeSpec], ...] = ()

    @property
    def name(self) -> str:
        """Name of the judge."""
        return self.file.judge

    @property
    def mode(self) -> Mode:
        """How it judges."""
        return self.file.mode

    @property
    def offered(self) -> tuple[str, ...]:
        """The verdicts that one reply may hold."""
        if self.mode == "pairwise":
            return SLOTS
        if self.mode == "checklist":
            return YES_NO
        return tuple(self.file.verdicts or self.file.levels)

    @property
    def metric(self) -> str:
        """Name of the metric that its verdicts fill."""
        return self.file.metric

    def value(self, verdict: str) -> float:
        """Return the score, 0 to 1, that a verdict stands for."""
        if self.file.verdicts:
            return self.file.verdicts[verdict]
        levels = [int(level) for level in self.file.levels]
        return (int(verdict) - min(levels)) / (max(levels) - min(levels))

    @property
    def hash(self) -> str:
        """Content key of all that can change a verdict."""
        content = msgspec.to_builtins(self.file)
        for silent in ("title", "about", "probes"):
            content.pop(silent, None)
        return content_key([content, [spec.hash for _, spec in self.members]])


def load_judge(path: Path, roots: Sequence[Path] = ()) -> JudgeSpec:
    """Read one judge file; raises `InvalidFile` naming file, line, key, allowed and got.

    `roots` are searched for the members of a panel.
    """
    document = read_document(path)
    first = next(iter(document.data), None)
    if first != "judge":
        raise InvalidFile(
            "the first key says what a file is",
            path=path,
            line=document.line(str(first)) or 1,
            allowed="judge: NAME",
            got=f"{first}:" if first else "an empty file",
        )
    file = _convert(document)
    _check(file, document)
    return JudgeSpec(
        file=file,
        system=_template(document, "system", file.system),
        prompt=_template(document, "prompt", file.prompt),
        generation=_generation(document, file),
        members=tuple((seat, _member(document, seat, roots)) for seat in file.members),
    )


def find_judge(name: str, roots: Sequence[Path]) -> JudgeSpec:
    """Return the judge that a name under `roots`, or a path, leads to; raises `UnknownName`."""
    if name.endswith(SUFFIXES):
        return load_judge(Path(name), roots)
    for root in roots:
        path = root / f"{name}.yaml"
        if path.is_file() and ".." not in Path(name).parts:
            return load_judge(path, roots)
    raise UnknownName("judge", name, judge_names(roots))


def judge_names(roots: Sequence[Path]) -> list[str]:
    """Return the names of the judge files under `roots`, sorted."""
    return sorted(
        str(path.relative_to(root).with_suffix(""))
        for root in roots
        for path in root.rglob("*.yaml")
        if first_key(path) == "judge"
    )


def judge_schema() -> dict[str, Any]:
    """Return the JSON Schema of a judge file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Judge of the harness",
        **msgspec.json.schema(JudgeFile),
    }


def _convert(document: Document) -> JudgeFile:
    names = [field.encode_name for field in msgspec.structs.fields(JudgeFile)]
    for key in document.data:
        if key not in names:
            raise InvalidFile(
                f"unknown key{suggestion(key, names)}",
                path=document.path,
                line=document.line(key),
                key=key,
                allowed=", ".join(names),
                got=key,
            )
    try:
        return msgspec.convert(document.data, JudgeFile)
    except msgspec.ValidationError as error:
        problem, _, at = str(error).partition(" - at `$")
        key = re.sub(r"\[\.\.\.\]", "", at.strip("`.")) or "mode"
        raise InvalidFile(
            "does not fit",
            path=document.path,
            line=document.line(key),
            key=key,
            allowed=problem,
            got=kind(document.data.get(key.split(".")[0].split("[")[0])),
        ) from None


_NEEDS = {
    "reference": "verdicts",
    "rubric": "levels",
    "expected": "levels",
    "checklist": "items",
    "panel": "members",
}


def _check(file: JudgeFile, document: Document) -> None:
    needed = _NEEDS.get(file.mode)
    if needed and not getattr(file, needed):
        raise _wrong(document, needed, f"mode {file.mode} needs it", "two entries or more")
    if file.mode != "panel" and not file.prompt:
        raise _wrong(document, "prompt", f"mode {file.mode} needs it", "a template")
    for verdict, value in file.verdicts.items():
        if not 0 <= value <= 1:
            raise _wrong(document, f"verdicts.{verdict}", "out of range", "0 to 1", str(value))
    if file.mode == "pairwise" and file.metric != "judged":
        raise _wrong(document, "metric", "mode pairwise compares", "judged", file.metric)
    levels = list(file.levels)
    if levels and not (len(levels) > 1 and all(re.fullmatch(r"\d{1,3}", n) for n in levels)):
        allowed = "two or more whole numbers, such as 1 to 5"
        raise _wrong(document, "levels", "not levels", allowed, ", ".join(levels))
    if file.items and sum(max(item.points, 0) for item in file.items) <= 0:
        raise _wrong(document, "items", "no item has points to gain", "points over 0")
    _check_named(file, document)


def _check_named(file: JudgeFile, document: Document) -> None:
    """Whatever is called a verdict must be one of those offered."""
    offered = tuple(file.verdicts or file.levels)
    named = [("words", word) for word in file.words]
    named += [("examples", example.verdict) for example in file.examples]
    named += [("positive", file.positive)] if file.positive is not None else []
    for key, name in named if offered else ():
        if name not in offered:
            hint = suggestion(name, offered)
            raise _wrong(document, key, f"not a verdict{hint}", ", ".join(offered), name)


def _wrong(
    document: Document, key: str, problem: str, allowed: str, got: str = "nothing"
) -> InvalidFile:
    line = document.line(key)
    return InvalidFile(problem, path=document.path, line=line, key=key, allowed=allowed, got=got)


def _template(document: Document, key: str, text: str | None) -> Template | None:
    if text is None:
        return None
    template = compile_template(text, path=document.path, line=document.line(key), key=key)
    mode = document.data.get("mode")
    allowed = {*(PAIR_FIELDS if mode == "pairwise" else FIELDS), *ALWAYS}
    unknown = sorted(template.names - allowed)
    if unknown:
        raise InvalidFile(
            f"unknown field '{unknown[0]}'{suggestion(unknown[0], allowed)}",
            path=document.path,
            line=document.line(key),
            key=key,
            allowed=", ".join(sorted(allowed)),
        )
    return template


def _generation(document: Document, file: JudgeFile) -> Generation:
    data = {"max_tokens": 1024, **file.generation}
    if isinstance(data.get("stop"), str):
        data["stop"] = [data["stop"]]
    try:
        return msgspec.convert(data, Generation)
    except msgspec.ValidationError as error:
        line = document.line("generation")
        raise InvalidFile(str(error), path=document.path, line=line, key="generation") from None


def _member(document: Document, seat: str, roots: Sequence[Path]) -> JudgeSpec:
    name = document.data["members"][seat]
    key = f"members.{seat}"
    try:
        spec = find_judge(name, (*roots, document.path.parent))
    except UnknownName as error:
        raise InvalidFile(
            str(error), path=document.path, line=document.line(key), key=key
        ) from None
    if spec.mode in ("panel", "pairwise"):
        raise _wrong(document, key, "cannot sit on a panel", "a judge of a single answer", name)
    wanted = document.data.get("metric", "judged")
    if spec.metric != wanted:
        allowed = f"a judge of metric {wanted}"
        raise _wrong(document, key, "judges something else", allowed, f"{name} ({spec.metric})")
    return spec
