"""How one sample is put to a model: pure generators of requests (see protocols.Interaction)."""
