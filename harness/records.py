"""The data that flows through the harness: frozen, typed, JSON both ways.

Only data lives here; behaviour belongs to the stages. `protocols.py` says how stages speak.
Tuples stand for lists so that records are immutable all the way down; a mapping in a record is
never changed after construction.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

Role = Literal["system", "user", "assistant", "tool"]
Method = Literal["generate", "choose", "rank", "perplexity"]
Status = Literal["ok", "unparsed", "error", "unjudged"]
RequestKind = Literal["generate", "loglikelihood", "rolling"]
Capability = Literal["generate", "chat", "loglikelihood", "logprobs", "tools", "schema"]
Group = Literal[
    "accuracy", "calibration", "robustness", "fairness", "bias", "toxicity", "efficiency"
]


# ---- what is said to a model, and what comes back ------------------------------------------


class ToolCall(Struct, frozen=True):
    """A model's wish to call a tool."""

    id: str
    name: str
    arguments: str
    """JSON as the model wrote it; it may be invalid."""


class Tool(Struct, frozen=True):
    """A tool offered to a model."""

    name: str
    description: str
    parameters: dict[str, Any]
    """JSON Schema of the arguments."""


class Message(Struct, frozen=True, omit_defaults=True):
    """One turn of a chat."""

    role: Role
    content: str
    reasoning: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None


