"""The configurations by which the findings are calibrated; see diagnosis_trainings.py."""

from lib.diagnosis_trainings import NO_RAMP, RAISED, STALE, Case

FAST = {"width": 16, "lr_g": 2e-3, "lr_d": 2e-3}  # 800 steps make a generator of digits old enough to judge
SMALL = {"net": "mlp", "width": 64, "d_norm": "none", "lr_g": 2e-3, "lr_d": 2e-3}
SOUND = {"net": "mlp", "width": 128, "d_norm": "spectral", "lr_g": 2e-3, "lr_d": 2e-3}
MNIST = {"width": 16, "lr_g": 1e-3, "lr_d": 1e-3, "steps_per_epoch": 260}
TWO = (1, 2)
# Seed 3, and sound seeds above 100, were trained after the thresholds were set. The rule of a missing class was changed
# after that; for it, seeds 4 and 5 and sound seeds 108 and 109 are new.
THREE = (1, 2, 3)

FAULTS = [
    Case("d_won", "gan", {**SMALL, "lr_d": 1e-2, "lr_g": 1e-4}, TWO),
    Case("d_won", "gan", {**SMALL, "scheme": "hinge", "lr_d": 1e-2, "lr_g": 1e-4}, TWO),
    Case("d_won", "cgan", {**SMALL, "lr_d": 1e-2, "lr_g": 1e-4}, TWO),
    Case("late_collapse", "gan", {**SMALL, "ema": 0}, TWO, 12, change=RAISED),
    Case("late_collapse", "cgan", {**FAST, "d_norm": "none", "ema": 0}, TWO, 12, change=RAISED),
    Case("one_image", "cgan", {**FAST, "label_dim": 100, "d_cond": "projection", "d_norm": "none"}, THREE),
    Case("one_image", "cgan", {**FAST, "label_dim": 100, "d_norm": "none"}, TWO),
    Case("label_ignored", "cgan", FAST, THREE, change="labels shuffled"),
    Case("class_missing", "cgan", FAST, (1, 2, 3, 4, 5), change="no images of class 9"),
    Case("range", "gan", {"net": "pyramid", "width": 64, "out": "tanh", "d_norm": "none"}, TWO),
    Case("range", "gan", {**FAST, "out": "tanh"}, TWO),
    Case("range", "gan", {**FAST, "out": "tanh"}, TWO, change="samples not clamped"),
    Case("scale", "gan", FAST, TWO, change="samples halved"),
    Case("scale", "cgan", FAST, TWO, change="samples halved"),
    Case("stale_average", "gan", {**FAST, "ema": 0.999}, THREE, change=STALE),
    Case("stale_average", "gan", {**FAST, "ema": 0.9999}, TWO, epochs=4, change=NO_RAMP),
    Case("saturated", "gan", {**SMALL, "scheme": "minimax", "lr_d": 1e-2, "lr_g": 1e-4}, TWO),
    Case("saturated", "cgan", {**SMALL, "scheme": "minimax", "lr_d": 1e-2, "lr_g": 1e-4}, TWO),
    Case("young", "gan", {"width": 16, "lr_g": 2e-5, "lr_d": 2e-5}, TWO),
    Case("young", "gan", {**FAST}, TWO, epochs=3),
]
HEALTHY = [
    Case("", "gan", FAST, (11, 12, 13)),
    Case("", "cgan", FAST, (14, 15, 16)),
    Case("", "gan", {**SOUND}, (17, 18, 19)),
    Case("", "cgan", {**SOUND}, (20, 21)),
    Case("", "gan", {**FAST, "ema": 0}, (22, 23)),
    Case("", "gan", {**FAST, "ema": 0.99}, (24, 25)),
    Case("", "cgan", {**FAST, "ema": 0}, (26, 27)),
    Case("", "gan", {**FAST, "scheme": "hinge", "d_norm": "spectral"}, (28, 29, 30)),
    Case("", "gan", {**FAST, "d_norm": "spectral"}, (31, 32)),
    Case("", "cgan", {**FAST, "d_norm": "spectral", "d_cond": "projection"}, (33, 34)),
    Case("", "gan", {**FAST, "lr_g": 2e-3, "lr_d": 1e-3}, (35, 36)),
    Case("", "gan", {**FAST, "d_steps": 2}, (37, 38)),
    Case("", "cgan", {**FAST, "label_smoothing": 0.1}, (39, 40)),
    Case("", "gan", {**FAST, "scheme": "minimax"}, (41, 42)),
    Case("", "gan", {**FAST, "pack": 2}, (43, 44)),
    Case("", "gan", {**FAST, "scheme": "least_squares", "d_norm": "spectral"}, (45, 46)),
    Case("", "gan", {**SOUND, "scheme": "hinge"}, (47, 48)),
    Case("", "gan", {**SOUND, "d_norm": "none", "penalty": "r1", "penalty_weight": 1}, (49, 50)),
    Case("", "gan", {**FAST, "lr_decay": 0.5}, (51, 52)),
    Case("", "cgan", {**FAST, "latent_dim": 64, "beta1": 0.3}, (53, 54)),
    Case("", "vae", {"lr": 2e-3}, (61, 62)),
    Case("", "cvae", {"lr": 2e-3}, (63, 64)),
    Case("", "cgan", {**FAST, "lr_d": 1e-3}, (81, 82)),
    Case("", "cgan", {**FAST, "label_dim": 20, "ema": 0.99}, (83, 84)),
    Case("", "cgan", FAST, (101, 102, 103)),
    Case("", "cgan", SOUND, (104, 105, 108, 109)),
    Case("", "gan", FAST, (106,)),
    Case("", "gan", SOUND, (107,)),
    Case("", "gan", MNIST, (71, 72), 6, dataset="mnist"),
    Case("", "cgan", MNIST, (73,), 6, dataset="mnist"),
]
