"""The asset graph: one folder a system, one module a stage; functions that only wire."""
