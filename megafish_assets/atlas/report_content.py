"""What the nightly report says, before it is written as HTML: plain values, of which each template shows some.

Not here: how they are found (`report_kinds.py`, `report_times.py`, `report_doubt.py`, `report_searched.py`), what the
animals do (`report_doing.py` holds its own), and how they look (`report_page/`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from megafish_assets.atlas.report_doing import Doing
from megafish_assets.labels.naming import UNNAMED


@dataclass(frozen=True)
class Kind:
    """A kind that was seen, by its name or its number."""

    name: str
    """As `abundance` calls it: a name, `kind 7`, or `unnamed`."""
    scientific_name: str | None
    kind_id: int | None
    """Of the group that most of its tracklets are in; None for none."""
    colour: str
    """`#rrggbb`."""
    name_source: str
    """Who named most of it: `person`, `classified`, `kind` or `unnamed`."""
    max_n: int
    max_n_video: str | None
    max_n_frame: int | None
    mean_count: float
    mean_count_low: float | None
    mean_count_high: float | None
    station: str | None
    """Where its MeanCount is highest, where there are stations."""
    n_tracklets: int
    n_clips: int
    """Videos in which it is seen."""
    clips_share: float
    """Of the searched videos."""
    n_animals: int
    """In the clips where it is sure, each counted alone: in the next one the same animal may come again."""
    n_sure_clips: int
    """Clips in which it is seen, and their number of animals sure."""
    first_seen: datetime | None
    """Local time; None where no clock is known."""
    last_seen: datetime | None
    first_video: str | None
    busiest_hour: int | None
    """Hour of the day in which its MeanCount is highest; None where no clock is known."""
    crops: tuple[str, ...]
    """Its best crops' `detection_id`s, the best first, of as many videos as can be."""

    @property
    def is_named(self) -> bool:
        """Whether people have named it."""
        return self.name != UNNAMED and self.name_source != UNNAMED

    @property
    def is_kind(self) -> bool:
        """Whether it is one kind, and not the rest of what has no name."""
        return self.name != UNNAMED


@dataclass(frozen=True)
class Searched:
    """How much video there is, and what of it was left out."""

    n_videos_known: int
    n_videos: int
    """Searched: with a count of something, or of nothing, in some frame."""
    seconds: float
    """Of video that the detector looked at, without what the wiper took."""
    n_frames: int
    wiped_share: float
    n_without_clock: int
    """Searched videos whose time of day is not known."""
    first: datetime | None
    last: datetime | None
    stations: tuple[tuple[str, int, float], ...]
    """Name, videos and seconds of each; empty where `recordings.csv` names none."""
    n_rows: int
    """Boxes that the detector wrote."""
    n_faulty: int
    faults: tuple[tuple[str, int], ...]
    """Why they can't be believed, the commonest first."""
    n_set_aside: int
    """Videos of which some crop could not be cut."""
    set_aside: tuple[str, ...]
    """The first of them."""
    n_tracklets: int
    n_counted: int
    left_out: tuple[tuple[str, int], ...]
    """Why tracklets do not count, and how many."""


@dataclass(frozen=True)
class Grid:
    """MeanCount of kinds in windows."""

    station: str | None
    kinds: tuple[str, ...]
    windows: tuple[str, ...]
    """What each column is called."""
    mean_counts: tuple[tuple[float | None, ...], ...]
    """`(kind, window)`; None where nothing was searched."""
    minutes: tuple[float, ...]
    """Searched in each window."""


@dataclass(frozen=True)
class Times:
    """When kinds were seen."""

    unit: str
    """Of `grids`: `hour` of the day, or `clip` where most that was searched has no clock."""
    grids: tuple[Grid, ...]
    """One a station, the longest searched first."""
    n_clips_a_window: int
    """How many clips a column joins; 1 for hours."""
    over_unit: str
    """Of `over`: `day`, `hour` or `clip`."""
    over: tuple[Grid, ...]
    """The same over the collection, in order."""
    n_stations_left_out: int
    n_kinds_left_out: int
    """From `grids`."""


