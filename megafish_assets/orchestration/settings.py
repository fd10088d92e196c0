"""What an installation sets: one table of environment variables, read once by `definitions.py`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from zoneinfo import available_timezones

from megafish_assets.footage.clocks import CLIP_FRAMES, CLIP_SECONDS, Clock
from megafish_assets.footage.containers import MOST_MEGAPIXELS
from megafish_assets.footage.recordings import IGNORED, LOCAL
from megafish_assets.orchestration.arrivals import QUIET_MINUTES, SIGNS
from megafish_assets.orchestration.knobs import Knobs
from megafish_assets.storage.catalog import Catalog

DEVICES = ("auto", "cpu", "cuda", "mps")

VARIABLES: dict[str, str] = {
    "MEGAFISH_ROOT": "folder of the collection: tables, figures and the Dagster storage lie in it; default `data/demo`",
    "MEGAFISH_INFERENCE": "the detector's Delta table, a path or an object-store address; default `<root>/inference`",
    "MEGAFISH_RECORDINGS": "folder of the video files; default `<root>/recordings`",
    "MEGAFISH_BACKBONES": "comma-separated names out of `BACKBONES`; default `mobilenetv3,vit,xcit`",
    "MEGAFISH_WEIGHTS": "folder of `<timm_id>.safetensors`, used instead of the model hub; default none",
    "MEGAFISH_GEOMETRY": "how a crop becomes a square: `letterbox_views` (default: six looks at each crop, averaged, "
    "at six times the work), `letterbox_pair` (two, nearly as good), `letterbox`, `squash` or `center`",
    "MEGAFISH_LABELS": "what people said crops show, a Parquet, CSV or Delta table of `label` beside `detection_id` or "
    "`tracklet_id`, which every run of `labels` reads; default none",
    "MEGAFISH_SPECIES": "the species of the region, a CSV of `name`, `scientific_name`, `aphia_id`, `family`: offered "
    "where people give names, and checked when labels are read; default none: any name",
    "MEGAFISH_DEVICE": "`auto` (default: cuda, else mps, else cpu), `cpu`, `cuda` or `mps`",
    "MEGAFISH_CLIP_SECONDS": "length of one video file in seconds, for time stamps; default 10",
    "MEGAFISH_CLIP_FRAMES": "frames in one video file, for time stamps; default 300",
    "MEGAFISH_NUMBER": "a regular expression whose first group is the number in a video's name, for time stamps; "
    "default none: the only number, none in a date, and no time from a GoPro's or DJI's",
    "MEGAFISH_CREATED": "what the creation time in a video's container is: `ignored` (default), `local` (the camera's "
    "own clock, as GoPro writes it), or `utc`, which becomes the time of `MEGAFISH_TIMEZONE`",
    "MEGAFISH_MEGAPIXELS": "millions of pixels of the largest frames that are decoded; default 67, twice 8K",
    "MEGAFISH_COMPLETE_WHEN": "signs that the detector is done with a video, any of which is enough: `later` (another "
    "video's rows came after), `last_frame` (its last frame has a row), `quiet` (no new rows for some minutes); "
    "default `later,last_frame,quiet`",
    "MEGAFISH_QUIET_MINUTES": "minutes without new rows, for `quiet`; default 10",
    "MEGAFISH_TIMEZONE": "time zone of the nightly run, as `Europe/Lisbon`; default `UTC`",
    "MEGAFISH_HOSTS": "comma-separated names under which a proxy gives the UI, as `fish.example.org`; default none: "
    "only this machine's own",
    "MEGAFISH_POSTGRES": "address of a PostgreSQL database for Dagster's own storage, see `dagster-postgres.yaml`; "
    "default none, SQLite",
    "MEGAFISH_RECORDING_START": "local time of the first frame, as `2025-12-12T13:30:00`; default none, no time of day",
}
"""Every variable with its meaning; `docs/settings.md` is written from it."""


@dataclass(frozen=True)
class Settings:
    """The settings of one collection, checked."""

    root: Path
    inference_uri: str
    recordings: Path
    backbones: str | None
    """As the user has named them; None for the notebook's."""
    weights: Path | None
    geometry: str | None
    """None for the default."""
    labels: str | None
    species: Path | None
    device: str
    clock: Clock
    complete_when: list[str]
    quiet_minutes: float
    timezone: str
    created: str
    """`IGNORED`, `LOCAL`, or the zone that a creation time in UTC is turned into."""
    hosts: list[str]
    most_megapixels: float
    uses_postgres: bool
    knobs: Knobs

    @property
    def catalog(self) -> Catalog:
        """Where everything of the collection lies."""
        return Catalog(self.root)

    @property
    def timing(self) -> str:
        """Changes with whatever the times of rows are made from, besides their files; empty at the defaults."""
        chosen = (self.clock, self.created)
        if chosen == (Clock(CLIP_SECONDS, CLIP_FRAMES, None), IGNORED):
            return ""
        return sha256(repr(chosen).encode()).hexdigest()[:8]

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """The settings in these variables; an empty one counts as not set.

        Raises ValueError that names the variable, what it holds and what it may hold.
        """
        given = {name: environment[name] for name in VARIABLES if environment.get(name)}
        root = _plain("MEGAFISH_ROOT", _place("MEGAFISH_ROOT", given.get("MEGAFISH_ROOT", "data/demo")))
        catalog = Catalog(root)
        _require_whole("MEGAFISH_POSTGRES", given.get("MEGAFISH_POSTGRES", ""))
        if not re.match(r"postgresql(\+psycopg2)?://|$", given.get("MEGAFISH_POSTGRES", "")):
            raise ValueError("MEGAFISH_POSTGRES is no address that begins with postgresql+psycopg2://")
        weights = given.get("MEGAFISH_WEIGHTS")
        timezone = _zone("MEGAFISH_TIMEZONE", given.get("MEGAFISH_TIMEZONE", "UTC"))
        created = _choice("MEGAFISH_CREATED", given.get("MEGAFISH_CREATED", IGNORED), (IGNORED, LOCAL, "utc"))
        return cls(
            root=root,
            inference_uri=_address("MEGAFISH_INFERENCE", given.get("MEGAFISH_INFERENCE", str(catalog.inference))),
            recordings=_place("MEGAFISH_RECORDINGS", given.get("MEGAFISH_RECORDINGS", str(catalog.recordings))),
            backbones=given.get("MEGAFISH_BACKBONES"),
            weights=None if weights is None else _folder("MEGAFISH_WEIGHTS", weights),
            geometry=given.get("MEGAFISH_GEOMETRY"),
            labels=None if "MEGAFISH_LABELS" not in given else _address("MEGAFISH_LABELS", given["MEGAFISH_LABELS"]),
            species=None if "MEGAFISH_SPECIES" not in given else _file("MEGAFISH_SPECIES", given["MEGAFISH_SPECIES"]),
            device=_choice("MEGAFISH_DEVICE", given.get("MEGAFISH_DEVICE", "auto"), DEVICES),
            clock=Clock(
                clip_seconds=_number(
                    "MEGAFISH_CLIP_SECONDS", given.get("MEGAFISH_CLIP_SECONDS", str(CLIP_SECONDS)), float
                ),
                frames_per_clip=_number(
                    "MEGAFISH_CLIP_FRAMES", given.get("MEGAFISH_CLIP_FRAMES", str(CLIP_FRAMES)), int
                ),
                recording_start=_moment("MEGAFISH_RECORDING_START", given.get("MEGAFISH_RECORDING_START")),
                number_pattern=_pattern("MEGAFISH_NUMBER", given.get("MEGAFISH_NUMBER")),
            ),
            complete_when=[
                _choice("MEGAFISH_COMPLETE_WHEN", sign.strip(), SIGNS)
                for sign in given.get("MEGAFISH_COMPLETE_WHEN", ",".join(SIGNS)).split(",")
            ],
            quiet_minutes=_number(
                "MEGAFISH_QUIET_MINUTES", given.get("MEGAFISH_QUIET_MINUTES", str(QUIET_MINUTES)), float
            ),
            timezone=timezone,
            created=timezone if created == "utc" else created,
            most_megapixels=_number(
                "MEGAFISH_MEGAPIXELS", given.get("MEGAFISH_MEGAPIXELS", str(MOST_MEGAPIXELS)), float
            ),
            uses_postgres="MEGAFISH_POSTGRES" in given,
            hosts=_hosts("MEGAFISH_HOSTS", given.get("MEGAFISH_HOSTS")),
            knobs=Knobs.read(catalog.knobs),
        )


