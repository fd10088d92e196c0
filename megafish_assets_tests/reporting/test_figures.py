"""Pictures as files: what an asset drew last is what its folder holds."""

from pathlib import Path

import dagster as dg
import pytest

from megafish_assets.reporting.figures import Figures


def test_pictures_of_an_earlier_run_go_and_a_persons_own_folder_stays(tmp_path: Path) -> None:
    figures, key = Figures(folder=str(tmp_path)), dg.AssetKey("montages_b")
    figures.replace_all(key, {"one.png": b"1", "two.png": b"2"})
    kept = tmp_path / "montages_b" / "chosen by hand"
    kept.mkdir()
    figures.replace_all(key, {"two.png": b"new"})
    assert sorted(path.name for path in kept.parent.iterdir()) == ["chosen by hand", "two.png"]
    assert (kept.parent / "two.png").read_bytes() == b"new"


def test_a_new_folder_takes_the_place_of_the_old_as_a_whole_and_only_when_it_is_done(tmp_path: Path) -> None:
    figures, key = Figures(folder=str(tmp_path / "figures")), dg.AssetKey("review")
    for content in ("first", "second"):
        with figures.new_folder(key) as folder:
            (folder / f"{content}.html").write_text(content)
            assert not (figures.place(key) / f"{content}.html").exists()
        assert [path.name for path in figures.place(key).iterdir()] == [f"{content}.html"]
    with pytest.raises(OSError, match="disk full"), figures.new_folder(key) as folder:
        (folder / "third.html").write_text("third")
        raise OSError("disk full")
    assert [path.name for path in figures.place(key).iterdir()] == ["second.html"]
    assert [path.name for path in (tmp_path / "figures").iterdir()] == ["review"]
