"""What a user sees of requests that failed: why, and what to do."""

from __future__ import annotations

import json

import pytest
from canned_http import refusing
from pyarrow import Table
from pyarrow.parquet import write_table

from harness.cli.failures import failure_lines


def lines(tmp_path, *errors: str | None) -> list[str]:
    """Return what is said of a table with these errors."""
    write_table(Table.from_pydict({"error": list(errors)}), tmp_path / "samples.parquet")
    return list(failure_lines(tmp_path / "samples.parquet"))


def test_each_kind_has_its_commonest_message_and_advice(tmp_path):
    """The kinds stand in the order of their number; hostile text cannot steer the terminal."""
    found = lines(
        tmp_path, "timeout: no answer within 5 s", None, "refused: HTTP 400: no\x1b[31m",
        "timeout: no answer within 5 s", "timeout: other", "refused: x", "refused: x", "refused: x",
    )  # fmt: skip
    assert found[0] == "  refused: x"
    assert found[1].startswith("  timeout: no answer within 5 s (--timeout gives more seconds")
    assert lines(tmp_path, "refused: HTTP 400: no\x1b[31m") == [r"  refused: HTTP 400: no\x1b[31m"]


def test_a_run_without_failures_says_nothing(tmp_path):
    """There is nothing to advise."""
    assert lines(tmp_path, None) == []


@pytest.mark.parametrize(
    ("status", "error", "said"),
    [
        (400, "Unsupported value: 'temperature' does not support 0", "-M reasoning=true"),
        (400, "This model's maximum context length is 4096 tokens", "fewer --shots"),
        (429, "slow down", "-M rpm="),
    ],
)
def test_the_command_line_says_why_everything_failed(
    status, error, said, harness, addition, tmp_path
):
    """A user need not open the run to see what to change; the exit code is 4."""
    with refusing(status, json.dumps({"error": {"message": error}})) as url:
        done = harness(
            "run", addition, "--model", "openai/x", "--base-url", url, "--out", tmp_path / "r",
            "--limit", "2", "--max-attempts", "1",
        )  # fmt: skip
    assert done.code == 4
    assert error in done.out
    assert said in done.out
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ((), "openai/x needs a key: set OPENAI_API_KEY"),
        (("--api-key-env", "NOT_SET"), "--api-key-env names NOT_SET, which is not set"),
        (("--base-url", "http://127.0.0.1:9/v1"), "does --base-url name it?"),
    ],
)
def test_a_missing_key_and_a_missing_server_are_one_line_each(
    flags, said, harness, addition, tmp_path
):
    """What to do stands in the line; the exit code is 4."""
    done = harness(
        "run", addition, "--model", "openai/x", *flags, "--out", tmp_path / "r", "--limit", "2",
        "--max-attempts", "1", OPENAI_API_KEY="",
    )  # fmt: skip
    assert done.code == 4
    assert said in done.out + done.err