def _address(name: str, value: str) -> str:
    """An object store's address as it is, a path made absolute: Dagster's processes start in other folders."""
    _require_whole(name, value)
    return value if "://" in value else str(_plain(name, _place(name, value)))


def _place(name: str, value: str) -> Path:
    """An absolute path."""
    try:
        return Path(value).expanduser().absolute()
    except RuntimeError as error:  # ~nobody
        raise ValueError(f"{name} = {value!r}: {error}") from None


def _require_whole(name: str, value: str) -> None:
    """Refuses an address that ends early for whoever reads it, without showing what may be a secret."""
    if re.match(r"[a-z0-9+]+:/(?!/)", value):
        raise ValueError(f"{name} begins like an address with one slash: an address has two, as s3://bucket/table")
    if "://" in value and re.search(r"\s", value):
        raise ValueError(f"{name} is an address with a space in it: write that as %20")


def _plain(name: str, path: Path) -> Path:
    """The path, if Delta's readers find it: they take it for an address, a pattern or a partition's folder."""
    odd = sorted(set(re.findall(r"[\x00-\x1f\x7f%=*?#\[\]{}^|\\]", str(path))))
    if odd:
        raise ValueError(
            f"{name} = {str(path)!r} holds {' '.join(map(repr, odd))}, which a Delta table's path can't have: choose "
            "another folder, or a symbolic link without"
        )
    return path


