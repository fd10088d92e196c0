"""The collection's own knobs: one file beside its tables, which the UI, the command line and the night share.

Here: how the file is read, and how its values become the defaults of an asset's launchpad. Not here: what a knob means,
which stands in the `Config` of its asset, and what an installation sets, see `settings.py`.
"""

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import ValidationError, create_model

from megafish_assets.footage.site import Site
from megafish_assets.storage.parts import KNOBS_VERSION

SCHEDULES = {"nightly": "02:00", "weekly": "sunday 05:00"}
"""The section `schedules`, in the collection's time zone: after the evening's dives, before the morning's look; and on
Sundays after the night's run."""

DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
"""In cron's order, from 0."""


OTHERS = ("schedules", "names", "site")
"""Sections that are no asset's."""


@dataclass(frozen=True)
class Knobs:
    """What stands in the file of a collection."""

    place: str
    """The file, for whoever has to correct it."""
    sections: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """By asset, without its backbone: the knobs that are not at megafish's own defaults."""

    @classmethod
    def read(cls, path: Path) -> "Knobs":
        """The collection's file; without one, no knob is set. Raises ValueError for what is no TOML, or no
        section of knobs."""
        if not path.exists() and not path.is_symlink():
            return cls(str(path))
        if not path.is_file():
            raise ValueError(f"{path} is no file that can be read")
        try:
            sections = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ValueError(f"{path} is not TOML: {error}") from None
        for name, section in sections.items():
            if not isinstance(section, dict):
                raise ValueError(f"{path}: {name} = {section!r} stands in no section: put it below [asset] or so")
        return cls(str(path), sections)

    def configs(self, stock: Mapping[str, type[dg.Config]]) -> dict[str, type[dg.Config]]:
        """The config of every asset that has one, by its name, with this collection's values as its defaults.

        Raises ValueError that names the file, the knob, what it holds and what it may hold.
        """
        unknown = sorted(self.sections.keys() - stock.keys() - {*OTHERS})
        if unknown:
            raise ValueError(f"{self.place}: no section [{unknown[0]}], out of: {', '.join([*OTHERS, *stock])}")
        return {asset: self._of(asset, config) for asset, config in stock.items()}

    def _of(self, asset: str, config: type[dg.Config]) -> type[dg.Config]:
        given = self.sections.get(asset, {})
        unknown = sorted(given.keys() - config.model_fields.keys())
        if unknown:
            known = ", ".join(config.model_fields)
            raise ValueError(f"{self.place}: [{asset}] has no knob {unknown[0]!r}, out of: {known}")
        if not given:
            return config
        try:
            checked = config(**given)
        except ValidationError as error:
            reasons = "; ".join(_told(one) for one in error.errors())
            raise ValueError(f"{self.place}: [{asset}] {reasons}") from None
        fields = {
            name: (
                config.model_fields[name].annotation,
                _with_default(config.model_fields[name], getattr(checked, name)),
            )
            for name in given
        }
        return create_model(config.__name__, __base__=config, __module__=config.__module__, **fields)

    def versions(self, stock: Mapping[str, type[dg.Config]]) -> dict[str, str]:
        """By asset, what changes with its knobs; none where all are at megafish's defaults. Raises as `configs`."""
        configs, versions = self.configs(stock), {}
        for asset, config in stock.items():
            fields, changed_fields = config.model_fields, configs[asset].model_fields
            moved = {
                name: changed_fields[name].default
                for name in changed_fields
                if changed_fields[name].default != fields[name].default
            }
            if moved:
                versions[asset] = KNOBS_VERSION + json.dumps(moved, sort_keys=True)
        return versions

    def naming_backbone(self, backbones: Sequence[str]) -> str:
        """The backbone whose kinds people name: `backbone` of the section `names`, else the first of these.

        Raises ValueError for another.
        """
        given = self.sections.get("names", {})
        if unknown := sorted(given.keys() - {"backbone"}):
            raise ValueError(f"{self.place}: [names] has no {unknown[0]!r}, out of: backbone")
        chosen = given.get("backbone", backbones[0])
        if chosen not in backbones:
            raise ValueError(f"{self.place}: [names] backbone = {chosen!r}, out of: {', '.join(backbones)}")
        return chosen

    def site(self) -> Site:
        """What the section `site` says of camera and terms. Raises ValueError that names what it may hold."""
        given = self.sections.get("site", {})
        if unknown := sorted(given.keys() - Site.model_fields.keys()):
            known = ", ".join(Site.model_fields)
            raise ValueError(f"{self.place}: [site] has no {unknown[0]!r}, out of: {known}")
        try:
            return Site(**given)
        except ValidationError as error:
            reasons = "; ".join(_told(one) for one in error.errors())
            raise ValueError(f"{self.place}: [site] {reasons}") from None

    def cron(self, schedule: str) -> str:
        """When one of `SCHEDULES` runs, as cron writes it. Raises ValueError."""
        given = self.sections.get("schedules", {})
        if unknown := sorted(given.keys() - SCHEDULES.keys()):
            raise ValueError(f"{self.place}: [schedules] has no {unknown[0]!r}, out of: {', '.join(SCHEDULES)}")
        at, expected = given.get(schedule, SCHEDULES[schedule]), SCHEDULES[schedule]
        found = re.fullmatch(r"(?:([a-z]+) )?([01]?\d|2[0-3]):([0-5]\d)", str(at).lower())
        is_weekly = " " in expected
        if found is None or (found[1] in DAYS) != is_weekly or (found[1] is not None and not is_weekly):
            raise ValueError(f"{self.place}: [schedules] {schedule} = {at!r}, expected a time such as {expected!r}")
        return f"{int(found[3])} {int(found[2])} * * {DAYS.index(found[1]) if is_weekly else '*'}"


def _with_default(known, value: Any):
    """A knob with another default, and its bounds and description as they are."""
    changed = copy(known)
    changed.default = value
    return changed


def _told(error: Mapping[str, Any]) -> str:
    knob = ".".join(map(str, error["loc"]))
    return f"{knob} = {error['input']!r}: {error['msg'].removeprefix('Value error, ')}" if knob else error["msg"]
