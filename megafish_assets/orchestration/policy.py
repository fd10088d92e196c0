"""House-wide rules, laid on every asset at once in `definitions.py`."""

import dagster as dg

from megafish_assets.orchestration.partitions import VIDEO_COLUMN


def grouped(group: str, assets: list) -> list:
    """These assets in one group, which is also their folder in the package and their Delta schema."""

    def placed(spec: dg.AssetSpec) -> dg.AssetSpec:
        place = {"schema": group} | ({} if spec.partitions_def is None else {"partition_expr": VIDEO_COLUMN})
        return spec.replace_attributes(group_name=group, metadata={**spec.metadata, **place})

    return dg.map_asset_specs(placed, assets)
