"""Backends: `Request` in, `Response` or `Failure` out.

`openai` speaks to servers, `embedded` computes here, `scripted`, `python` and `replay` answer from
a plan, a user's function and a recorded run. `serve` is the way back: any backend as a server.
"""
