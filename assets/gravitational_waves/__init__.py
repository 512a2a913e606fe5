"""The gravitational-wave graph: one module a stage."""
