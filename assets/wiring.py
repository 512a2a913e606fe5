"""What the asset modules of all systems say of their outputs, said briefly."""

import dagster as dg


def outs(stage: str, *path: str, **described: tuple[str, str]) -> dict[str, dg.AssetOut]:
    """Name the assets that one function stores.

    Parameters
    ----------
    stage
        The stage's tag, such as ``training``.
    *path
        Their keys without the last part, such as ``solar_flares``, ``upgrade``.
    **described
        By the last part of the key: IO manager and description.
    """
    return {
        name: dg.AssetOut(
            key=[*path, name], io_manager_key=format_, tags={"stage": stage}, description=text
        )
        for name, (format_, text) in described.items()
    }
