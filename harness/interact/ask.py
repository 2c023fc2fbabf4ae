r"""Turns samples into requests for one model: `Asker` implements protocols.Ask.

The flattening rule, for models and requests that take plain text rather than a chat: a lone
user turn is sent as it is. Otherwise the system text is followed by a blank line, each solved
example is its input, a space (none after whitespace or a CJK character), its answer and a blank
line, and the question comes last. This is the layout of lm-evaluation-harness without a chat
template (`target_delimiter` " ", `fewshot_delimiter` "\n\n").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.records import Message, Request, Response, Sample, Shot
from harness.text.options import letter, options_block


def asked_text(sample: Sample) -> str:
    """Return the user's turn: the input, with lettered options below it for `choose`."""
    if sample.method != "choose":
        return sample.input
    return _with_options(sample.input, [choice.text for choice in sample.choices])


def _with_options(question: str, choices: Sequence[str]) -> str:
    return f"{question}\n{options_block(choices)}" if choices else question


def shot_turns(shot: Shot) -> tuple[Message, Message]:
    """Return a solved example as two turns; one with options is answered by its letter."""
    answer = shot.target
    if shot.choices and answer in shot.choices:
        answer = letter(shot.choices.index(answer))
    return (
        Message(role="user", content=_with_options(shot.input, shot.choices)),
        Message(role="assistant", content=answer),
    )


def flatten(messages: Sequence[Message]) -> str:
    """Return a chat as plain text by the module's rule."""
    parts: list[str] = []
    for message in messages:
        if message.role == "system":
            parts.append(f"{message.content}\n\n")
        elif message.role == "assistant":
            parts.append(f"{_space(parts)}{message.content}\n\n")
        else:
            parts.append(message.content)
    return "".join(parts)


def _space(parts: list[str]) -> str:
    last = parts[-1][-1:] if parts else ""
    return "" if not last or last.isspace() or _is_cjk(last) else " "


def _is_cjk(character: str) -> bool:
    return "\u2e80" <= character <= "\u9fff" or "\uff00" <= character <= "\uffef"


@dataclass(frozen=True, slots=True)
class Asker:
    """Composes requests for a model that chats (`chat`) or continues text.

    `logprobs`: ask for token log-probabilities, where a metric needs them.
    `tools`: whether the model calls functions.
    `tagged`: send along which sample is asked, for backends that answer from the plan.
    """

    chat: bool
    logprobs: bool = False
    tools: bool = False
    tagged: bool = False

    def __call__(self, sample: Sample, said: Sequence[Message | Response | str] = ()) -> Request:
        """Return the request that puts the sample, followed by what has been said since."""
        messages = self._messages(sample)
        messages.extend(_turn(item) for item in said)
        return Request(
            kind="generate",
            messages=tuple(messages) if self.chat else (),
            prompt="" if self.chat else flatten(messages),
            generation=sample.generation,
            logprobs=self.logprobs,
            repeat=sample.epoch,
            sample_id=sample_tag(sample) if self.tagged else "",
            turn=sum(isinstance(item, Response) for item in said),
        )

    def continuation(self, sample: Sample, text: str, context: str | None = None) -> Request:
        """Return the log-likelihood request of `text` after the sample (or after `context`).

        White space at the end of the context is scored with the text, for every backend alike:
        tokenizers join it to the word that follows (lm-evaluation-harness, `_encode_pair`).
        """
        if context is None or sample.shots or sample.system:
            messages = self._messages(sample)
            if context is not None:
                messages[-1] = Message(role="user", content=context)
            context = flatten(messages)
        bare = context.rstrip()
        return Request(
            kind="loglikelihood",
            prompt=bare,
            continuation=context[len(bare) :] + text,
            repeat=sample.epoch,
            sample_id=sample_tag(sample) if self.tagged else "",
        )

    def unconditional(self, text: str) -> Request:
        """Return the log-likelihood request of `text` after nothing."""
        return Request(kind="loglikelihood", continuation=text)

    def _messages(self, sample: Sample) -> list[Message]:
        messages: list[Message] = []
        if sample.system:
            messages.append(Message(role="system", content=sample.system))
        for shot in sample.shots:
            messages.extend(shot_turns(shot))
        if sample.messages:
            messages.extend(sample.messages[:-1])
        messages.append(Message(role="user", content=asked_text(sample)))
        return messages


def sample_tag(sample: Sample) -> str:
    """Return the name under which a scripted backend looks this very sample up."""
    return "\x1f".join(
        (sample.task, sample.sample_id, sample.arm, sample.variant, str(sample.epoch))
    )


def _turn(item: Message | Response | str) -> Message:
    if isinstance(item, str):
        return Message(role="user", content=item)
    if isinstance(item, Response):
        return Message(role="assistant", content=item.text, tool_calls=item.tool_calls)
    return item
