"""The options of the commands that need a cluster file."""

import argparse
from collections.abc import Mapping


def cluster_options(made: Mapping[str, argparse.ArgumentParser]) -> None:
    cluster = made["cluster"]
    cluster.add_argument("action", metavar="ACTION", choices=("check", "up", "down"), help="check, up or down")
    for name in ("cluster", "submit", "fetch"):
        made[name].add_argument("cluster", metavar="FILE", help="a cluster file: cluster.yaml, deploy/onprem.yaml")
    cluster.add_argument("--wait", metavar="N", type=int, help="of up: nodes to wait for (default: those always there)")
    cluster.add_argument("--timeout", metavar="T", default="15m", help="of up: wait no longer for them (default: 15m)")
    cluster.epilog = "Check a sweep as well: gensweep cluster check FILE -- run gan --gpus-per-trial 0.25"
    cluster.usage = "gensweep cluster check|up|down FILE [--wait N] [--timeout T] [-- COMMAND ...]"
    made["submit"].usage = "gensweep submit FILE -- COMMAND ..."
    made["submit"].epilog = "The command to run there follows two dashes: gensweep submit FILE -- run gan --trials 24"
    made["fetch"].add_argument("name", metavar="NAME", help="the sweep's folder")
    made["fetch"].add_argument("-o", "--out", metavar="DIR", default="results", help="target folder (default: results)")
