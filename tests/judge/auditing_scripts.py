"""Audits of scripted judges: no server, no model."""

from __future__ import annotations

import asyncio
from functools import cache

from talking import JUDGES

from harness.auditing import Audit, bundled_facts
from harness.hearing import Hearing
from harness.judge.spec import find_judge
from harness.judging import Assigned, Crew
from harness.records import ModelSpec
from harness.run.policy import Budget, RetryPolicy
from harness.run.sender import SendRules
from harness.run.traffic import Traffic

ALL = ("qa", "sum", "translation")


@cache
def facts(count=60, kinds=ALL):
    """Return the facts that ship, read once."""
    return tuple(bundled_facts(count, kinds))


def hearing(judge, script, budget=None, **arguments):
    """Return a scripted judge before whom cases can be brought."""
    spec = find_judge(judge, [JUDGES])
    model = ModelSpec("scripted", script, arguments)
    members = spec.members or ((spec.name, spec),)
    assigned = Assigned(spec, tuple((seat, member, model) for seat, member in members))
    crew = Crew(lambda _: None, None, SendRules(Traffic(8), RetryPolicy()))
    return Hearing(assigned, crew, budget or Budget(), at_once=256)


@cache
def certificate(judge, script, count=60, kinds=ALL, rival=None, **arguments):
    """Return the certificate of a scripted judge."""
    other = None if rival is None else ModelSpec("scripted", rival)
    before = hearing(judge, script, **arguments)
    return asyncio.run(Audit(before, facts(count, kinds), other).go())


def measured(found, name):
    """Return one measure of a certificate."""
    (one,) = [measure for measure in found.measures if measure.name == name]
    return one


def refused_for(found):
    """Return the names of the measures that were not passed."""
    return {measure.name for measure in found.measures if not measure.passed}
