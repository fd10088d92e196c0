"""Tables as scripts that a page can load from a folder, where a browser fetches nothing else: compact, and inert."""

import base64
import json
from typing import Any

import numpy as np

ARRAYS = {"uint8": "Uint8Array", "uint16": "Uint16Array", "uint32": "Uint32Array", "float32": "Float32Array"}
"""What a script calls these types."""

NONE = 2**32 - 1
"""In a packed column of places: nothing."""

NO_NEIGHBOR = 2**24 - 1
"""The same in three bytes."""

DISTANCE_STEPS = 100
"""Of a cosine distance of 1 in one byte."""


def packed(values: np.ndarray) -> dict[str, str]:
    """A column as base64, little-endian. Raises KeyError for a type that scripts have no array of."""
    little = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<"))
    return {"type": ARRAYS[values.dtype.name], "base64": base64.b64encode(little.tobytes()).decode()}


def counted(values: np.ndarray) -> dict[str, str]:
    """The same of numbers from 0, in the fewest bytes. Raises ValueError for a negative one, or one past 32 bits."""
    if len(values) and (values.min() < 0 or values.max() > NONE):
        raise ValueError(f"numbers from {values.min()} to {values.max()}, expected 0 to {NONE}")
    fits = np.min_scalar_type(int(values.max(initial=0)))
    return packed(values.astype(fits))


def script(call: str, *values: Any) -> bytes:
    """A script that hands these values to a function of the page's.

    Whatever a name holds stays within its string: JSON, in ASCII, without the letters that could end a script.
    """
    told = ",".join(json.dumps(value, separators=(",", ":"), allow_nan=False) for value in values)
    for letter in "<>&":
        told = told.replace(letter, f"\\u{ord(letter):04x}")
    return f"{call}({told});\n".encode("ascii")


def neighbor_script(shard: int, places: np.ndarray, distances: np.ndarray) -> bytes:
    """The neighbors `(n, k)` of one shard's points: three bytes a place, one a distance, in hundredths.

    -1 is nothing. Raises ValueError for places that three bytes don't hold.
    """
    if places.size and places.max() >= NO_NEIGHBOR:
        raise ValueError(f"{places.max() + 1} points, at most {NO_NEIGHBOR} can be shown")
    wide = np.where(places < 0, NO_NEIGHBOR, places).astype("<u4")
    narrow = wide.reshape(-1, 1).view(np.uint8)[:, :3].tobytes()
    steps = np.nan_to_num(distances * DISTANCE_STEPS).round().clip(0, 255).astype(np.uint8).tobytes()
    columns = (base64.b64encode(column).decode() for column in (narrow, steps))
    return script("megafishNeighbors", shard, *columns)
