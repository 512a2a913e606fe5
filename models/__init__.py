"""The science: pure functions and networks. Nothing here knows about Dagster."""
