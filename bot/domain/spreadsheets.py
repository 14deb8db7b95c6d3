"""What may stand in a cell of a file that somebody opens in a spreadsheet program."""

STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def cell(words: str) -> str:
    """The words, never a formula: a spreadsheet program would work it out, and it may fetch or send."""
    return f"'{words}" if words.startswith(STARTS_A_FORMULA) else words
