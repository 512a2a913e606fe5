"""What a person can read in a figure."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from models import plots


def words(
    monkeypatch: pytest.MonkeyPatch, module: ModuleType, picture: Callable[[], object]
) -> list[str]:
    """All text of a figure that a module draws, read off it before it is rendered."""
    from matplotlib.text import Text

    seen: list[str] = []
    original = plots.to_png

    def spy(figure: Any, title: str) -> bytes:
        png = original(figure, title)
        seen.extend(text.get_text() for text in figure.findobj(Text) if text.get_text())
        return png

    monkeypatch.setattr(module, "to_png", spy)
    picture()
    return seen
