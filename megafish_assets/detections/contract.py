"""What the detector's table must hold before a row of it is read."""

import polars as pl

EXPECTED = {
    "video_file": "string",
    "frame_id": "integer",
    "box": "list of numbers [x, y, w, h]",
    "score": "number",
}


class InferenceContractError(ValueError):
    """The detector's table lacks a column, or holds it as a type that can't be read as the right one."""


def _fits(name: str, dtype: pl.DataType) -> bool:
    if name == "video_file":
        return dtype == pl.String or isinstance(dtype, pl.Categorical | pl.Enum)
    if name == "frame_id":
        return dtype.is_integer()
    if name == "box":
        return isinstance(dtype, pl.List | pl.Array) and dtype.inner.is_numeric()
    return dtype.is_numeric()


def require_readable(schema: pl.Schema, place: str) -> None:
    """Raises InferenceContractError, with what was expected and found, unless every column can be read."""
    missing = [name for name in EXPECTED if name not in schema]
    odd = [name for name in EXPECTED if name in schema and not _fits(name, schema[name])]
    if not missing and not odd:
        return
    expected = ", ".join(f"{name} ({kind})" for name, kind in EXPECTED.items())
    found = ", ".join(f"{name} ({dtype})" for name, dtype in schema.items())
    wrong = [f"no column {name}" for name in missing] + [f"{name} is {schema[name]}" for name in odd]
    raise InferenceContractError(
        f"the inference table at {place} can't be read: {'; '.join(wrong)}. Expected {expected}; found {found}. "
        "Write the table with these columns, or name another one in MEGAFISH_INFERENCE."
    )
