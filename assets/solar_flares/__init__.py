"""The solar-flare graph: one module a stage."""
