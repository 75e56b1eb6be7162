"""Changes of the small model file that give it one fault each, and the line of `gensweep check` about that fault."""
# ruff: noqa: E501  the lines of a file, and those of a check, as they are

LOG = "            trial.log(loss=loss)\n"
KEEP = "    trial.keep(enc=enc, dec=dec, opt=opt, sched=sched)\n"
SAMPLER = '    trial.sampler(lambda n: dec(torch.randn(n, config["width"], device=trial.device)))\n'
LOOP = "    for epoch in trial.epochs():\n"
HEAD = "import torch\nfrom torch import nn\n"
MEASURE = '    trial.measure(lambda x, y: {"error": error(x)})\n'
FAULTS = {
    "syntax": ([("def space(trial):", "def space(trial)")], "x my_model.py:7: expected ':'"),
    "name": ([(HEAD, HEAD + "x = device\n")], "x my_model.py:4: NameError: name 'device' is not defined"),
    "main": (
        [
            ("    n = torch", "    print(DEVICE)\n    n = torch"),
            ("        sched.step()\n", '        sched.step()\n\nif __name__ == "__main__":\n    DEVICE = 1\n'),
        ],
        'x my_model.py:12: train() uses DEVICE, which is only set under if __name__ == "__main__": workers never run that',
    ),
    "parse_args": (
        [(HEAD, HEAD + "import argparse\nARGS = argparse.ArgumentParser().parse_args()\n")],
        "x my_model.py:5: importing the file parses the command line",
    ),
    "writes": ([(HEAD, HEAD + "open('out.txt', 'w').close()\n")], "x my_model.py: importing the file writes out.txt"),
    "trains": (
        [(HEAD, HEAD + "nn.Linear(1, 1)(torch.ones(1, 1)).sum().backward()\n")],
        "x my_model.py:4: importing the file trains",
    ),
    "import": (
        [(HEAD, HEAD + "import my_layers\n")],
        "x my_model.py:4: import my_layers: not installed; a model file travels alone",
    ),
    "interface": ([("def train(", "def trains(")], "x my_model.py needs train(config, data, trial), and has none"),
    "signature": (
        [("def train(config, data, trial):", "def train(config, data):")],
        "x my_model.py: train(config, data) takes 2 arguments",
    ),
    "objective": ([('("fid", "min")', '"fid"')], 'x my_model.py: OBJECTIVE = \'fid\': write ("fid", "min")'),
    "no objective": ([('OBJECTIVE = ("fid", "min")\n', "")], "x my_model.py: needs OBJECTIVE"),
    "choices": (
        [(HEAD, HEAD + "import itertools\nCOUNT = itertools.count()\n"), ("[8, 16]", "[8, 16 + next(COUNT)]")],
        "width is one of [8, 1",
    ),
    "json": (
        [('"batch_size": 64', '"batch_size": 64, "loss": nn.MSELoss()')],
        "x my_model.py: loss = MSELoss: not a number, text or list",
    ),
    "drawn": (
        [('"batch_size": 64', '"batch_size": 64, "k": trial.suggest_int("m", 1, 2)')],
        "x my_model.py: space() draws m and does not return it",
    ),
    "epochs": ([(', "epochs": 2', "")], 'x my_model.py: space() must return "epochs"'),
    "read": (
        [('lr=config["lr"]', 'lr=config["learning_rate"]')],
        "x my_model.py:15: train() reads config['learning_rate']: unknown key 'learning_rate'",
    ),
    "unread": (
        [('lr=config["lr"]', "lr=1e-3")],
        "x my_model.py: space() offers lr, which train() never reads: the sweep would tune nothing",
    ),
    "unread fixed": (
        [('"batch_size": 64', '"batch_size": 64, "depth": 3')],
        "! my_model.py: space() returns depth, which train() never reads",
    ),
    "loop": (
        [(LOOP, "    for epoch in range(2):\n")],
        "x my_model.py: train() returned without a loop `for epoch in trial.epochs():`",
    ),
    "no row": ([('"fid"', '"val_f1"')], "x my_model.py: OBJECTIVE val_f1 is in no row; rows have loss, val_error"),
    "some rows": (
        [(LOG, LOG + "            if epoch == 0:\n                trial.log(first=loss)\n")],
        "x my_model.py: first is logged in epoch 0 and not in epoch 1",
    ),
    "nan": (
        [("loss = config", "loss = torch.tensor(float('nan') if config['lr'] == 1e-2 else 1.0) * config")],
        "x my_model.py: loss is nan at lr=0.01",
    ),
    "nothing learned": (
        [("loss.backward(), opt.step()", "loss.backward()"), ("        sched.step()\n", "")],
        "! my_model.py: no kept net or optimiser has changed",
    ),
    "nothing kept": ([(KEEP, "")], "! my_model.py: nothing is given to trial.keep()"),
    "training loss": ([('"fid"', '"loss"')], "! my_model.py: OBJECTIVE loss is measured on the training images"),
    "swept": (
        [('"fid"', '"val_error"'), (MEASURE, MEASURE.replace("error(x)}", 'config["weight"] * error(x)}'))],
        "x my_model.py: val_error reads weight, which is searched",
    ),
    "unrepeatable": (
        [
            (HEAD, HEAD + "import itertools\nCOUNT = itertools.count()\n"),
            (MEASURE, MEASURE.replace("error(x)}", "error(x) + next(COUNT)}")),
        ],
        "! my_model.py: val_error differs by 1 between two calls on the same images",
    ),
    "shape": (
        [(SAMPLER, SAMPLER.replace("dec(", "torch.zeros(n, 8, 8) + 0 * dec(").replace("dec(torch", "dec(torch"))],
        "sampler(8) gives",
    ),
    "type": (
        [(SAMPLER, SAMPLER.replace("trial.device)))", "trial.device)).round().long())"))],
        "x my_model.py: sampler(8) gives int64: floats in 0..1 are needed",
    ),
    "range": ([(SAMPLER, SAMPLER.replace("trial.device)))", "trial.device)) * 2 - 1)"))], "return (x + 1) / 2"),
    "nan samples": (
        [(SAMPLER, SAMPLER.replace("trial.device)))", "trial.device)) / 0 * 0)"))],
        "x my_model.py: 100% of the values of sampler(8) are nan or infinite",
    ),
    "n": (
        [(SAMPLER, SAMPLER.replace("torch.randn(n,", "torch.randn(64,"))],
        "x my_model.py: sampler(8) gives [64, 1, 8, 8]: [8, 1, 8, 8] is needed",
    ),
    "device": (
        [("to(trial.device)\n    dec", "cuda()\n    dec")],
        "x my_model.py:13: puts a tensor on the GPU by name: use .to(trial.device)",
    ),
    "device by name": (
        [("to(trial.device)\n    dec", "to('cuda:0')\n    dec")],
        "x my_model.py:13: names the device 'cuda:0': use trial.device",
    ),
    "files": (
        [(LOOP, LOOP + "        open('gan.png', 'w').close()\n")],
        "! my_model.py: writes gan.png: kept in the trial's own folder",
    ),
    "swallows": (
        [(LOG, "            try:\n    " + LOG + "            except Exception:\n                pass\n")],
        "! my_model.py:32: this except hides every error",
    ),
    "same seed": (
        [(HEAD, HEAD + "import time\n"), (LOG, LOG.replace("loss=loss", "loss=loss + time.time() % 1"))],
        "x my_model.py: two runs of seed 0 differ: loss",
    ),
    "other seed": (
        [
            (LOOP, LOOP + "        torch.manual_seed(42)\n"),
            ("    n = torch", "    torch.manual_seed(42)\n    n = torch"),
            ('data.train.batches(config["batch_size"])', "[(torch.ones(64, *data.shape), None)] * 3"),
        ],
        "x my_model.py:12: seeds 0 and 1 give the same rows",
    ),
    "not kept": (
        [(KEEP, KEEP.replace(", sched=sched", "")), ("0.5)", "0.05)")],
        "sched (ExponentialLR) is not in trial.keep()",
    ),
    "counter": (
        [
            (LOOP, "    enc.n_steps = 0\n" + LOOP),
            ("loss = config", "enc.n_steps += 1\n            loss = enc.n_steps * config"),
        ],
        "enc.n_steps is an ordinary attribute",
    ),
    "workers": (
        [
            (
                LOOP,
                "    torch.utils.data.DataLoader(data.train, num_workers=0, persistent_workers=False or False)\n    dict(persistent_workers=True)\n"
                + LOOP,
            )
        ],
        "! my_model.py:26: persistent_workers keeps its generators over epochs",
    ),
    "wandb": ([(LOOP, "    if False:\n        wandb.init()\n" + LOOP)], "! my_model.py:26: starts wandb itself"),
    "keep": ([(KEEP, KEEP.replace("opt=opt", "opt=3"))], "trial.keep(opt=...): a int has no state_dict()"),
    "log": (
        [(LOG, LOG.replace("loss=loss", "loss=error(x)"))],
        "x my_model.py:29: trial.log(loss=...): one number is needed, not [64]",
    ),
    "reserved": (
        [(LOG, LOG.replace("loss=loss", "epoch=loss"))],
        "x my_model.py:29: trial.log(epoch=...): rows have their own 'epoch'",
    ),
    "batch": ([('"batch_size": 64', '"batch_size": 5000')], "batches(5000): a batch has 1 to 1257 images"),
    "metric": (
        [(HEAD, HEAD + "import gensweep as gs\nMETRICS = {'bad': gs.Metric(lambda images, real: images[99999])}\n")],
        "x my_model.py: METRICS['bad']: IndexError",
    ),
    "metric arguments": (
        [(HEAD, HEAD + "import gensweep as gs\nMETRICS = {'bad': gs.Metric(lambda images: 0.0)}\n")],
        "METRICS['bad']: fn(images) takes 1 argument: (images, real) are given",
    ),
    "metric needs": (
        [(HEAD, HEAD + "import gensweep as gs\nMETRICS = {'bad': gs.Metric(lambda a, b: 0.0, needs='codes')}\n")],
        "METRICS['bad'] needs codes, which train() cannot give: use trial.measure(), or gs.Model()",
    ),
    "metric name": (
        [(HEAD, HEAD + "import gensweep as gs\nMETRICS = {'fid': gs.Metric(print)}\n")],
        "METRICS['fid']: gensweep has a metric of this name",
    ),
}
