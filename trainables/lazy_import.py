"""Load torch, and the entries of a registry, when they are first used.

The names of models, metrics, schemes and data sets are needed more often than the things themselves. `status`, `best`
and the message about a mistyped name would otherwise wait seconds for a library that they do not use. So the files of
metrics, schemes and data sets import torch from here, and use `torch.x` in functions only. A file that defines nets
imports torch itself.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

T = TypeVar("T")

if TYPE_CHECKING:
    import torch as torch
    from torch import Tensor as Tensor
else:
    Tensor = "torch.Tensor"  # in annotations only

    class _Torch:
        def __getattr__(self, name: str) -> Any:
            import torch as loaded

            value = getattr(loaded, name)
            setattr(self, name, value)  # the next look-up is as quick as that of the module
            return value

    torch = _Torch()


class Registry(Mapping[str, T]):
    """A mapping whose names are known at once; `load` returns the entry of a name when it is looked up."""

    def __init__(self, names: tuple[str, ...], load: Callable[[str], T]) -> None:
        self._names, self._load = names, load

    def __getitem__(self, name: str) -> T:
        if name not in self._names:
            raise KeyError(name)
        return self._load(name)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)
