"""A small collection whose every number is known by hand.

```
v0  12:00:00  frames 0..29   1..9  sergeant (person), twice at once in 0..9;  10..29  kind 3;   0..29 growth on the lens
v1  12:00:10  frames 0..29   0..29 tang (classified at 0.9)
v2  13:00:00  frames 0..29   0..29 unnamed
```
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import polars as pl

from megafish_assets.exports.collecting import boxes_table, kinds_table, species_names, videos_table
from megafish_assets.exports.tables import BoxStream, ExportTables
from megafish_assets.footage.columns import empty_table
from megafish_assets.footage.recordings import OWNERS_TABLE
from megafish_assets.footage.site import Site
from megafish_assets.labels.columns import WORDS
from megafish_assets.labels.species import SPECIES
from megafish_assets.sightings.naming import TAXON, taxa, tracklet_names
from megafish_assets.sightings.windows import Origin, abundance
from megafish_assets_tests.sightings.made import counts, sightings, tracklet

NOON = datetime(2025, 6, 1, 12)
MADE_AT = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
SERGEANT, SERGEANT_MAJOR, TANG = "sergeant", "sergeant major", "yellow tang"
RECIPE = '{"grouping": "consensus", "k": [10, 20], "space": "diffusion"}'
ORIGIN = Origin("vit", RECIPE, "l1")
SITE = Site(
    title="Reef camera",
    abstract="What a camera saw.",
    station="north pier",
    latitude=38.69,
    longitude=-9.21,
    datum="EPSG:4326",
    uncertainty_m=30,
    depth=4.5,
    time_zone="Europe/Lisbon",
    institution="IMAR",
    collection="reefcam",
    contact="A. Person",
    email="a@example.org",
    licence="CC-BY-4.0",
    protocol="Fixed camera, all frames searched by a detector.",
    media="https://media.example.org/reefcam/",
    media_licence="CC-BY-4.0",
    sampling_design="targeted",
    capture_method="timeLapse",
    taxon="Actinopterygii",
    taxon_aphia_id=10194,
)
OTHER, FAR = (400.0, 500.0, 60.0, 30.0), (700.0, 200.0, 50.0, 25.0)


def rows() -> pl.DataFrame:
    """Valid rows with `tracklet_id`, `reason` and `place_id`."""
    late = NOON + timedelta(hours=1)
    parts = [
        tracklet(1, range(30), start=NOON),
        tracklet(2, range(20), OTHER, start=NOON),
        tracklet(3, range(10, 30), FAR, start=NOON),
        tracklet(4, range(30), (10.0, 900.0, 80.0, 80.0), start=NOON, reason="on_lens"),
        tracklet(1, range(30), video="v1", start=NOON + timedelta(seconds=10)),
        tracklet(1, range(30), video="v2", start=late),
    ]
    return pl.concat(parts)


def named() -> pl.DataFrame:
    """The columns `NAMES`."""
    said = [
        ("v0/t00001", SERGEANT, 1.0, "person", 1),
        ("v0/t00002", SERGEANT, 1.0, "person", 1),
        ("v0/t00003", None, 0.3, "unnamed", 3),
        ("v1/t00001", TANG, 0.9, "classified", 2),
    ]
    names = ["tracklet_id", "name", "probability", "name_source", "kind_id"]
    return tracklet_names(pl.DataFrame(said, names, orient="row"))


def with_two_names() -> ExportTables:
    """With the animal of v1 under another name of the sergeants' species, so that this has one in v0 and one in v1."""
    other = pl.when(tracklet_id="v1/t00001")
    said = named().with_columns(
        other.then(pl.lit(SERGEANT_MAJOR)).otherwise("name").alias("name"),
        other.then(pl.lit("abudefduf saxatilis")).otherwise("scientific_name").alias("scientific_name"),
    )
    return tables(names=said)


def words(name: str = SERGEANT) -> pl.DataFrame:
    """The columns `WORDS`: what a person said of two tracklets."""
    said = [
        (f"v0/t{n:05d}", name, "Abudefduf saxatilis", 159288, "approved", "A. Person", MADE_AT, 1, 0) for n in (1, 2)
    ]
    return pl.DataFrame(said, {name: column.dtype for name, column in WORDS.items()}, orient="row")


def glimpsed(site: Site = SITE) -> ExportTables:
    """With one more in v1: a sergeant for five frames, a sixth of a second, which is too short to count."""
    brief = tracklet(2, range(5), OTHER, video="v1", start=NOON + timedelta(seconds=10))
    like_another = named().filter(tracklet_id="v0/t00001").with_columns(tracklet_id=pl.lit("v1/t00002"))
    return tables(site, pl.concat([rows(), brief]), names=pl.concat([named(), like_another]))


def tables(
    site: Site = SITE,
    given: pl.DataFrame | None = None,
    owners: pl.DataFrame | None = None,
    name: str = SERGEANT,
    names: pl.DataFrame | None = None,
) -> ExportTables:
    """All of it; `owners` holds the columns `OWNERS_TABLE`, by which sightings are counted too, `names` the columns
    `NAMES`."""
    given = rows() if given is None else given
    names = named() if names is None else names
    names = names.with_columns(pl.col("name").replace(SERGEANT, name))
    species = pl.DataFrame([(TANG, "Zebrasoma flavescens", 219674, "Acanthuridae")], list(SPECIES), orient="row")
    known = species_names(species, words(name))
    owners = empty_table(OWNERS_TABLE) if owners is None else owners
    said = owners.drop_nulls("station").select(pl.col("file").str.strip_suffix(".mp4"), "station")
    stations = dict(said.iter_rows())
    seen = sightings(given, names, stations=stations)
    counted = abundance(counts(given, seen, stations=stations), taxa(seen.select(TAXON)), ORIGIN)
    files = given["video_file"].unique()
    valid = given.lazy().with_columns(fault=pl.lit(None, pl.String))
    rates, sizes = dict.fromkeys(files, 30.0), dict.fromkeys(files, (1920, 1080))
    videos = videos_table(valid, counted, rates, sizes, owners, site)

    def boxes(of_videos: Sequence[str]) -> pl.DataFrame:
        own = given.filter(pl.col("video").is_in(list(of_videos)))
        bare = own.drop("tracklet_id", "reason", "place_id")
        return boxes_table(bare, own, own, seen, videos)

    batches = [[video] for video in given["video"].unique().sort()]
    kinds = kinds_table(seen, known)
    return ExportTables(videos, BoxStream(batches, boxes), seen, counted, kinds, words(name), site, ORIGIN, MADE_AT)
