"""The live display: a line above the bar, and silence off the terminal."""

from __future__ import annotations

from pathlib import Path

from harness.cli.progress import LiveProgress


def test_a_line_about_a_batch_stands_above_the_bar_on_a_terminal_alone(capsys):
    """Off the terminal nothing is drawn; foreign markup is shown as it came."""
    with LiveProgress(enabled=False) as silent:
        silent.started(Path("r"), 3)
        silent.told("batch b: in_progress")
    assert capsys.readouterr().err == ""
    with LiveProgress(enabled=True) as drawn:
        drawn.started(Path("r"), 3)
        drawn.told("batch [red]b[/red]: in_progress, 1 of 3 done")
    assert "batch [red]b[/red]: in_progress, 1 of 3 done" in capsys.readouterr().err
