"""Errors that a user of `faint` can mend. Imports nothing: the command knows them at once."""


class ProjectError(RuntimeError):
    """The project can't be found, its settings are wrong, or its definitions don't load."""


class UsageError(ValueError):
    """A selection or partition that doesn't fit the project."""


class StoreDamagedError(RuntimeError):
    """Something in the store is in the way of what is to be written; `faint doctor` mends it."""


class StoreUnreachableError(RuntimeError):
    """A remote store doesn't answer: each kind has errors of its own, this one stands for all."""
