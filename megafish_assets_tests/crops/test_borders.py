"""The rim of a crop."""

import numpy as np

from megafish_assets.crops.borders import N_BORDER, border_matrix, border_of


def test_a_border_is_the_rim_and_not_the_middle() -> None:
    picture = np.full((64, 128, 3), (10, 20, 30), np.uint8)
    picture[4:-4, 8:-8] = 255  # all cells but the outermost
    border = border_of(picture)
    assert len(border) == N_BORDER
    assert np.allclose(border_matrix([border])[0].reshape(-1, 3) * 255, [10, 20, 30])


def test_a_crop_of_one_pixel_has_a_border_and_no_crops_have_none() -> None:
    assert set(border_of(np.full((1, 1, 3), 7, np.uint8))) == {7}
    assert border_matrix([]).shape == (0, N_BORDER)
