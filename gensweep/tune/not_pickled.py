"""Objects of the driver that Ray Tune holds."""

from typing import Any


class NotPickled:
    """Leave an object's state out of Tune's snapshots: Tune pickles its whole set-up, and no launch reads that file."""

    def __getstate__(self) -> dict[str, Any]:
        return {}
