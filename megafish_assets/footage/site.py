"""What the owner of a collection says of its camera and of its publication: the section `site` of megafish.toml.

A line of `recordings.csv` says otherwise of its file. Nothing here has a default that somebody might take for a fact:
what is not said is None, and who needs it refuses and names it.
"""

from typing import Literal
from zoneinfo import available_timezones

from pydantic import BaseModel, ConfigDict, Field, field_validator

from megafish_assets.footage.recordings import BOUNDS

LICENCES = {
    "CC0-1.0": "http://creativecommons.org/publicdomain/zero/1.0/legalcode",
    "CC-BY-4.0": "http://creativecommons.org/licenses/by/4.0/legalcode",
    "CC-BY-NC-4.0": "http://creativecommons.org/licenses/by-nc/4.0/legalcode",
}
"""The three that GBIF and OBIS take, by their SPDX names, with the addresses that GBIF knows them by."""


DESIGNS = ("simpleRandom", "systematicRandom", "clusteredRandom", "experimental", "targeted", "opportunistic")
"""Camtrap DP's, after Wearn & Glover-Kapfer 2017, doi:10.13140/RG.2.2.23409.17767, pages 80 to 82."""


def _between(name: str, what: str) -> float | None:
    low, high = BOUNDS[name]
    return Field(default=None, ge=low, le=high, description=what)


class Site(BaseModel):
    """Where the camera stands, and under which terms its data are given away."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", str_strip_whitespace=True, str_min_length=1, allow_inf_nan=False
    )

    title: str | None = Field(default=None, description="Of the data set, as a reader finds it.")
    abstract: str | None = Field(default=None, description="What the data set holds, in a few sentences.")
    station: str | None = Field(default=None, description="Where the camera stands, by name.")
    latitude: float | None = _between("latitude", "Degrees north of the camera.")
    longitude: float | None = _between("longitude", "Degrees east of the camera.")
    datum: str | None = Field(default=None, description="Of both, as `EPSG:4326`, or `WGS84`, a GPS's own.")
    uncertainty_m: float | None = Field(default=None, gt=0, description="How far the place may be off, metres.")
    depth: float | None = _between("depth", "Metres of water above the camera.")
    time_zone: str | None = Field(default=None, description="Of the camera's clock, as `Europe/Lisbon`.")
    institution: str | None = Field(default=None, description="Whose data these are, by name or code.")
    collection: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9._-]+$",
        description="A short code that all ids begin with, behind the institution's; never another for the same data.",
    )
    contact: str | None = Field(default=None, description="Who answers for the data, by name.")
    email: str | None = Field(default=None, pattern=r"^[^@\s]+@[^@\s]+$", description="Where that person is reached.")
    licence: Literal["CC0-1.0", "CC-BY-4.0", "CC-BY-NC-4.0"] | None = Field(
        default=None, description="The terms under which the data may be used."
    )
    protocol: str | None = Field(default=None, description="How was sampled, in a sentence or by an address.")
    media: str | None = Field(
        default=None,
        pattern=r"^https?://\S+$",
        description="Address that video files lie under, for everybody, and for good.",
    )
    media_licence: str | None = Field(
        default=None, description="The terms of the video files, as `CC-BY-4.0`, or the address of others."
    )
    sampling_design: Literal[DESIGNS] | None = Field(
        default=None, description="How places were chosen, in the words of Camtrap DP."
    )
    capture_method: Literal["activityDetection", "timeLapse"] | None = Field(
        default=None, description="What started the camera: something that moved, or the clock."
    )
    taxon: str | None = Field(
        default=None, description="What everything that nobody has named surely is, as `Actinopterygii`."
    )
    taxon_aphia_id: int | None = Field(default=None, gt=0, description="Its number in the World Register.")
    absences: bool = Field(
        default=True, description="Whether Darwin Core says absent of what was searched for by name and not seen."
    )
    events: Literal["clip", "hour"] = Field(default="clip", description="What is counted over, in Darwin Core.")

    @field_validator("time_zone")
    @classmethod
    def _is_a_zone(cls, zone: str | None) -> str | None:
        if zone is not None and zone not in available_timezones():
            raise ValueError("expected the name of a time zone such as Europe/Lisbon")
        return zone
