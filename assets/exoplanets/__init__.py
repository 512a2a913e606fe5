"""The exoplanet graph: one module a stage."""
