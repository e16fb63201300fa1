"""Find, read and check network weights: from a local file or a hub, never a quiet substitute."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clustering.errors import StudioError

if TYPE_CHECKING:
    from torch import Tensor, nn

FILE_ENDINGS = (".safetensors", ".pth", ".pt", ".bin")
MEND = (
    "Give the path of a downloaded weight file (.safetensors or .pth) as “weights”, "
    "or choose the encoder “efficientnet-lite0”, whose weights came with the installation."
)
HUB_PATIENCE = 10.0  # seconds; without this check the hub's own client retries for most of a minute
HUB_FILES = ("model.safetensors", "pytorch_model.bin")


def names_file(weights: str) -> bool:
    """Tell whether ``weights`` means a file on this machine rather than a hub id."""
    return weights.endswith(FILE_ENDINGS) or Path(weights).expanduser().exists()


def local_file(weights: str) -> Path:
    """Return the path of a local weight file.

    Raises
    ------
    StudioError
        When there is no such file.
    """
    path = Path(weights).expanduser()
    if not path.is_file():
        raise StudioError(f"There is no weight file at “{weights}”.", MEND)
    return path


def hub_file(repository: str) -> Path:
    """Return the weight file of a hub repository, from the cache or downloaded now.

    Raises
    ------
    StudioError
        When the hub cannot be reached or holds no such weights.
    """
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, LocalEntryNotFoundError

    cached = _cached(repository, HUB_FILES)
    if cached is not None:
        return cached
    _check_reachable(repository)
    for name in HUB_FILES:
        try:
            return Path(hf_hub_download(repository, name))
        except LocalEntryNotFoundError as error:
            raise _not_reachable(repository, str(error).splitlines()[0]) from error
        except EntryNotFoundError:
            continue
        except (HfHubHTTPError, OSError, ValueError) as error:
            raise _not_reachable(repository, str(error).splitlines()[0]) from error
    raise StudioError(f"The hub repository “{repository}” holds none of {', '.join(HUB_FILES)}.", MEND)


def hub_json(repository: str, name: str) -> dict[str, Any]:
    """Return a small JSON file of a hub repository.

    Raises
    ------
    StudioError
        When it cannot be reached or is not there.
    """
    import json

    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError

    path = _cached(repository, (name,))
    if path is None:
        _check_reachable(repository)
        try:
            path = Path(hf_hub_download(repository, name))
        except (HfHubHTTPError, OSError, ValueError) as error:
            raise _not_reachable(repository, str(error).splitlines()[0]) from error
    return dict(json.loads(path.read_text(encoding="utf-8")))


def read_state(path: Path) -> dict[str, Tensor]:
    """Read a weight file without running anything that may hide in it.

    Raises
    ------
    StudioError
        When it is damaged, or a pickle that wants more than weights.
    """
    import pickle

    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise StudioError(
            f"The weight file “{path.name}” holds Python objects beside weights, which could run code.",
            "Ask its maker for a .safetensors file, or save only its state dictionary.",
        ) from error
    except (SafetensorError, RuntimeError, EOFError, OSError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise StudioError(f"The weight file “{path.name}” cannot be read ({reason}).", MEND) from error
    for wrapper in ("state_dict_ema", "state_dict", "model"):
        if isinstance(content, dict) and isinstance(content.get(wrapper), dict):
            content = content[wrapper]
    if not isinstance(content, dict):
        raise StudioError(f"The weight file “{path.name}” holds no dictionary of weights.", MEND)
    return {
        str(key).removeprefix("module."): value for key, value in content.items() if torch.is_tensor(value)
    }


def fill(network: nn.Module, state: dict[str, Tensor], title: str, file: str) -> None:
    """Copy ``state`` into ``network``, which has no classifier; every other weight must be there and fit.

    Raises
    ------
    StudioError
        Naming the first weight that is missing or has another shape.
    """
    from torch import Tensor

    state = {_today_name(key): value for key, value in state.items()}
    wanted = network.state_dict()
    for key, value in wanted.items():
        if key not in state and not key.endswith("num_batches_tracked"):
            raise StudioError(f"The weight file “{file}” has no “{key}”, so it is not {title}.", MEND)
        given = state.get(key)
        if isinstance(given, Tensor) and given.shape != value.shape:
            raise StudioError(
                f"The weight file “{file}” holds “{key}” in shape {tuple(given.shape)}; "
                f"{title} needs {tuple(value.shape)}.",
                MEND,
            )
    network.load_state_dict({key: state[key] for key in wanted if key in state}, strict=False)


def _today_name(key: str) -> str:
    # torchvision's old DenseNet files say "denselayer1.norm.1"; networks today say "denselayer1.norm1"
    return re.sub(r"(denselayer\d+\.(?:norm|conv))\.(\d)", r"\1\2", key)


def _cached(repository: str, names: tuple[str, ...]) -> Path | None:
    from huggingface_hub import try_to_load_from_cache

    for name in names:
        try:
            found = try_to_load_from_cache(repository, name)
        except ValueError as error:  # not a valid repository id
            raise StudioError(f"“{repository}” is neither a weight file here nor a hub id.", MEND) from error
        if isinstance(found, str):
            return Path(found)
    return None


def _check_reachable(repository: str) -> None:
    import httpx
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        raise _not_reachable(repository, "this machine is set to work offline")
    try:
        httpx.head(constants.ENDPOINT, timeout=HUB_PATIENCE)
    except httpx.HTTPError as error:
        raise _not_reachable(repository, str(error) or type(error).__name__) from error


def _not_reachable(repository: str, reason: str) -> StudioError:
    return StudioError(f"The weights “{repository}” could not be reached on the hub ({reason}).", MEND)
