"""How the embedded models were made: the corpus, its hold-out, the network and the training loop.

Not part of the installed package. `docs/models.md` has the commands.
"""
