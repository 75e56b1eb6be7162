"""Extractors that a user chooses: random convolutions, and nets with weights from a file, here of random numbers."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torchvision import models

from trainables.data import Dataset, load
from trainables.errors import UserError
from trainables.extractor_choice import ExtractorChoice, parse_choice, recorded_choice
from trainables.metrics import build_evaluator, load_extractor
from trainables.metrics.chosen_extractor import build_chosen, extractor_id
from trainables.metrics.dinov2 import build_net as build_dinov2
from trainables.metrics.extract import run_extractor, split_images
from trainables.metrics.frozen_extractor import frozen
from trainables.metrics.pretrained import Pretrained, build_net, load_pretrained, without_last_layer


@pytest.fixture(scope="module")
def few() -> Dataset:
    """Some of the digits."""
    digits = load("digits")
    return digits._replace(
        fingerprint="1" * 64,
        **{
            name: getattr(digits, name).__class__(
                getattr(digits, name).pixels[:n], np.asarray(getattr(digits, name).labels)[:n]
            )
            for name, n in (("train", 24), ("val", 8), ("test", 8))
        },
    )


def weights_file(folder: Path, net: str = "resnet18", **changes: torch.Tensor) -> Path:
    torch.manual_seed(1)
    path = folder / f"{net}.pth"
    torch.save({**models.get_model(net, weights=None).state_dict(), **changes}, path)
    return path


def test_random__same_features_each_time_and_classes_by_regression(tmp_path: Path) -> None:
    digits, choice = load("digits"), parse_choice("random")
    evaluator = build_evaluator(digits, seed=0, cache_dir=tmp_path, choice=choice)
    again = build_evaluator(digits, seed=1, cache_dir=tmp_path / "other", choice=choice)
    assert evaluator.extractor_id == again.extractor_id
    assert evaluator.extractor_id.startswith("random-")
    assert evaluator.extractor_id != build_evaluator(digits, seed=0).extractor_id
    assert evaluator.accuracy > 0.85
    logits = run_extractor(load_extractor(evaluator, "cpu"), split_images(digits.test.to("cpu")), 100).logits
    assert float((logits.argmax(1) == torch.as_tensor(digits.test.labels[:100])).double().mean()) > 0.85


def test_torchvision__features_of_its_own_net(few: Dataset, tmp_path: Path) -> None:
    choice = parse_choice(f"torchvision:resnet18:{weights_file(tmp_path)}")
    trained = build_chosen(choice, few, tmp_path / "cache")
    extractor = frozen(trained.weights, trained.arch)
    net = models.resnet18(weights=None)
    net.load_state_dict(torch.load(choice.path, weights_only=True))
    net.fc = nn.Identity()
    x = torch.rand(3, 1, 8, 8)
    large = nn.functional.interpolate(x.expand(-1, 3, -1, -1), (224, 224), mode="bilinear", align_corners=False)
    mean, sd = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    with torch.no_grad():
        expected = net.eval()((large - mean.view(3, 1, 1)) / sd.view(3, 1, 1))
        assert torch.allclose(extractor(x).features, expected, atol=1e-5)
    assert extractor(x).logits.shape == (3, 10)
    assert extractor_id(choice, trained.weights) == f"resnet18-{choice.sha256[:12]}"


@pytest.mark.long
def test_inception__pools_of_the_original_fid() -> None:
    """Weights with 1,008 classes are those of the original FID: its averages leave out the padding."""
    net = build_net("inception", 1008).eval()
    plain = build_net("inception", 1000).eval()
    plain.load_state_dict({k: v for k, v in net.state_dict().items() if not k.startswith("fc.")}, strict=False)
    calls: list[torch.Tensor] = []
    x = torch.rand(1, 192, 9, 9)
    block, other = net.get_submodule("Mixed_5b"), plain.get_submodule("Mixed_5b")
    block.get_submodule("branch_pool.conv").register_forward_pre_hook(lambda _, inputs: calls.append(inputs[0]))
    with torch.no_grad():
        assert not torch.equal(block(x), other(x))
        assert torch.allclose(calls[0], nn.functional.avg_pool2d(x, 3, 1, 1, count_include_pad=False), atol=1e-6)
        last = net.get_submodule("Mixed_7c")
        last.get_submodule("branch_pool.conv").register_forward_pre_hook(lambda _, inputs: calls.append(inputs[0]))
        y = torch.rand(1, 2048, 5, 5)
        last(y)
    assert torch.equal(calls[1], nn.functional.max_pool2d(y, 3, 1, 1))


@pytest.mark.long
def test_inception__torchvisions_weights_with_their_second_head(tmp_path: Path) -> None:
    path = tmp_path / "inception.safetensors"
    net = models.inception_v3(weights=None, init_weights=False).eval()  # with AuxLogits, as the published ones
    save_file(net.state_dict(), path)
    weights, arch = load_pretrained(parse_choice(f"inception:{path}"))
    ours = Pretrained({**arch, "n_classes": 1}).eval()
    ours.load_state_dict({**weights, "head.weight": torch.zeros(1, 2048), "head.bias": torch.zeros(1)})
    x = torch.rand(1, 3, 299, 299)
    with torch.no_grad():
        assert torch.allclose(ours(x).features, without_last_layer(net)[0](2 * x - 1), atol=1e-4)


def test_unlabelled__no_classifier(few: Dataset, tmp_path: Path) -> None:
    choice = parse_choice("random")
    trained = build_chosen(choice, few._replace(classes=()), tmp_path)
    assert trained.weights["head.weight"].shape == (1, 64)
    assert not list(tmp_path.iterdir())


def test_choice__reads_back_what_it_writes(tmp_path: Path) -> None:
    path = weights_file(tmp_path, "squeezenet1_0")
    for text in ("random", f"torchvision:resnet18:{path}", f"inception:{path}", f"dinov2:{path}"):
        choice = parse_choice(text)
        assert choice.text == text
        assert recorded_choice(choice._asdict()) == choice
    assert recorded_choice(None) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rondom", "unknown extractor 'rondom': did you mean 'random'?"),
        ("random:x", "random takes no file"),
        ("torchvision:w.pth", "names no file of weights: write torchvision:resnet18:FILE"),
        ("inception", "names no file of weights: write inception:FILE"),
        ("dinov2:", "names no file of weights: write dinov2:FILE"),
        ("torchvision:resnet18:nowhere.pth", "does not exist"),
        ("torchvision:resnet18:.", "cannot be read: Is a directory"),
    ],
)
def test_choice__bad_text(text: str, message: str) -> None:
    with pytest.raises(UserError, match=message.replace("?", r"\?")):
        parse_choice(text)


def test_pretrained__bad_files(tmp_path: Path) -> None:
    def message(content: object, net: str = "resnet18", name: str = "w.pth") -> str:
        path = tmp_path / name
        path.write_bytes(content) if isinstance(content, bytes) else torch.save(content, path)
        with pytest.raises(UserError) as error:
            load_pretrained(ExtractorChoice(net, str(path)))
        assert "\n" not in str(error.value)
        return str(error.value)

    net = models.resnet18(weights=None)
    state = net.state_dict()
    assert "pickled objects, which would be executed, and not a state_dict" in message(net)
    assert "not a file of weights that can be read" in message(b"no weights")
    assert "not a file of weights that can be read" in message(b"no weights", name="w.safetensors")
    assert "holds no state_dict" in message([1, 2])
    assert "is not a state_dict of resnet18: it lacks conv1.weight and" in message({"fc.bias": state["fc.bias"]})
    assert "the net has no extra" in message({**state, "extra": torch.zeros(1)})
    assert "another shape has conv1.weight" in message({**state, "conv1.weight": torch.zeros(64, 3, 5, 5)})
    assert "did you mean 'resnet18'?" in message(state, net="resnet19")
    squeezed = models.squeezenet1_0(weights=None).state_dict()
    assert "no linear layer" in message(squeezed, net="squeezenet1_0")


def test_pretrained__wrappers_and_fewer_classes(tmp_path: Path) -> None:
    net = models.resnet18(weights=None, num_classes=7)
    path = tmp_path / "w.pth"
    torch.save({"epoch": 3, "state_dict": {f"module.{key}": value for key, value in net.state_dict().items()}}, path)
    weights, arch = load_pretrained(ExtractorChoice("resnet18", str(path)))
    assert (arch["outputs"], arch["features"]) == (7, 512)
    assert torch.equal(weights["body.conv1.weight"], net.conv1.weight)


def dinov2_weights(registers: bool) -> dict[str, torch.Tensor]:
    """Random weights of the small net under the names of the published ones: positions for images of 518 pixels."""
    timm = pytest.importorskip("timm", reason="timm is not installed: pip install 'gensweep[dinov2]'")
    torch.manual_seed(2)
    net = timm.create_model("vit_small_patch14_dinov2", num_classes=0)
    state: dict[str, torch.Tensor] = {**net.state_dict(), "mask_token": torch.zeros(1, 384)}
    return state | ({"register_tokens": torch.randn(1, 4, 384)} if registers else {})


@pytest.mark.long
@pytest.mark.parametrize("registers", [pytest.param(False, marks=pytest.mark.slow), True])
def test_dinov2__published_names_and_positions(few: Dataset, tmp_path: Path, registers: bool) -> None:
    state = dinov2_weights(registers)
    torch.save(state, tmp_path / "dinov2_vits14.pth")
    choice = parse_choice(f"dinov2:{tmp_path / 'dinov2_vits14.pth'}")
    trained = build_chosen(choice, few, tmp_path / "cache")
    assert trained.arch | {"net": "dinov2", "features": 384, "registers": registers} == trained.arch
    extractor = frozen(trained.weights, trained.arch)
    features = extractor(torch.rand(2, 1, 8, 8)).features
    assert features.shape == (2, 384)
    assert torch.allclose(features.mean(1), torch.zeros(2), atol=1e-4)  # the class token after its layer norm
    name = "blocks.3.attn.qkv.weight"
    assert np.array_equal(trained.weights[f"body.{name}"], state[name].numpy())
    assert extractor_id(choice, trained.weights) == f"dinov2-{choice.sha256[:12]}"


@pytest.mark.long
def test_dinov2__bad_files(tmp_path: Path) -> None:
    state = dinov2_weights(registers=False)
    lacking = {key: value for key, value in state.items() if key != "blocks.11.mlp.fc2.bias"}
    cases = {
        "it has no cls_token": models.resnet18(weights=None).state_dict(),
        "its tokens are 192 wide, and not 384, 768, 1024 or 1536": {"cls_token": torch.zeros(1, 1, 192)},
        "it lacks blocks.11.mlp.fc2.bias": lacking,
    }
    for message, content in cases.items():
        torch.save(content, tmp_path / "w.pth")
        with pytest.raises(UserError, match=f"is not a state_dict of DINOv2: {message}"):
            load_pretrained(ExtractorChoice("dinov2", str(tmp_path / "w.pth")))


def test_dinov2__says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(UserError, match=r"pip install 'gensweep\[dinov2\]'"):
        build_dinov2(384, registers=False)
