"""House-wide rules, laid on every asset at once in `definitions.py`."""

from collections.abc import Mapping
from datetime import timedelta

import dagster as dg
from pydantic import Field

from megafish_assets.storage.catalog import asset_name
from megafish_assets.storage.partitions import VIDEO_COLUMN

LARGEST_SEED = 2**32 - 1
"""scikit-learn's; numpy would take more."""


def seed_knob(default: int, description: str) -> int:
    """The field of a `dg.Config` that seeds random choices."""
    return Field(default=default, ge=0, le=LARGEST_SEED, description=description)


def videos_asked(meaning: str) -> dict[str, dg.Field]:
    """The config of a job over some videos. A `dg.Config` would also take `{env: NAME}`, and tell what it holds."""
    description = f"Partition keys, as in the UI. {meaning}"
    return {"videos": dg.Field(dg.Array(dg.String), default_value=[], description=description)}


EVERY_NIGHT = dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=50), warn_window=timedelta(hours=26))
"""A night and two hours warns, two nights missed fail."""


ON_REQUEST = {"megafish/made": "on_request"}
"""The tag of assets that neither the night nor `make materialise` makes: whoever hands files on decides when they
change."""


MAY_LACK = {"megafish/without": "made_all_the_same"}
"""The tag of assets that may hold no row, and may fail: what follows does without them."""


REFUSED = "refused"
"""In the metadata of a `dg.Failure`: nothing is broken, a person has to say something first."""


def fixed(resources: Mapping[str, dg.ConfigurableResource | dg.ConfigurableIOManagerFactory]) -> dict:
    """These resources as a collection's owner has set them: whoever launches a run can't send it elsewhere, nor have a
    run tell what stands in its environment."""
    return {name: _fixed(resource) for name, resource in resources.items()}


def _fixed(resource: dg.ConfigurableResource | dg.ConfigurableIOManagerFactory) -> dg.ResourceDefinition:
    if isinstance(resource, dg.ConfigurableIOManagerFactory):
        return dg.IOManagerDefinition(resource.create_io_manager, config_schema={})
    return dg.ResourceDefinition(lambda _: resource, config_schema={})


def made_every_night(assets: list) -> list:
    """These assets, which the UI marks when a night did not make them."""
    return dg.map_asset_specs(lambda spec: spec.replace_attributes(freshness_policy=EVERY_NIGHT), assets)


def with_knobs(assets: list, versions: Mapping[str, str]) -> list:
    """These assets, whose code version changes with what the collection's file says of them, see `Knobs.versions`."""

    def versioned(spec: dg.AssetSpec) -> dg.AssetSpec:
        version = versions.get(asset_name(spec))
        return spec.replace_attributes(code_version=version) if version else spec

    return dg.map_asset_specs(versioned, assets)


def grouped(group: str, assets: list) -> list:
    """These assets in one group, which is also their folder in the package and their Delta schema."""

    def placed(spec: dg.AssetSpec) -> dg.AssetSpec:
        place = {"schema": group} | ({} if spec.partitions_def is None else {"partition_expr": VIDEO_COLUMN})
        return spec.replace_attributes(group_name=group, metadata={**spec.metadata, **place})

    return dg.map_asset_specs(placed, assets)
