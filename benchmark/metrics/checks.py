"""What every metric asks of its input before it computes: shape, something in it, usable numbers.

Numbers must be finite, and the largest of a size that float32 holds, though they come as float64:
squares, cubes and sums of larger ones would silently be infinite, of smaller ones 0. What has one axis
(errors, scales) is not squared and may be as small as it likes.

A shape is written as names and numbers, `"N K 2"`. A name stands for any size of at least one, and
for the same size wherever it occurs in one call, so `pred=(pred, "N K 2"), scale=(scale, "N")` also
checks that both speak of the same N images.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark.contracts.errors import InvalidInput

if TYPE_CHECKING:
    import torch

SMALLEST, LARGEST = float(np.finfo(np.float32).tiny), float(np.finfo(np.float32).max)


def arrays(**arguments: tuple[Any, str]) -> tuple[np.ndarray, ...]:
    """The arguments as finite float64 NumPy arrays of the shapes asked for, in the order given.

    Raises `InvalidInput` with the argument's name, the shape that came and what was expected.

    >>> points, scale = arrays(points=([[[0, 1], [2, 3]]], "N K 2"), scale=([4.0], "N"))
    >>> points.shape, scale.dtype.name
    ((1, 2, 2), 'float64')
    """
    converted = {name: _numpy(name, value) for name, (value, _) in arguments.items()}
    _require_shapes({n: (converted[n].shape, arguments[n][1]) for n in arguments})
    for name, value in converted.items():
        finite = np.isfinite(value)
        if not finite.all():
            _refuse_non_finite(name, value.shape, finite)
        require_size(name, float(value.min()), float(value.max()), value.ndim)
    return tuple(value.astype(np.float64) for value in converted.values())


def tensors(**arguments: tuple[Any, str]) -> tuple[torch.Tensor, ...]:
    """As `arrays`, but float64 tensors on the device of the first tensor among the arguments.

    Arguments without a device (NumPy) follow it; without any tensor everything stays on the CPU. So
    does everything on a device that has no float64 (MPS).
    """
    return _tensors(arguments, narrow=False)


def features(**arguments: tuple[Any, str]) -> tuple[torch.Tensor, ...]:
    """As `tensors`, but what is float32 or narrower comes as float32: half the memory.

    For sets of features as large as memory allows, which are then widened block by block.
    """
    return _tensors(arguments, narrow=True)


def masks(**arguments: tuple[Any, str]) -> tuple[np.ndarray, ...]:
    """As `arrays`, but boolean; numbers are accepted when all of them are exactly 0 or 1."""
    converted = []
    for name, value in zip(arguments, arrays(**arguments), strict=True):
        other = value[(value != 0) & (value != 1)]
        if other.size:
            raise InvalidInput(
                f"{name}: expected a mask of 0 and 1, got {value.shape} with {other.flat[0]:g}",
                cure="threshold it first, by the rule your protocol names",
            )
        converted.append(value == 1)
    return tuple(converted)


def one_of(name: str, value: str, known: tuple[str, ...]) -> str:
    """`value` if it is one of `known`, else `InvalidInput` that lists them."""
    if value not in known:
        raise InvalidInput(f"{name}: there is no {value!r}", cure=f"use one of {', '.join(known)}")
    return value


def rounding(value: Any) -> float:
    """The relative spacing of numbers as they came: eps of their float dtype, else of float64.

    >>> rounding(np.zeros(2, np.float32)), rounding([1, 2])
    (1.1920928955078125e-07, 2.220446049250313e-16)
    """
    # "torch.float32" and the like, also of dtypes that NumPy has not
    name = str(getattr(value, "dtype", "")).rpartition(".")[2]
    return {"float32": 2.0**-23, "float16": 2.0**-10, "bfloat16": 2.0**-7}.get(name, 2.0**-52)


def require_size(name: str, least: float, most: float, axes: int = 2) -> None:
    """Refuse numbers from `least` to `most` that float32 holds not, or only as 0: `InvalidInput`.

    >>> require_size("points", 0.0, 0.0), require_size("points", -1e-300, 1e30)
    (None, None)
    """
    largest = max(most, -least)
    if largest > LARGEST or (axes > 1 and 0 < largest < SMALLEST):
        raise InvalidInput(
            f"{name}: expected numbers that can be squared, the largest between {SMALLEST:.1g} and "
            f"{LARGEST:.1g} (or all 0), got {largest:.3g}",
            cure="give them in another unit",
        )


def _tensors(arguments: dict[str, tuple[Any, str]], narrow: bool) -> tuple[torch.Tensor, ...]:
    import torch

    given = [value for value, _ in arguments.values() if isinstance(value, torch.Tensor)]
    device = given[0].device if given and given[0].device.type != "mps" else torch.device("cpu")
    converted = {}
    for name, (value, _) in arguments.items():
        tensor = value.detach() if isinstance(value, torch.Tensor) else None
        if tensor is None:
            with warnings.catch_warnings():
                # Arrays that may not be written, such as memory maps, are fine: nothing writes here.
                warnings.filterwarnings("ignore", "The given NumPy array is not writable")
                tensor = torch.from_numpy(np.ascontiguousarray(_numpy(name, value)))
        if tensor.is_complex():
            raise InvalidInput(f"{name}: expected real numbers, got {tensor.dtype}")
        # A device without float64 must be left before the conversion, hence the two steps.
        wide = not narrow or tensor.dtype == torch.float64 or not tensor.is_floating_point()
        converted[name] = tensor.to(device).to(torch.float64 if wide else torch.float32)
    _require_shapes(
        {name: (tuple(converted[name].shape), arguments[name][1]) for name in arguments}
    )
    for name, tensor in converted.items():
        finite = torch.isfinite(tensor)
        if not bool(finite.all()):
            _refuse_non_finite(name, tuple(tensor.shape), finite.cpu().numpy())
        require_size(name, float(tensor.min()), float(tensor.max()), tensor.ndim)
    return tuple(converted.values())


def _numpy(name: str, value: Any) -> np.ndarray:
    # Tensors are recognised by `detach`, so that NumPy-only metrics never import torch; bfloat16
    # has no NumPy equivalent, hence float() for everything that is a floating tensor.
    if hasattr(value, "detach"):
        tensor = value.detach().cpu()
        value = (tensor.double() if tensor.is_floating_point() else tensor).numpy()
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        raise InvalidInput(f"{name}: expected real numbers, got an array of {array.dtype}")
    return array


def _require_shapes(arguments: dict[str, tuple[tuple[int, ...], str]]) -> None:
    sizes: dict[str, tuple[int, str]] = {}
    for name, (shape, pattern) in arguments.items():
        axes = pattern.split()
        expected = f"expected shape ({', '.join(axes)}), got {shape}"
        if len(shape) != len(axes):
            raise InvalidInput(f"{name}: {expected}")
        for axis, size in zip(axes, shape, strict=True):
            if axis.isdigit():
                if size != int(axis):
                    raise InvalidInput(f"{name}: {expected}")
                continue
            if size == 0:
                raise InvalidInput(f"{name}: {expected}, which is empty")
            first_size, first_name = sizes.setdefault(axis, (size, name))
            if size != first_size:
                raise InvalidInput(
                    f"{name}: {expected}, but {axis} is {first_size} in {first_name}, {size} here"
                )


def _refuse_non_finite(name: str, shape: tuple[int, ...], finite: np.ndarray) -> None:
    first = tuple(int(i) for i in np.argwhere(~finite)[0])
    raise InvalidInput(
        f"{name}: expected finite numbers, got {int((~finite).sum())} NaN or infinite"
        f" in shape {shape}, the first at {first}"
    )
