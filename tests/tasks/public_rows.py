"""Rows in the form of the public sets, written for the tests, and what each must become.

`requests` of a rank task are (prompt, continuation) for each option, of a perplexity task one such
pair, and of any other the prompt as plain text. The strings are those of the definition that the
task file names; for lm-evaluation-harness they were compared with its own prompt builder.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Case:
    """A few rows of one form, and the requests of the first."""

    tasks: tuple[str, ...]
    rows: tuple[dict[str, Any], ...]
    requests: tuple[tuple[str, str], ...] | str


def _arithmetic(question: str, answer: str) -> dict[str, Any]:
    return {"context": f"\n\nQ: What is {question}?\n\nA:", "completion": f" {answer}"}


ARITHMETIC = ("1dc", "2da", "2ds", "2dm", "3da", "3ds", "4da", "4ds", "5da", "5ds")
GSM8K = (
    {
        "question": "Ana has 3 boxes of 400 nails and buys 45 more. How many nails has she?",
        "answer": "The boxes hold 3 * 400 = <<3*400=1200>>1200 nails.\n"
        "With the new ones she has 1200 + 45 = <<1200+45=1245>>1,245.\n#### 1,245",
    },
    {"question": "A rope of 9 m is cut in 3. How long is a part?", "answer": "9 / 3 = 3\n#### 3"},
)
BLANK = (
    {
        "sentence": "Nora thanked Ivy because _ had lent the ladder.",
        "option1": "Nora",
        "option2": "Ivy",
        "answer": "2",
    },
    {
        "sentence": "The kettle would not fit the shelf since _ was too wide.",
        "option1": "the kettle",
        "option2": "the shelf",
        "answer": "1",
    },
)
BLANK_ZH = (
    {
        "sentence": "木匠感谢了裁缝，因为_借出了梯子。",
        "option1": "木匠",
        "option2": "裁缝",
        "answer": "2",
    },
)
TRUE_FALSE = ("Salt dissolves in water.", "Salt melts in water.", "Salt floats on water.")
MMLU = "The following are multiple choice questions (with answers) about made up numbers."
CMMLU = "以下是关于农学的单项选择题，请直接给出正确答案的选项。"
C_EVAL = "以下是中国单项选择题，请选出其中的正确答案。"
PRIME = "Which of these is a prime number?"
FERNS = "Ferns have no seeds; they spread by spores."
MC_QUESTION = "What does salt do in water?"

CASES = (
    Case(
        tuple(f"arithmetic-{kind}" for kind in ARITHMETIC),
        (_arithmetic("31 plus 58", "89"), _arithmetic("(6 * 2) - 5", "7")),
        (("Question: What is 31 plus 58?\nAnswer:", " 89"),),
    ),
    Case(("gsm8k",), GSM8K, f"Question: {GSM8K[0]['question']}\nAnswer:"),
    Case(
        ("svamp",),
        (
            {
                "ID": "chal-9001",
                "Body": "Lena planted 14 bulbs in each of 3 rows",
                "Question": "How many bulbs did she plant?",
                "Equation": "( 14.0 * 3.0 )",
                "Answer": 42.0,
                "Type": "Multiplication",
            },
            {
                "ID": "chal-9002",
                "Body": "Otto had 9.5 m of wire. He used 2 m.",
                "Question": "How much is left?",
                "Equation": "( 9.5 - 2.0 )",
                "Answer": "7.5",
                "Type": "Subtraction",
            },
        ),
        "Q: Lena planted 14 bulbs in each of 3 rows How many bulbs did she plant?\n"
        "A: The answer (arabic numerals) is",
    ),
    Case(
        ("wsc273",),
        (
            {
                "text": "The  porter greeted the baker because he was polite.",
                "pronoun": "he",
                "pronoun_loc": 37,
                "quote": "he was polite",
                "quote_loc": 37,
                "options": ["The porter", "The baker"],
                "label": 0,
                "source": "made for this test",
            },
            {
                "text": "Emma told Ruth that her tent leaked.",
                "pronoun": "her",
                "pronoun_loc": 20,
                "quote": "her tent",
                "quote_loc": 20,
                "options": ["Emma", "Ruth"],
                "label": 1,
                "source": "made for this test",
            },
        ),
        (
            ("The porter greeted the baker because the porter", "  was polite."),
            ("The porter greeted the baker because the baker", "  was polite."),
        ),
    ),
    Case(
        ("winogrande", *(f"xwinograd-{name}" for name in ("en", "fr", "jp", "pt", "ru", "zh"))),
        BLANK,
        (
            ("Nora thanked Ivy because Nora", " had lent the ladder."),
            ("Nora thanked Ivy because Ivy", " had lent the ladder."),
        ),
    ),
    Case(
        ("xwinograd-zh",),
        BLANK_ZH,
        (
            ("木匠感谢了裁缝，因为木匠", " 借出了梯子。"),
            ("木匠感谢了裁缝，因为裁缝", " 借出了梯子。"),
        ),
    ),
    Case(
        ("winogrande-choose",),
        BLANK,
        "What belongs in place of the blank (_)? Answer with the letter alone.\n\n"
        "Nora thanked Ivy because _ had lent the ladder.\nA. Nora\nB. Ivy",
    ),
    Case(
        ("cluewsc2020",),
        (
            {
                "target": {
                    "span1_text": "灯",
                    "span1_index": 1,
                    "span2_text": "它",
                    "span2_index": 6,
                },
                "text": "把灯拿来，让它亮一会儿。",
                "idx": 0,
                "label": "true",
            },
            {
                "target": {
                    "span1_text": "门",
                    "span1_index": 1,
                    "span2_text": "它",
                    "span2_index": 8,
                },
                "text": "关门时夹到了猫，它叫了一声。",
                "idx": 1,
                "label": 1,
            },
        ),
        (
            ("把灯拿来，让它亮一会儿。\n此处，代词“它“被用于指代“灯“吗?", "否"),
            ("把灯拿来，让它亮一会儿。\n此处，代词“它“被用于指代“灯“吗?", "是"),
        ),
    ),
    Case(
        ("triviaqa",),
        (
            {
                "question": "Which tree do acorns grow on",
                "question_id": "made_1",
                "answer": {"aliases": ["Oak", "The oak-tree"], "value": "Oak"},
            },
        ),
        "Question: Which tree do acorns grow on?\nAnswer:",
    ),
    Case(
        ("triviaqa",),
        (
            {
                "Question": "Which tree do acorns grow on?",
                "Answer": {"Aliases": ["Oak", "The oak-tree"], "Value": "Oak"},
            },
        ),
        "Question: Which tree do acorns grow on??\nAnswer:",
    ),
    Case(
        ("nq_open",),
        ({"question": "which tree do acorns grow on", "answer": ["The oak", "oak trees"]},),
        "Answer these questions:\n\nQ: which tree do acorns grow on?\nA:",
    ),
    Case(
        ("truthful_qa-mc1",),
        (
            {
                "question": MC_QUESTION,
                "mc1_targets": {"choices": list(TRUE_FALSE), "labels": [1, 0, 0]},
                "mc2_targets": {"choices": list(TRUE_FALSE), "labels": [1, 0, 0]},
            },
        ),
        tuple((f"Q: {MC_QUESTION}\nA:", f" {text}") for text in TRUE_FALSE),
    ),
    Case(
        ("truthful_qa-mc1", "truthful_qa-mc2"),
        (
            {
                "question": MC_QUESTION,
                "mc1_targets": dict(zip(TRUE_FALSE, (1, 0, 0), strict=True)),
                "mc2_targets": dict(zip(TRUE_FALSE, (1, 0, 0), strict=True)),
            },
        ),
        tuple((f"Q: {MC_QUESTION}\nA:", f" {text}") for text in TRUE_FALSE),
    ),
    Case(
        ("simpleqa",),
        (
            {
                "metadata": "{'topic': 'Crafts', 'answer_type': 'Other', 'urls': []}",
                "problem": "What do coopers make?",
                "answer": "Barrels",
            },
        ),
        "What do coopers make?",
    ),
    Case(
        ("chinese_simpleqa",),
        (
            {
                "id": "made-1",
                "primary_category": "生活、艺术与文化",
                "secondary_category": "工艺",
                "question": "箍桶匠制作什么？",
                "answer": "木桶",
                "urls": [],
            },
        ),
        "箍桶匠制作什么？",
    ),
    Case(
        ("lambada", "lambada-standard"),
        (
            {"text": "He set the lamp on the sill,  and by morning the sill still held the lamp"},
            {"text": "one two one"},
        ),
        (("He set the lamp on the sill,  and by morning the sill still held the", " lamp"),),
    ),
    Case(
        ("mmlu",),
        (
            {
                "question": f" {PRIME} ",
                "subject": "made_up_numbers",
                "choices": ["0", "1", "2", "4"],
                "answer": 2,
            },
        ),
        tuple(
            (f"{MMLU}\n\n{PRIME}\nA. 0\nB. 1\nC. 2\nD. 4\nAnswer:", f" {name}")
            for name in "ABCD"
        ),
    ),
    Case(
        ("mmlu-choose",),
        (
            {
                "question": PRIME,
                "subject": "made_up_numbers",
                "A": "0",
                "B": "1",
                "C": "2",
                "D": "4",
                "answer": "C",
            },
        ),
        f"{MMLU}\n\nAnswer the question with the letter of the right option alone.\n\n"
        f"{PRIME}\nA. 0\nB. 1\nC. 2\nD. 4",
    ),
    Case(
        ("cmmlu",),
        (
            {
                "Question": "豆科作物的根瘤固定什么？",
                "A": "氮",
                "B": "碳",
                "C": "铁",
                "D": "硫",
                "Answer": "A",
                "subject": "农学",
            },
        ),
        tuple(
            (f"{CMMLU}\n\n豆科作物的根瘤固定什么？\nA. 氮\nB. 碳\nC. 铁\nD. 硫\n答案：", f" {name}")
            for name in "ABCD"
        ),
    ),
    Case(
        ("c-eval",),
        (
            {
                "id": 0,
                "question": "下列哪一项是传输层协议？",
                "A": "IP",
                "B": "TCP",
                "C": "ARP",
                "D": "HTTP",
                "answer": "B",
                "explanation": "",
            },
        ),
        tuple(
            (
                f"{C_EVAL}\n\n下列哪一项是传输层协议？\nA. IP\nB. TCP\nC. ARP\nD. HTTP\n答案：",
                f" {name}",
            )
            for name in "ABCD"
        ),
    ),
    Case(
        ("arc-easy", "arc-challenge"),
        (
            {
                "id": "made_1",
                "question": "How many legs does a beetle have?",
                "choices": {"text": ["2", "4", "6", "3"], "label": ["A", "B", "C", "D"]},
                "answerKey": "C",
            },
            {
                "id": "made_2",
                "question": {
                    "stem": "What pulls a stone down?",
                    "choices": [
                        {"text": "gravity", "label": "1"},
                        {"text": "wind", "label": "2"},
                        {"text": "wind", "label": "3"},
                    ],
                },
                "answerKey": "1",
            },
        ),
        tuple(
            ("Question: How many legs does a beetle have?\nAnswer:", f" {text}")
            for text in ("2", "4", "6", "3")
        ),
    ),
    Case(
        ("bbh-boolean_expressions",),
        ({"input": "not ( True or False ) is", "target": "False"},),
        "Evaluate the result of a random Boolean expression.\n\nQ: not ( True or False ) is\nA:",
    ),
    Case(
        ("bbh-date_understanding",),
        (
            {
                "input": "Today is the eve of 2 May 2030. What is the date a week on?\n"
                "Options:\n(A) 05/08/2030\n(B) 05/09/2030",
                "target": "(A)",
            },
        ),
        "Infer the date from context.\n\nQ: Today is the eve of 2 May 2030. What is the date a "
        "week on?\nOptions:\n(A) 05/08/2030\n(B) 05/09/2030\nA:",
    ),
    Case(
        ("bbh-navigate", "bbh-causal_judgement"),
        ({"input": "Take 2 steps. Turn around. Take 2 steps.", "target": "Yes"},),
        "",
    ),
    Case(
        ("bbh-formal_fallacies",),
        ({"input": "All a are b. So: all b are a.", "target": "invalid"},),
        "",
    ),
    Case(
        ("bbh-disambiguation_qa", "bbh-logical_deduction_three_objects"),
        ({"input": "Who came last?\nOptions:\n(A) Ann\n(B) Bo\n(C) Cy", "target": "(C)"},),
        "",
    ),
    Case(
        ("bbh-object_counting", "bbh-multistep_arithmetic_two"),
        ({"input": "I have a lamp and two pots. How many things have I?", "target": "3"},),
        "",
    ),
    Case(
        ("boolq",),
        (
            {
                "passage": FERNS,
                "question": "do ferns have seeds",
                "idx": 0,
                "label": 0,
            },
            {"passage": "Ferns like shade.", "question": "do ferns like shade", "answer": True},
        ),
        tuple(
            (f"{FERNS}\nQuestion: do ferns have seeds?\nAnswer:", f" {text}")
            for text in ("no", "yes")
        ),
    ),
    Case(
        ("boolq-contrast",),
        (
            {"set": 1, "passage": "Ferns have no seeds.", "question": "do ferns have seeds",
             "answer": "FALSE"},
            {"set": 1, "passage": "Ferns have no seeds.", "question": "do ferns lack seeds",
             "answer": "TRUE"},
        ),
        tuple(
            ("Ferns have no seeds.\nQuestion: do ferns have seeds?\nAnswer:", f" {text}")
            for text in ("no", "yes")
        ),
    ),
)  # fmt: skip
"""One or more for each form that a public set comes in."""


def rows_for(task: str) -> tuple[dict[str, Any], ...]:
    """Return rows for `task`; a -choose twin takes those of its rank task."""
    for name in (task, task.removesuffix("-choose"), task.removesuffix("-5shot")):
        for case in CASES:
            if name in case.tasks:
                return case.rows
    raise LookupError(task)
