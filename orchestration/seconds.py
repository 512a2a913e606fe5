"""Durations as a person writes them."""


def spell(seconds: float) -> str:
    """Write a duration as a person would.

    >>> [spell(seconds) for seconds in (0.4, 12.3, 75, 3599, 5000, 200_000)]
    ['1 s', '12 s', '1 min 15 s', '60 min', '1 h 23 min', '56 h']
    """
    whole = max(1, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 600:
        minutes, rest = divmod(whole, 60)
        return f"{minutes} min" + (f" {rest} s" if rest else "")
    minutes = round(whole / 60)
    if minutes <= 60:
        return f"{minutes} min"
    if minutes > 600:
        return f"{round(minutes / 60)} h"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h" + (f" {rest} min" if rest else "")
