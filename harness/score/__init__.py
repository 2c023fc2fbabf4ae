"""From outcomes to scores: metrics by HELM group. Pure; no model, no I/O."""
