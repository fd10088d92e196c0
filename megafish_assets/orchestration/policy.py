"""House-wide rules, laid on every asset at once in `definitions.py`."""

from datetime import timedelta

import dagster as dg
from pydantic import Field

from megafish_assets.orchestration.partitions import VIDEO_COLUMN

LARGEST_SEED = 2**32 - 1
"""scikit-learn's; numpy would take more."""


def seed_knob(default: int, description: str) -> int:
    """The field of a `dg.Config` that seeds random choices."""
    return Field(default=default, ge=0, le=LARGEST_SEED, description=description)


EVERY_NIGHT = dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=50), warn_window=timedelta(hours=26))
"""A night and two hours warns, two nights missed fail."""


def made_every_night(assets: list) -> list:
    """These assets, which the page marks when a night did not make them."""
    return dg.map_asset_specs(lambda spec: spec.replace_attributes(freshness_policy=EVERY_NIGHT), assets)


def grouped(group: str, assets: list) -> list:
    """These assets in one group, which is also their folder in the package and their Delta schema."""

    def placed(spec: dg.AssetSpec) -> dg.AssetSpec:
        place = {"schema": group} | ({} if spec.partitions_def is None else {"partition_expr": VIDEO_COLUMN})
        return spec.replace_attributes(group_name=group, metadata={**spec.metadata, **place})

    return dg.map_asset_specs(placed, assets)
