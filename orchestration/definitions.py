"""What Dagster loads: the one `defs` object. Everything in it comes from `orchestration.build`."""

from orchestration.build import build_defs

defs = build_defs()
