"""The batches that a user's loop takes."""

import numpy as np
import pytest
import torch

from trainables.data.dataset import Dataset, Split
from trainables.errors import UserError
from trainables.user_model.data_view import DataView

N = 10


def view(epoch: int = 0, seed: int = 0) -> tuple[DataView, list[int]]:
    """Return a view of ten images, image i all of value i, and the list of the batches it will have counted."""
    pixels = np.arange(N, dtype=np.uint8)[:, None, None, None] * np.ones((1, 1, 2, 2), np.uint8)
    split, counted = Split(pixels, np.arange(N)), list[int]()
    data = Dataset("ten", tuple("abcdefghij"), split, split, split, "").to("cpu")
    return DataView(data, "cpu", seed, lambda: epoch, lambda n, total: counted.append(n)), counted


def numbers(batches: object) -> list[list[int]]:
    return [y.tolist() for _, y in batches]  # type: ignore[attr-defined]


def test_batches__one_pass() -> None:
    images, counted = view()
    batches = list(images.train.batches(3))
    assert counted == [3, 3, 3]
    assert len({label for _, y in batches for label in y.tolist()}) == 9  # type: ignore[union-attr]
    for x, y in batches:
        assert y is not None
        assert x.shape == (3, 1, 2, 2)
        torch.testing.assert_close(x[:, 0, 0, 0] * 255, y.float())


def test_batches__order_is_of_seed_epoch_and_call() -> None:
    first = numbers(view()[0].train.batches(5))
    assert numbers(view()[0].train.batches(5)) == first
    assert numbers(view(epoch=1)[0].train.batches(5)) != first
    assert numbers(view(seed=1)[0].train.batches(5)) != first
    images, _ = view()
    assert numbers(images.train.batches(5)) == first
    assert numbers(images.train.batches(5)) != first


def test_batches__steps_go_round() -> None:
    labels = [label for y in numbers(view()[0].train.batches(5, steps=5)) for label in y]
    assert sorted(labels[:10]) == sorted(labels[10:20]) == list(range(N))
    assert labels[:10] != labels[10:20]
    assert len(labels) == 25


def test_batches__again() -> None:
    images, counted = view()
    batches = images.train.batches(3)
    assert (len(batches), counted) == (3, [])
    assert numbers(batches) != numbers(batches)


def test_batches__held_out_ones_in_their_order() -> None:
    images, counted = view()
    assert numbers(images.val.batches(4)) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert numbers(images.val.batches(99)) == [list(range(N))]
    assert counted == []


def test_batches__without_labels() -> None:
    assert all(y is None for _, y in view()[0].train.batches(5, labels=False))


@pytest.mark.parametrize("size", [0, 11])
def test_batches__refused(size: int) -> None:
    with pytest.raises(UserError, match="a batch has 1 to 10 images"):
        view()[0].train.batches(size)


def test_images__an_ordinary_dataset() -> None:
    images, counted = view()
    x, y = images.train[4]
    assert (x.shape, y, counted) == ((1, 2, 2), 4, [])
    assert len(torch.utils.data.DataLoader(images.val, batch_size=5)) == 2
    assert (images.shape, images.n, images.classes[0]) == ((1, 2, 2), N, "a")


def test_images__a_batch_of_a_loader_is_read_at_once() -> None:
    images, _ = view()
    x, y = next(iter(torch.utils.data.DataLoader(images.train, batch_size=4)))
    assert y.tolist() == [0, 1, 2, 3]
    torch.testing.assert_close(x[:, 0, 0, 0] * 255, y.float())
