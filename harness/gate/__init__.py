"""The regression gate: did it get worse, and is that certain?

Pure functions over aligned scores; `harness.gating` reads run directories and hands them over.
`policy` says what is accepted, `align` pairs the samples of two runs, `verdicts` decides,
`checks` holds floors and limits, `sequential` decides as a run goes, and `junit`, `markdown` and
`annotations` write for machines and reviewers.
"""