@dataclass(frozen=True)
class Newcomer:
    """A kind that the last fit has, and none before."""

    kind_id: int
    name: str
    colour: str
    n_tracklets: int
    crops: tuple[str, ...]


@dataclass(frozen=True)
class Newcomers:
    """What has changed among the kinds since the night before."""

    is_first: bool
    """Whether there is nothing to compare with."""
    fitted_at: datetime | None
    """When the kinds last changed, UTC; None where there are none."""
    is_recent: bool
    """Whether that was since the night before."""
    born: tuple[Newcomer, ...]
    n_continued: int
    n_split: int
    n_merged: int
    n_gone: int


@dataclass(frozen=True)
class Stable:
    """How well a kind is found again when videos are drawn anew."""

    kind: str
    colour: str
    jaccard: float | None
    n_tracklets: int
    n_videos: int
    is_sure: bool


@dataclass(frozen=True)
class Leak:
    """How far the groups can be told from something that is not the fish."""

    what: str
    meaning: str
    value: float | None
    at_most: float

    @property
    def holds(self) -> bool:
        """Whether it is allowed, or unknown."""
        return self.value is None or self.value <= self.at_most


@dataclass(frozen=True)
class Recall:
    """What share of the animals in view the detector finds, as people saw it."""

    share: float | None
    low: float | None
    high: float | None
    n_frames: int
    n_frames_drawn: int
    """That wait for somebody to look, those that were looked at among them."""
    n_animals: int
    note: str


@dataclass(frozen=True)
class Richness:
    """How many kinds there may be, of which some were not seen."""

    station: str | None
    of: str
    n_observed: int
    chao2: float | None
    chao2_low: float | None
    chao2_high: float | None
    sample_coverage: float | None
    rarefied: float | None
    """At the coverage that all stations reach."""
    rarefied_coverage: float | None
    n_clips: int
    note: str | None


@dataclass(frozen=True)
class Doubt:
    """How sure it all is."""

    n_sure: int | None
    n_kinds_low: float | None
    n_kinds_high: float | None
    sentence: str | None
    """Of stability; None where it was not made of these clusters."""
    stable: tuple[Stable, ...]
    """Of what may be kinds of fish, the surest first."""
    n_no_fish: int
    """Groups that people call no fish."""
    leaks: tuple[Leak, ...]
    name_shares: tuple[tuple[str, int], ...]
    """Counted tracklets by who names them."""
    n_people: int
    """Whose labels these are."""
    n_labels: int
    """That stand, and say what it is or that it is no fish."""
    recall: Recall | None
    richness: tuple[Richness, ...]


@dataclass(frozen=True)
class Attention:
    """A check whose last result is outside its limits."""

    asset: str
    check: str
    meaning: str
    is_red: bool
    """Whether a contract is broken, so that what follows from it was not made."""
    points: tuple[tuple[str, str, str, str], ...]
    """Number with its value, what is allowed, why, and what to do."""
    text: str
    """The result in its own words, where no limits stand beside it."""


@dataclass(frozen=True)
class Report:
    """All of it."""

    collection: str
    made_at: datetime
    """UTC."""
    backbone: str
    searched: Searched
    kinds: tuple[Kind, ...]
    """The commonest first; what has neither name nor kind last."""
    times: Times
    doing: Doing
    newcomers: Newcomers
    doubt: Doubt
    attention: tuple[Attention, ...]
    links: Mapping[str, str]
    """Addresses of other pages from this one, by what they are called, as far as they are there."""
    sheets: Mapping[int, str]
    """Address of a kind's montage, by `kind_id`, likewise."""
    gap_page: str | None
    """Address of the page on which people mark what the detector missed, likewise."""

    @property
    def named(self) -> tuple[Kind, ...]:
        """Kinds that people have named."""
        return tuple(kind for kind in self.kinds if kind.is_named)

    @property
    def numbered(self) -> tuple[Kind, ...]:
        """Kinds that nobody has named."""
        return tuple(kind for kind in self.kinds if kind.is_kind and not kind.is_named)

    @property
    def unnamed(self) -> Kind | None:
        """What is in no kind and has no name."""
        return next((kind for kind in self.kinds if not kind.is_kind), None)