def _folder(name: str, value: str) -> Path:
    folder = _place(name, value)
    if not folder.is_dir():
        raise ValueError(f"{name} = {value!r} is not a folder")
    return folder


def _file(name: str, value: str) -> Path:
    path = _place(name, value)
    if not path.is_file():
        raise ValueError(f"{name} = {value!r} is not a file")
    return path


def _choice(name: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise ValueError(f"{name} = {value!r}, allowed: {', '.join(allowed)}")
    return value


def _number(name: str, value: str, kind: type) -> float:
    try:
        number = kind(value)
    except ValueError as error:
        raise ValueError(f"{name} = {value!r}, expected a number above 0") from error
    if not 0 < number < float("inf"):
        raise ValueError(f"{name} = {value!r}, expected a number above 0")
    return number


def _zone(name: str, value: str) -> str:
    if value not in available_timezones():
        raise ValueError(f"{name} = {value!r}, expected the name of a time zone such as Europe/Lisbon")
    return value


def _hosts(name: str, value: str | None) -> list[str]:
    hosts = [] if value is None else [host.strip() for host in value.split(",")]
    for host in hosts:
        if not re.fullmatch(r"[\w.-]+(:\d+)?", host):
            raise ValueError(f"{name} = {value!r}: {host!r} is no host's name such as fish.example.org")
    return hosts


def _pattern(name: str, value: str | None) -> str | None:
    if value is None:
        return None
    try:
        n_groups = re.compile(value).groups
    except re.error as error:
        raise ValueError(f"{name} = {value!r} is no regular expression: {error}") from error
    if not n_groups:
        raise ValueError(rf"{name} = {value!r} has no group: put the number in brackets, as in dive_(\d+)")
    return value


def _moment(name: str, value: str | None) -> datetime | None:
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise ValueError(f"{name} = {value!r}, expected a local time such as 2025-12-12T13:30:00") from error
    if moment.tzinfo is not None:
        raise ValueError(f"{name} = {value!r}: give the camera's local time without a time zone")
    return moment
