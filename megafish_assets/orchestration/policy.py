"""House-wide rules, laid on every asset at once in `definitions.py`."""

import dagster as dg
from pydantic import Field

from megafish_assets.orchestration.partitions import VIDEO_COLUMN

LARGEST_SEED = 2**32 - 1
"""scikit-learn's; numpy would take more."""


def seed_knob(default: int, description: str) -> int:
    """The field of a `dg.Config` that seeds random choices."""
    return Field(default=default, ge=0, le=LARGEST_SEED, description=description)


def grouped(group: str, assets: list) -> list:
    """These assets in one group, which is also their folder in the package and their Delta schema."""

    def placed(spec: dg.AssetSpec) -> dg.AssetSpec:
        place = {"schema": group} | ({} if spec.partitions_def is None else {"partition_expr": VIDEO_COLUMN})
        return spec.replace_attributes(group_name=group, metadata={**spec.metadata, **place})

    return dg.map_asset_specs(placed, assets)
