"""The speech graph: one module a stage."""
