"""Metrics that are slow are measured if the user names them by `--also`."""

import pytest

from gensweep.config.options import Options
from gensweep.config.resolve import make_manifest
from gensweep.errors import UserError
from gensweep.sweep.evaluation import evaluation_schedule
from trainables.metrics import METRICS


def test_also__reaches_the_evaluator() -> None:
    manifest = make_manifest(Options("cgan", also=["cas", "cas"]), [])
    assert evaluation_schedule(manifest)["also"] == ("cas",)
    assert evaluation_schedule(make_manifest(Options("cgan"), []))["also"] == ()
    assert [METRICS["cas"].is_due(last, requested=True) for last in (True, False)] == [True, True]
    assert not METRICS["cas"].is_due(last=True, requested=False)


def test_also__unknown_metric() -> None:
    with pytest.raises(UserError, match=r"unknown metric measured on request 'fid' \(known: cas\)"):
        make_manifest(Options("cgan", also=["fid"]), [])


def test_also__still_no_objective() -> None:
    with pytest.raises(UserError, match=r"metric cas is measured on request only \(--also cas\), so it cannot be"):
        make_manifest(Options("cgan", also=["cas"], objective="cas"), [])
