"""Dagster as a whole: what runs, when it runs, and where results live."""
