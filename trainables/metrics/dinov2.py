"""DINOv2 (Oquab et al. 2023, arXiv:2304.07193) as an extractor: its features are the normalised class token.

Stein et al. 2023 (arXiv:2306.04675) found that it judges generated photographs as people do, more than Inception. The
nets are those of timm, which reads the published weights, with registers (Darcet et al. 2023, arXiv:2309.16588) or
without.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from trainables.errors import UserError
from trainables.extractor_choice import ExtractorChoice
from trainables.metrics.state_dicts import differences

SIDE = 224
SIZES = {384: "small", 768: "base", 1024: "large", 1536: "giant"}  # width of a token -> the net


def build_net(width: int, registers: bool) -> nn.Module:
    """Return DINOv2 with tokens of `width` and random weights; images [N, 3, 224, 224] become features [N, width].

    Raises:
        UserError: timm is not installed.
    """
    try:
        import timm
    except ImportError as error:
        raise UserError("extractor dinov2: its net comes with timm: pip install 'gensweep[dinov2]'") from error
    name = f"vit_{SIZES[width]}_patch14_{'reg4_' if registers else ''}dinov2"
    net: nn.Module = timm.create_model(name, pretrained=False, num_classes=0, img_size=SIDE)
    return net


def load(choice: ExtractorChoice, state: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the weights of the body and the arch (without `n_classes`) of a state_dict.

    Raises:
        UserError: it is not one of DINOv2, or timm is not installed.
    """
    token = state.get("cls_token")
    width = 0 if token is None else token.shape[-1]
    if width not in SIZES:
        reason = (
            "it has no cls_token" if token is None else f"its tokens are {width} wide, and not 384, 768, 1024 or 1536"
        )
        raise UserError(f"{choice.path} is not a state_dict of DINOv2: {reason}")
    registers = "register_tokens" in state or "reg_token" in state
    net: Any = build_net(width, registers)
    from timm.models.vision_transformer import checkpoint_filter_fn

    converted = checkpoint_filter_fn(dict(state), net)  # names as timm has them; positions for images of our size
    wrong = differences(net.state_dict(), converted)
    if wrong:
        raise UserError(f"{choice.path} is not a state_dict of DINOv2: {wrong}")
    weights = {f"body.{key}": value.contiguous() for key, value in converted.items()}
    return weights, {"net": "dinov2", "features": width, "registers": registers, "planes": 1}
