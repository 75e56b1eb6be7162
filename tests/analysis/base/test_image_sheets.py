"""Sheets of images as PNG, there and back."""

import numpy as np

from analysis.base import image_sheets


def test_image_sheets__round_trip() -> None:
    images = np.random.default_rng(0).integers(0, 256, (6, 3, 4, 5), dtype=np.uint8)
    assert (
        image_sheets.split_sheet(image_sheets.encode_png(image_sheets.make_sheet(images, 3)), (3, 4, 5)) == images
    ).all()
    assert image_sheets.make_sheet(images, 3, 2).shape == (4 + 2 + 4, 5 + 2 + 5 + 2 + 5, 3)
    assert (image_sheets.make_sheet(images[:5], 3)[4:, 10:] == 255).all()


def test_image_sheets__of_any_number_of_channels() -> None:
    for channels, shown in ((1, 1), (2, 1), (3, 3), (4, 3), (5, 3)):
        images = np.random.default_rng(0).integers(0, 256, (6, channels, 4, 5), dtype=np.uint8)
        png = image_sheets.encode_png(image_sheets.make_sheet(images, 3))
        assert (image_sheets.split_sheet(png, (channels, 4, 5)) == images[:, :shown]).all()
    assert image_sheets.describe_shown(2) == "the first of 2 channels, as grey"
    assert image_sheets.describe_shown(5) == "the first 3 of 5 channels, as colours"
    assert image_sheets.describe_shown(3) == ""