class Generation(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """How text is drawn from a model."""

    max_tokens: Annotated[int, Meta(ge=1)] = 256
    temperature: Annotated[float, Meta(ge=0, le=10)] = 0.0
    top_p: Annotated[float, Meta(gt=0, le=1)] | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    extra: dict[str, Any] = {}
    """Provider-specific settings, sent as they are."""


class Request(Struct, frozen=True, omit_defaults=True):
    """One thing asked of a model. `identity.request_key` says which fields make its key."""

    kind: RequestKind = "generate"
    messages: tuple[Message, ...] = ()
    """The chat; empty where `prompt` is used."""
    prompt: str = ""
    """Plain text to continue, or the context of a log-likelihood."""
    continuation: str = ""
    """loglikelihood: the text whose probability after `prompt` is asked."""
    generation: Generation = Generation()
    logprobs: bool = False
    """Whether the log-probabilities of generated tokens are wanted."""
    tools: tuple[Tool, ...] = ()
    schema: dict[str, Any] | None = None
    """JSON Schema that the answer must satisfy, where the server can enforce one."""
    repeat: int = 0
    """Number of the repeat (epoch): part of the key, never sent."""
    sample_id: str = ""
    """Travels along for scripted backends; neither sent nor part of the key."""
    turn: int = 0
    """As `sample_id`: the number of requests of this sample that went before."""


class Response(Struct, frozen=True, omit_defaults=True):
    """What a model answered."""

    text: str = ""
    reasoning: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: str = "stop"
    """stop, length, tool_calls, content_filter, or what the server said."""
    loglikelihood: float | None = None
    """Natural logarithm; of the continuation, or of the whole text for rolling."""
    greedy: bool | None = None
    """Whether each continuation token was the most likely one."""
    tokens: int | None = None
    """Number of tokens that `loglikelihood` sums over."""
    token_logprobs: tuple[float, ...] | None = None
    served_model: str | None = None
    fingerprint: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    reasoning_tokens: int | None = None
    latency_s: float = 0.0
    """Seconds from sending to the whole answer, of the attempt that succeeded."""
    attempts: int = 1
    cached: bool = False
    """Set when replayed from the store; never stored as True."""
    request_key: str = ""


class Failure(Struct, frozen=True, omit_defaults=True):
    """A request that brought no answer. Never a wrong answer, never stored as one."""

    kind: Literal[
        "rate_limit",
        "server",
        "timeout",
        "connection",
        "malformed",
        "content_filter",
        "refused",
        "too_long",
        "unsupported",
        "interrupted",
        "internal",
    ]
    message: str
    retryable: bool = False
    fatal: bool = False
    """Every other request will fail likewise (wrong key, unknown model): stop the run."""
    status: int | None = None
    """HTTP status where there was one."""
    retry_after: float | None = None
    """Seconds the server asked to wait."""
    attempts: int = 1


Reply = Response | Failure


class Exchange(Struct, frozen=True):
    """A request and its response, as they passed."""

    request: Request
    response: Response


class ModelInfo(Struct, frozen=True, omit_defaults=True):
    """What is known of a model; written to run.json."""

    name: str
    """As the user named it: provider/name."""
    arguments_hash: str = ""
    weights_hash: str | None = None
    served_name: str | None = None
    parameters: int | None = None
    licence: str | None = None
    date: str | None = None
    context: int | None = None
    """Longest prompt and answer together, in tokens."""


# ---- samples --------------------------------------------------------------------------------


class Shot(Struct, frozen=True, omit_defaults=True):
    """One solved example."""

    input: str
    target: str
    choices: tuple[str, ...] = ()
    """choose: the options, shown with letters as in the question."""


class Choice(Struct, frozen=True, omit_defaults=True):
    """One option of a choice task."""

    text: str
    context: str | None = None
    """rank: stands in place of the sample's input, for partial scoring."""


class Span(Struct, frozen=True):
    """A stretch of a perturbed text, and what stood there before (half-open, in characters)."""

    start: int
    end: int
    original: str


class Sample(Struct, frozen=True, omit_defaults=True):
    """One item of a task, rendered: what is asked and what counts as right.

    The same row under several arms, variants and epochs keeps its `sample_id`.
    """

    task: str
    sample_id: str
    input: str
    target: tuple[str, ...] = ()
    """Accepted answers, the preferred one first."""
    choices: tuple[Choice, ...] = ()
    gold: int | None = None
    """Index of the right choice."""
    method: Method = "generate"
    language: str = "en"
    system: str | None = None
    shots: tuple[Shot, ...] = ()
    messages: tuple[Message, ...] = ()
    """Where the task is a chat of its own; `input` is then its last user turn."""
    generation: Generation = Generation()
    arm: str = "default"
    variant: str = "original"
    epoch: int = 0
    cluster: str = ""
    """Samples of one cluster are not independent of each other."""
    slices: dict[str, str] = {}
    protected: tuple[tuple[int, int], ...] = ()
    """Stretches of `input` that no perturbation may touch (half-open, in characters)."""
    spans: tuple[Span, ...] = ()
    """What a perturbation changed in `input`."""
    changed: bool = True
    """False for a perturbed copy that equals its original."""
    oracle: str | None = None
    """What `scripted/oracle` says; else the first target."""
    wrong: str | None = None
    """What `scripted/wrong` says."""
    fields: dict[str, Any] = {}
    """The row's data, for metrics that look at the operands and the like."""


class ChoiceScore(Struct, frozen=True):
    """What a model thinks of one option."""

    text: str
    loglikelihood: float
    unconditional: float | None
    """Log-likelihood without the question, where it was asked for."""
    tokens: int | None
    greedy: bool | None


class Transcript(Struct, frozen=True):
    """What an interaction returns."""

    responses: tuple[Response, ...] = ()
    choices: tuple[ChoiceScore, ...] = ()
    facts: dict[str, Any] = {}
    """What only this kind of interaction knows (turns used, won or lost)."""


class Outcome(Struct, frozen=True):
    """How one sample's conversation ended. Exactly one of `transcript` and `failure` is set."""

    sample: Sample
    exchanges: tuple[Exchange, ...]
    transcript: Transcript | None = None
    failure: Failure | None = None


# ---- scores ---------------------------------------------------------------------------------


class Extraction(Struct, frozen=True):
    """An answer found in a model's text, and how it was found."""

    answer: str
    rule: str
    """Name of the rule that found it."""
    start: int = 0
    end: int = 0
    """Where in the text (half-open, in characters)."""
    value: str | None = None
    """Canonical form, where the answer is a number or an option."""


class Verdict(Struct, frozen=True, omit_defaults=True):
    """What a judge said of one sample."""

    judge: str
    model: str
    verdict: str | None
    """None: missing; `reason` says why."""
    order: str | None = None
    score: float | None = None
    valid_mass: float | None = None
    reason: str | None = None
    reply: str | None = None
    cost_usd: float | None = None


class Score(Struct, frozen=True):
    """One sample, scored."""

    status: Status
    values: dict[str, float] = {}
    """By metric. Empty for error and unjudged; 0 on correctness metrics for unparsed."""
    output: str = ""
    answer: str | None = None
    extraction: Extraction | None = None
    confidence: float | None = None
    verdicts: tuple[Verdict, ...] = ()
    explanation: str | None = None


class Cell(Struct, frozen=True):
    """One number of a results table with what is needed to believe it.

    `n + errors + unjudged` is the number planned. `unparsed` samples are in `n` and scored 0.
    `bound_low` and `bound_high` are the value if all errors and unjudged were 0 or 1.
    """

    task: str
    metric: str
    group: Group
    arm: str
    variant: str
    slice: str | None
    n: int
    value: float | None
    stderr: float | None
    low: float | None
    high: float | None
    bound_low: float | None
    bound_high: float | None
    confidence: float
    """Nominal coverage of the interval low…high, such as 0.95."""
    method: str
    """How the interval was made: wilson, t, bca, cluster-t, cluster-bootstrap, none."""
    errors: int
    unparsed: int
    unjudged: int
    estimate: Literal["raw", "ppi++", "rogan-gladen"]
    observed: bool
    """Depends on the clock, so two equal runs may differ."""
    reason: str | None
    """Why `value` is null."""
    higher_is_better: bool | None


class ScoreColumns(Struct, frozen=True):
    """All scored samples of a run, column by column: numpy arrays of one length.

    `task, arm, variant, sample_id, cluster, status` hold str, `epoch` int, `changed` bool
    (False for a perturbed copy that equals its original), `confidence` float with NaN for none.
    `values` has a float column for each metric (NaN: no value), `slices` a str
    column for each slice ("" where the sample has none).
    """

    task: Any
    arm: Any
    variant: Any
    sample_id: Any
    epoch: Any
    cluster: Any
    status: Any
    changed: Any
    confidence: Any
    values: dict[str, Any]
    slices: dict[str, Any]


# ---- a run ----------------------------------------------------------------------------------


class ModelSpec(Struct, frozen=True, omit_defaults=True):
    """A model as the user named it."""

    provider: str
    name: str
    arguments: dict[str, Any] = {}
    base_url: str | None = None
    api_key_env: str | None = None
    """Name of the variable that holds the key; never the key."""
    headers: dict[str, str] = {}
    """Sent, never written to disk."""

    @property
    def label(self) -> str:
        """provider/name, as on the command line."""
        return f"{self.provider}/{self.name}"


class RunSpec(Struct, frozen=True, omit_defaults=True):
    """All that decides what a run measures. Two runs of equal spec measure the same."""

    tasks: tuple[str, ...]
    model: ModelSpec
    limit: int | None = None
    """Samples per task, rounded up to whole clusters."""
    sample_ids: tuple[str, ...] = ()
    seed: int = 0
    """Orders and samples; never changes the items."""
    data_seed: int | None = None
    """Fresh operands for generated tasks; None: each task's own."""
    epochs: int = 1
    shots: int | None = None
    arms: tuple[str, ...] = ()
    perturb: tuple[str, ...] = ()
    judges: dict[str, ModelSpec] = {}
    generation: dict[str, Any] = {}
    data: dict[str, Any] = {}
    system: str | None = None
    trust: bool = False


class Execution(Struct, frozen=True, omit_defaults=True):
    """How a run is carried out; changes cost and speed, never a score."""

    out: str = "results"
    connections: int | Literal["auto"] = 16
    max_failures: float = 0.05
    """Share of failed samples above which the exit code is 4."""
    max_cost: float | None = None
    max_tokens_total: int | None = None
    timeout_s: float = 120.0
    """Seconds for one attempt of one request."""
    max_attempts: int = 5
    executor: str = "local"
    fresh: bool = False
    """Make a new run directory even where one could be continued, and ask again."""
    require_cache: bool = False
    batch: bool = False
    """Have the server's batch jobs answer: slower, and cheaper."""


Record = TypeVar("Record")


def to_json(record: object) -> bytes:
    """Encode a record as compact JSON, keys in the order of the fields."""
    return msgspec.json.encode(record)


def from_json(data: bytes | str, kind: type[Record]) -> Record:
    """Decode a record; raises `msgspec.ValidationError` where `data` does not fit `kind`."""
    return msgspec.json.decode(data, type=kind)
