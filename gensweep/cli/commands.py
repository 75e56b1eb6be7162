"""The names of the commands, each with its line in --help."""

COMMANDS = {
    "run": "search; the same command again continues",
    "new": "write a model file that runs as it is, for your own model",
    "check": "a model file of your own: each fault in one line, before a sweep meets it",
    "plan": "predict trials, hours, disk and price of a run, from a probe of about a minute",
    "study": "train the arms of a fixed question; the same command again continues",
    "resume": "continue after a kill, a crash or a spent time budget",
    "extend": "more trials for a sweep, also a finished one, in the same space or a wider one",
    "stop": "end a running sweep after the trials that run now; resume continues it",
    "cancel": "end a running sweep now; resume continues the trials that ran",
    "status": "what is done, stopped, failed and open",
    "best": "the best configurations",
    "finalize": "prove the best: train them again from fresh seeds, and score them on the test split",
    "compare": "two sweeps at equal budget, and whether one is better",
    "report": "one page for a person, and its pictures",
    "sample": "draw images from the winner",
    "export": "the winner as a folder that stands alone: weights, Python file, model card",
    "ui": "optuna-dashboard over the sweep, with every trial's samples, on this machine alone",
    "cluster": "check a cluster file, bring the cluster up, take it down",
    "submit": "run any of these commands on a cluster; a search goes on there without you",
    "fetch": "copy a sweep from a cluster to this machine",
}
