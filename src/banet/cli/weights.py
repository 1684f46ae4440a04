"""`banet weights`: list, show, convert and calibrate trained weights."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from banet.cli.progress import caution, say, say_json, tell

if TYPE_CHECKING:
    from cyclopts import App


def register(root: App) -> None:
    """Add the commands of this group to the application."""
    from cyclopts import App

    group = App(name="weights", help="List, show, convert and calibrate trained weights.")
    group.command(names, name="list")
    group.command(show)
    group.command(convert)
    group.command(calibrate)
    root.command(group)


def names(*, json: bool = False) -> None:
    """List the weights that ship with banet and those in the user's cache.

    Args:
        json: print them as JSON, a line each.
    """
    from banet.model.means import file_of_mean, named_means
    from banet.model.weights import list_weights

    for one in list_weights():
        size = one.path.stat().st_size
        facts = {"name": one.name, "origin": one.origin, "path": one.path, "bytes": size}
        tell(facts, f"{one.name:24} {one.origin:8} {size:>10,} bytes", json)
    for mean in named_means().values():
        path, members = file_of_mean(mean.name), list(mean.members)
        size = path.stat().st_size
        facts = {"name": mean.name, "origin": "shipped", "path": path, "bytes": size, "members": members}
        tell(facts, f"{mean.name:24} shipped  {size:>10,} bytes, the mean of {', '.join(members)}", json)


def show(weights: str, *, json: bool = False) -> None:
    """Show what a set of weights is, wants and was trained on; of a mean, its members and its calibration.

    Args:
        weights: name, or path of a .safetensors or .pth file.
        json: print all of it, with the whole card, as JSON.
    """
    from banet.model.means import named_means

    mean = named_means().get(weights)
    about = mean.model_dump(mode="json") if mean is not None else _of_network(weights)
    if json:
        say_json(about)
        return
    if mean is not None:
        say(f"{weights}: the mean of {', '.join(mean.members)}")
    else:
        say(f"{about['name']}: {about['parameters']:,} parameters\nsha256: {about['sha256']}")
    width = min(110, shutil.get_terminal_size().columns)
    for part in ("network", "input", "calibration"):
        if part in about:
            values = about[part] or {}
            plain_first = dict(sorted(values.items(), key=lambda item: isinstance(item[1], list)))
            say(_short(f"{part}:", plain_first, width))
    for name, value in about["card"].items():
        say(_short(f"{name}:", value, width))
    say(f"the whole of it: banet weights show {weights} --json")


def _of_network(weights: str) -> dict[str, Any]:
    """Return what a network is, by name, ready for JSON."""
    from banet.model.weights import load_model

    model = load_model(weights)
    return {
        "name": model.name,
        "parameters": sum(p.numel() for p in model.parameters()),
        "sha256": model.weights_sha256,
        "network": model.config.model_dump(mode="json"),
        "input": model.spec.model_dump(mode="json"),
        "calibration": None if model.calibration is None else model.calibration.model_dump(mode="json"),
        "card": dict(model.card),
    }


def _short(name: str, value: Any, width: int) -> str:
    """Return a name and a value in one line, cut to a width."""
    text = f"{name} {value if isinstance(value, str) else json.dumps(value)}"
    return text if len(text) <= width else f"{text[: width - 3]}..."


def convert(weights: str, out: Path) -> None:
    """Turn a published .pth file into safetensors.

    Args:
        weights: a .pth file in one of the published layouts, or any other weights.
        out: the .safetensors file to write.
    """
    from banet.model.weights import load_model, save_weights

    model = load_model(weights)
    save_weights(model, out, spec=model.spec, card=model.card)
    say(f"{out}: {out.stat().st_size:,} bytes")


def calibrate(weights: str, *tiles: Path, out: Path) -> None:
    """Measure on held-out tiles what the numbers of weights mean; set their threshold and intervals by it.

    `banet train` does so by itself where it has validation tiles.

    Args:
        weights: name or path.
        tiles: folders of tiles that the weights were not trained on.
        out: the .safetensors file to write.
    """
    import torch

    from banet.chips import Chips
    from banet.errors import InputError
    from banet.model.weights import load_model, save_weights, weights_file
    from banet.training.calibration import calibrate_model
    from banet.training.config import ValidationConfig
    from banet.training.sources import check_not_trained_on, definition_note

    if not tiles:
        raise InputError("nothing to calibrate with: give folders of tiles")
    file = weights_file(out)
    model = load_model(weights)
    sources = [Chips.open(folder) for folder in tiles]
    if note := definition_note(sources, model.spec):
        caution(note)
    check_not_trained_on(sources, model.card)
    shift = calibrate_model(model, sources, model.spec, ValidationConfig(), torch.device("cpu"))
    known = model.calibration
    if known is None:
        raise InputError(
            "nothing burned in these tiles, in cells of which the labels tell every day that is scored: "
            "nothing to calibrate by, so nothing is written"
        )
    # Scores of before the shift are not those of these weights.
    card = {
        **{name: value for name, value in model.card.items() if name != "scores"},
        "calibrated_on": [{"tiles": len(s), "index_sha256": s.index_sha256} for s in sources],
    }
    save_weights(model, file, card=card)
    told = (
        "nothing that burned was mapped, so no dates were measured"
        if known.date_quantile is None
        else (
            f"dated where {known.date_quantile} of the summed probability is reached, "
            f"intervals hold {known.date_mass} of it"
        )
    )
    say(f"{out}: logits shifted by {shift:+.1f}; {told}")
