"""Numbers in sentences."""


def many(n: int, thing: str) -> str:
    """`1 video`, `2 videos`."""
    return f"{n} {thing}" if n == 1 else f"{n} {thing}s"
