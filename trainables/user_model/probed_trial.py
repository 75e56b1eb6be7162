"""The trial of a probe: it notes what a user's `train` has when its epochs loop begins, and what training changes."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import Any

from torch import nn

from trainables.user_model import kept
from trainables.user_model.trial import Trial

N_BATCHES = 2  # of the first epoch; later ones have one, since a batch of a large net takes seconds


class ProbedTrial(Trial):
    """A trial that looks at the user's `train` when its epochs loop begins."""

    n_batches = N_BATCHES
    locals_then: Mapping[str, Any] = {}
    states_then: Mapping[str, Any] = {}
    counters_then: Mapping[str, Any] = {}
    others_then: Mapping[str, str] = {}
    began_s = 0.0
    file_name: str | None = None

    def others(self) -> dict[str, Any]:
        """Return the variables of `train` that have a state and are not kept."""
        items = self.kept_objects.values()
        kept_ids = {id(part) for item in items for part in (item.modules() if isinstance(item, nn.Module) else (item,))}
        return {
            name: value
            for name, value in self.locals_then.items()
            if not isinstance(value, type)
            and hasattr(value, "state_dict")
            and hasattr(value, "load_state_dict")
            and id(value) not in kept_ids
        }

    @property
    def most_batches(self) -> int:
        """The number of batches of a loop over `data`."""
        return self.n_batches if self.open_epoch == 0 else 1

    def start_loop(self) -> bool:
        """Note the variables of the function whose loop begins here, then begin it as ever."""
        self.locals_then = self._variables()
        self.began_s = time.perf_counter()
        self.states_then = kept.states(self.kept_objects)
        self.others_then = {name: str(item.state_dict()) for name, item in self.others().items()}
        self.counters_then = counters(self.kept_objects)
        return super().start_loop()

    def _variables(self) -> dict[str, Any]:
        """Return the variables of the user's function that is executed now: the innermost one, in the user's file."""
        frame = sys._getframe(1)
        while frame.f_code.co_filename != self.file_name and frame.f_back is not None:
            frame = frame.f_back
        return dict(frame.f_locals)


def counters(objects: Mapping[str, Any]) -> dict[str, Any]:
    """Return the plain numbers that kept nets hold as ordinary attributes, `net.name` -> value."""
    nets = ((name, item) for name, item in objects.items() if isinstance(item, nn.Module))
    return {
        f"{name}.{path + '.' if path else ''}{key}": value
        for name, net in nets
        for path, module in net.named_modules()
        for key, value in vars(module).items()
        if type(value) in (int, float) and not key.startswith("_")
    }


def not_kept(trial: ProbedTrial) -> list[str]:
    """Return what `train` has with a state that is not kept, and the counters on kept nets that have changed."""
    named = [
        f"{name} ({type(item).__name__}) is not in trial.keep()"
        for name, item in trial.others().items()
        if str(item.state_dict()) != trial.others_then.get(name)
    ]
    changed = [name for name, value in counters(trial.kept_objects).items() if trial.counters_then.get(name) != value]
    return named + [f"{name} is an ordinary attribute: register a buffer, or keep(state={{...}})" for name in changed]
