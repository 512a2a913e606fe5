"""The buried-object graph: one module a stage."""
