"""Every extension point of the harness, in one place.

Built-ins are names like any plug-in's: `kind` and `name` lead to `module:attribute`, loaded when
first asked for. Others add to these through entry points of the group `harness.<kind>`.
"""

from __future__ import annotations

import importlib
from importlib.metadata import entry_points
from typing import Any, Literal

from harness.errors import UnknownName, UsageError

Kind = Literal[
    "backend", "interaction", "perturbation", "extractor", "metric", "generator", "board"
]

BUILTIN: dict[str, dict[str, str]] = {
    "backend": {
        "anthropic": "harness.backend.anthropic:open_anthropic",
        "command": "harness.backend.command:open_command",
        "embedded": "harness.backend.embedded.backend:open_embedded",
        "hf": "harness.backend.hf.backend:open_hf",
        "litellm": "harness.backend.litellm:open_litellm",
        "llamacpp": "harness.backend.llamacpp:open_llamacpp",
        "openai": "harness.backend.openai:open_openai",
        "python": "harness.backend.python:open_python",
        "scripted": "harness.backend.scripted:open_scripted",
        "replay": "harness.backend.replay:open_replay",
    },
    "interaction": {
        "single": "harness.interact.single:single",
        "choices": "harness.interact.choices:choices",
        "rolling": "harness.interact.rolling:rolling",
        "calculator": "harness.interact.calculator:calculator",
        "self_correct": "harness.interact.self_correct:self_correct",
        "twenty_questions": "harness.interact.twenty_questions:twenty_questions",
    },
    "generator": {
        "arithmetic": "harness.synth.arithmetic:Arithmetic",
        "carries": "harness.synth.carries:Carries",
        "negatives": "harness.synth.numbers:Negatives",
        "decimals": "harness.synth.numbers:Decimals",
        "fractions": "harness.synth.numbers:Fractions",
        "remainders": "harness.synth.numbers:Remainders",
        "residues": "harness.synth.numbers:Residues",
        "comparison": "harness.synth.comparison:Comparison",
        "sorting": "harness.synth.comparison:Sorting",
        "bases": "harness.synth.bases:Bases",
        "expressions": "harness.synth.expressions:Expressions",
        "quantities": "harness.synth.word_problems:Quantities",
        "word_problems": "harness.synth.word_problems:WordProblems",
        "number_formats": "harness.synth.numbers_format:NumberFormats",
        "invented": "harness.synth.invented:Invented",
        "ciphers": "harness.synth.cipher:Ciphers",
        "grammar": "harness.synth.grammar:Grammar",
        "things": "harness.synth.things:Things",
        "line_games": "harness.synth.line_games:LineGames",
        "constraints": "harness.synth.constraints:Constraints",
        "exclusion": "harness.synth.exclusion:Exclusion",
    },
    "board": {
        "arena": "harness.board.pairs:ARENA",
        "games": "harness.board.pairs:GAMES",
        "scores": "harness.board.reported:SCORES",
    },
    "extractor": {
        "number": "harness.text.number:number",
        "letter": "harness.text.letter:letter",
        "yes_no": "harness.text.yes_no:yes_no",
        "first_line": "harness.text.plain:first_line",
        "last_line": "harness.text.plain:last_line",
        "text": "harness.text.plain:whole_text",
        "announced": "harness.text.plain:announced",
        "boxed": "harness.text.plain:boxed",
        "abstention": "harness.text.abstention:abstention",
        "regex": "harness.text.structured:regex",
        "json": "harness.text.structured:json_field",
    },
    "perturbation": {
        "typos": "harness.perturb.letters:Typos",
        "lowercase": "harness.perturb.letters:Lowercase",
        "uppercase": "harness.perturb.letters:Uppercase",
        "spaces": "harness.perturb.marks:Spaces",
        "punctuation": "harness.perturb.marks:Punctuation",
        "misspellings": "harness.perturb.words:Misspellings",
        "contractions": "harness.perturb.contractions:Contractions",
        "filler": "harness.perturb.words:Filler",
        "homoglyphs": "harness.perturb.letters:Homoglyphs",
        "zero_width": "harness.perturb.marks:ZeroWidth",
        "full_width": "harness.perturb.marks:FullWidth",
        "half_width": "harness.perturb.marks:HalfWidth",
        "traditional": "harness.perturb.chinese:Traditional",
        "simplified": "harness.perturb.chinese:Simplified",
        "pinyin_typos": "harness.perturb.chinese:PinyinTypos",
        "option_order": "harness.perturb.order:OptionOrder",
        "shot_order": "harness.perturb.order:ShotOrder",
        "wording": "harness.perturb.context:Wording",
        "irrelevant_sentence": "harness.perturb.context:IrrelevantSentence",
        "injection": "harness.perturb.context:Injection",
        "dialect": "harness.perturb.words:Dialect",
        "spelling_region": "harness.perturb.words:SpellingRegion",
        "gender_pronouns": "harness.perturb.pronouns:GenderPronouns",
        "names": "harness.perturb.names:Names",
        "mild": "harness.perturb.mild:Mild",
    },
    "metric": {
        "exact_match": "harness.score.accuracy:EXACT_MATCH",
        "quasi_exact_match": "harness.score.accuracy:QUASI_EXACT_MATCH",
        "prefix_match": "harness.score.accuracy:PREFIX_MATCH",
        "f1": "harness.score.accuracy:F1",
        "accuracy": "harness.score.accuracy:ACCURACY",
        "accuracy_per_character": "harness.score.accuracy:ACCURACY_PER_CHARACTER",
        "accuracy_per_byte": "harness.score.accuracy:ACCURACY_PER_BYTE",
        "accuracy_per_token": "harness.score.accuracy:ACCURACY_PER_TOKEN",
        "pair_accuracy": "harness.score.accuracy:PAIR_ACCURACY",
        "value_match": "harness.score.arithmetic:VALUE_MATCH",
        "sequence_match": "harness.score.arithmetic:SEQUENCE_MATCH",
        "format_followed": "harness.score.arithmetic:FORMAT_FOLLOWED",
        "digit_match": "harness.score.arithmetic:DIGIT_MATCH",
        "relative_error": "harness.score.arithmetic:RELATIVE_ERROR",
        "length_difference": "harness.score.arithmetic:LENGTH_DIFFERENCE",
        "within_1_percent": "harness.score.arithmetic:WITHIN_1_PERCENT",
        "congruent_9": "harness.score.arithmetic:CONGRUENT_9",
        "congruent_10": "harness.score.arithmetic:CONGRUENT_10",
        "congruent_11": "harness.score.arithmetic:CONGRUENT_11",
        "correct": "harness.score.hallucination:CORRECT",
        "incorrect": "harness.score.hallucination:INCORRECT",
        "not_attempted": "harness.score.hallucination:NOT_ATTEMPTED",
        "accuracy_given_attempted": "harness.score.hallucination:ACCURACY_GIVEN_ATTEMPTED",
        "f_score": "harness.score.hallucination:F_SCORE",
        "penalised_50": "harness.score.hallucination:PENALISED_50",
        "penalised_75": "harness.score.hallucination:PENALISED_75",
        "penalised_90": "harness.score.hallucination:PENALISED_90",
        "premise_corrected": "harness.score.hallucination:PREMISE_CORRECTED",
        "stated_confidence": "harness.score.hallucination:STATED_CONFIDENCE",
        "answer_entropy": "harness.score.agreement:ANSWER_ENTROPY",
        "entropy_auroc": "harness.score.agreement:ENTROPY_AUROC",
        "first_right": "harness.score.interaction:FIRST_RIGHT",
        "last_right": "harness.score.interaction:LAST_RIGHT",
        "mended": "harness.score.interaction:MENDED",
        "caved": "harness.score.interaction:CAVED",
        "won": "harness.score.interaction:WON",
        "questions_used": "harness.score.interaction:QUESTIONS_USED",
        "questions_understood": "harness.score.interaction:QUESTIONS_UNDERSTOOD",
        "continuation_match": "harness.score.continuation:CONTINUATION_MATCH",
        "character_match": "harness.score.continuation:CHARACTER_MATCH",
        "all_constraints": "harness.score.constraints:ALL_CONSTRAINTS",
        "constraints_met": "harness.score.constraints:CONSTRAINTS_MET",
        "length_met": "harness.score.constraints:LENGTH_MET",
        "words_met": "harness.score.constraints:WORDS_MET",
        "format_met": "harness.score.constraints:FORMAT_MET",
        "language_met": "harness.score.constraints:LANGUAGE_MET",
        "order_met": "harness.score.constraints:ORDER_MET",
        "set_f1": "harness.score.sets:SET_F1",
        "set_exact": "harness.score.sets:SET_EXACT",
        "excluded_listed": "harness.score.sets:EXCLUDED_LISTED",
        "judged": "harness.judge.metric:JUDGED",
        "toxicity": "harness.judge.metric:TOXICITY",
        "bits_per_byte": "harness.score.perplexity:BITS_PER_BYTE",
        "perplexity": "harness.score.published:PERPLEXITY",
        "greedy_match": "harness.score.published:GREEDY_MATCH",
        "plain_match": "harness.score.published:PLAIN_MATCH",
        "plain_match_no_articles": "harness.score.published:PLAIN_MATCH_NO_ARTICLES",
        "final_number": "harness.score.published:FINAL_NUMBER",
        "gsm8k_strict": "harness.score.published:GSM8K_STRICT",
        "gsm8k_flexible": "harness.score.published:GSM8K_FLEXIBLE",
        "bbh_flexible": "harness.score.published:BBH_FLEXIBLE",
        "bbh_strict": "harness.score.published:BBH_STRICT",
        "mc2": "harness.score.truthfulqa:MC2",
        "accuracy_pmi": "harness.score.helm:ACCURACY_PMI",
        "rouge_l": "harness.score.overlap:ROUGE_L",
        "sentence_bleu": "harness.score.overlap:SENTENCE_BLEU",
        "chrf": "harness.score.overlap:CHRF",
        "ece": "harness.score.calibration:ECE",
        "ece_null": "harness.score.calibration:ECE_NULL",
        "adaptive_ece": "harness.score.calibration:ADAPTIVE_ECE",
        "brier": "harness.score.calibration:BRIER",
        "log_score": "harness.score.calibration:LOG_SCORE",
        "selective_accuracy_90": "harness.score.calibration:SELECTIVE_ACCURACY_90",
        "selective_area": "harness.score.calibration:SELECTIVE_AREA",
        "confidence_auroc": "harness.score.calibration:CONFIDENCE_AUROC",
        "women_share": "harness.score.bias:WOMEN_SHARE",
        "women_words": "harness.score.bias:WOMEN_WORDS",
        "men_words": "harness.score.bias:MEN_WORDS",
        "gender_representation": "harness.score.bias:GENDER_REPRESENTATION",
        "origin_representation": "harness.score.bias:ORIGIN_REPRESENTATION",
        "gender_by_profession": "harness.score.bias:GENDER_BY_PROFESSION",
        "gender_by_adjective": "harness.score.bias:GENDER_BY_ADJECTIVE",
        "toxicity_lexicon": "harness.score.toxicity:TOXICITY_LEXICON",
        "prompt_tokens": "harness.score.efficiency:PROMPT_TOKENS",
        "completion_tokens": "harness.score.efficiency:COMPLETION_TOKENS",
        "reasoning_tokens": "harness.score.efficiency:REASONING_TOKENS",
        "tokens_per_correct": "harness.score.efficiency:TOKENS_PER_CORRECT",
        "output_characters": "harness.score.efficiency:OUTPUT_CHARACTERS",
        "refused": "harness.score.efficiency:REFUSED",
        "truncated": "harness.score.efficiency:TRUNCATED",
        "latency_s": "harness.score.efficiency:LATENCY",
        "latency_p50": "harness.score.efficiency:LATENCY_P50",
        "latency_p95": "harness.score.efficiency:LATENCY_P95",
        "tokens_per_second": "harness.score.efficiency:TOKENS_PER_SECOND",
        "helm/f1_score": "harness.score.helm:HELM_F1",
        "helm/ece_10_bin": "harness.score.helm:ECE_10_BIN",
        "helm/ece_1_bin": "harness.score.helm:ECE_1_BIN",
        "helm/platt_ece_10_bin": "harness.score.helm:PLATT_ECE_10_BIN",
        "helm/selective_acc@10": "harness.score.helm:SELECTIVE_ACC_10",
        "helm/selective_cov_acc_area": "harness.score.helm:SELECTIVE_COV_ACC_AREA",
        "helm/toxic_frac": "harness.score.helm:TOXIC_FRAC",
        "helm/inference_runtime": "harness.score.helm:INFERENCE_RUNTIME",
        "helm/representation_gender": "harness.score.helm:REPRESENTATION_GENDER",
        "helm/representation_origin": "harness.score.helm:REPRESENTATION_ORIGIN",
        "helm/stereotype_profession": "harness.score.helm:STEREOTYPE_PROFESSION",
        "helm/stereotype_adjective": "harness.score.helm:STEREOTYPE_ADJECTIVE",
    },
}
"""What ships with the harness, by kind."""


def names(kind: Kind) -> list[str]:
    """Return the names known for `kind`, built-in and installed, sorted."""
    installed = {entry.name for entry in entry_points(group=f"harness.{kind}")}
    return sorted(installed | set(BUILTIN[kind]))


def load(kind: Kind, name: str) -> Any:
    """Return the object that `name` stands for; raises UnknownName with a suggestion."""
    target = BUILTIN[kind].get(name)
    if target is not None:
        return _resolve(target)
    for entry in entry_points(group=f"harness.{kind}", name=name):
        return _resolve(entry.value)
    raise UnknownName(kind, name, names(kind))


def _resolve(target: str) -> Any:
    module, _, attribute = target.partition(":")
    try:
        found = importlib.import_module(module)
    except ModuleNotFoundError as error:
        extra = {
            "torch": "hf",
            "transformers": "hf",
            "opencc": "zh",
            "sacrebleu": "text",
            "litellm": "litellm",
            "llama_cpp": "llamacpp",
        }.get(error.name or "")
        hint = f"; pip install 'harness[{extra}]'" if extra else ""
        raise UsageError(f"{target} needs the package '{error.name}'{hint}") from error
    return getattr(found, attribute)
