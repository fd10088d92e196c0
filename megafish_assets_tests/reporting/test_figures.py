"""Pictures as files: what an asset drew last is what its folder holds."""

from pathlib import Path

import dagster as dg

from megafish_assets.reporting.figures import Figures


def test_pictures_of_an_earlier_run_go_and_a_persons_own_folder_stays(tmp_path: Path) -> None:
    figures, key = Figures(folder=str(tmp_path)), dg.AssetKey("montages_b")
    figures.replace_all(key, {"one.png": b"1", "two.png": b"2"})
    kept = tmp_path / "montages_b" / "chosen by hand"
    kept.mkdir()
    figures.replace_all(key, {"two.png": b"new"})
    assert sorted(path.name for path in kept.parent.iterdir()) == ["chosen by hand", "two.png"]
    assert (kept.parent / "two.png").read_bytes() == b"new"
