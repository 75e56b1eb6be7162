"""What a calibration has to show, checked: each requirement with its figure, met or not."""

from typing import Any

Values = dict[str, Any]
BLIND = ("real", "noise .1", "1,000 images x 10")


def check_requirements(rows: dict[str, tuple[Values, Values]], trained: Values) -> list[str]:
    """A markdown list, from the values of each damage and of as many real images."""
    real, few, one = rows["real"][0], rows["1,000 images x 10"][0], rows["one class"][0]
    heavy, heavy_floor = rows["one class x 3.2"]
    five = rows["five classes"][0]
    ratios = {title: values["fid"] / real["fid"] for title, (values, _) in rows.items()}
    at_n = {title: values["fid"] / floor["fid"] for title, (values, floor) in rows.items()}
    lowest = min((title for title in rows if title not in BLIND), key=lambda title: ratios[title])
    said = [
        (ratios["1,000 images x 10"] <= 10, f"1,000 x 10 stays within 10 F: {ratios['1,000 images x 10']:.1f} F"),
        (
            ratios[lowest] > 20,
            f"all other damage is above 20 F: the least is {lowest!r} with {ratios[lowest]:.0f} F "
            f"({at_n[lowest]:.0f} times the floor at its n); noise .1 has {ratios['noise .1']:.0f} F",
        ),
        (abs(five["modes"] - 5) <= 0.6, f"five classes are 5 ± 0.6 effective modes: {five['modes']:.2f}"),
        (one["recall"] < 0.3, f"one class has recall under .3: {one['recall']:.3f}"),
        (heavy["kl_prior"] > 0.15, f"one class at 3.2 times its share has a KL over .15: {heavy['kl_prior']:.3f}"),
        *(
            (
                abs(heavy[key] - heavy_floor[key]) <= 0.02,
                f"and a {key} within .02 of as many real images: {heavy[key]:.3f} against {heavy_floor[key]:.3f}",
            )
            for key in ("precision", "recall")
        ),
        (few["recall"] < 0.6, f"1,000 x 10 has recall under .6: {few['recall']:.3f}"),
        (few["coverage"] < 0.65, f"and coverage under .65: {few['coverage']:.3f}"),
        (
            few["duplicates"] > 0.5 > 10 * real["duplicates"],
            f"and its duplicates are found: {few['duplicates']:.3f} against {real['duplicates']:.3f}; "
            f"support {few['support']:,.0f}",
        ),
        (
            trained["memorised"] > 0.9 and real["memorised"] < 0.05,
            f"training images are memorised, {trained['memorised']:.3f}, test images are not, {real['memorised']:.3f}",
        ),
    ]
    return [f"- {'met' if met else '**not met**'}: {text}" for met, text in said]
