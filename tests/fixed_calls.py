"""One fixed set of calls, and a digest of each result, to compare processes by.

Run as a program it prints the digests as JSON, for a process under another environment: another
instruction set, another number of threads. NaN payloads and the sign of zero are not compared.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def digests() -> dict[str, str]:
    import numpy as np
    import oracle
    from arrays import flavours, make_values
    from registry import FLOATS, PARTIAL, dtype_of

    def digest(*results: np.ndarray) -> str:
        state = hashlib.sha256()
        for result in results:
            if oracle.is_float(result.dtype):
                result = result.astype(np.float64)
                result = np.where(np.isnan(result), np.nan, result + 0.0)
            state.update(repr(result.shape).encode() + np.ascontiguousarray(result).tobytes())
        return state.hexdigest()

    windows = [(2, 2, 0, 1), (3, 1, 1, 1), (3, 2, 1, 1), (5, 1, 2, 1), (13, 1, 6, 1), (3, 1, 2, 2)]
    shapes = {
        1: [(2, 3, 131), (1, 2, 14)],
        2: [(2, 3, 20, 37), (1, 2, 7, 70)],
        3: [(1, 2, 9, 8, 35)],
    }
    found = {}
    for operator in PARTIAL:
        without = () if oracle.BFLOAT16 is not None else ("bfloat16",)
        dtypes = [name for name in operator.dtypes if name not in without]
        for name in dtypes:
            kinds = [k for k in flavours(dtype_of(name)) if k not in ("distinct", "ties")]
            for shape in shapes[operator.ndim or 2]:
                for number, (kernel, stride, padding, dilation) in enumerate(windows):
                    n = operator.ndim or 2
                    x = make_values(shape, dtype_of(name), kinds[number % len(kinds)], number)
                    moved = np.ascontiguousarray(np.moveaxis(x, 1, -1))
                    for layout, data in (("channels_first", x), ("channels_last", moved)):
                        keywords = {
                            "stride": stride,
                            "padding": padding,
                            "dilation": dilation,
                            "data_format": layout,
                        }
                        arguments = (*operator.leading, (kernel,) * n)
                        if operator.selects:
                            keywords["return_indices"] = True
                        result = operator.forward(data, *arguments, **keywords)
                        results = result if isinstance(result, tuple) else (result,)
                        grad_name = name if name in FLOATS else "float32"
                        gradient = make_values(
                            results[0].shape, dtype_of(grad_name), "normal", number
                        )
                        back = operator.backward(gradient, data, *arguments, **keywords)
                        key = f"{operator.id} {name} {shape} {layout} {kernel}/{stride}"
                        found[key] = digest(*results, back)
    for name in ("float32", "float64", "float16", "uint8", "int16", "int64"):
        for shape in [*shapes[1], *shapes[2], *shapes[3]]:
            x = make_values(shape, dtype_of(name), flavours(dtype_of(name))[-1], len(shape))
            for key, forward, backward in further_calls(x):
                y = forward()
                results = y if isinstance(y, tuple) else (y,)
                if name in FLOATS and backward is not None:
                    grad = make_values(results[0].shape, dtype_of(name), "normal", 3)
                    results = (*results, backward(grad))
                found[f"{key} {name} {shape}"] = digest(*results)
    return found


Made = tuple[str, Callable[[], Any], "Callable[[Any], Any] | None"]


def further_calls(x: Any) -> Iterator[Made]:
    """Operators without exp, log and pow, and all window tables: key, forward, backward."""
    import cypool

    n = x.ndim - 2
    axes = tuple(range(2, x.ndim))

    def pair(key: str, name: str, *arguments: Any, back: bool = True, **keywords: Any) -> Made:
        backward = getattr(cypool, f"{name}_backward")
        return (key, lambda: getattr(cypool, name)(x, *arguments, **keywords),
                (lambda grad: backward(grad, x, *arguments, **keywords)) if back else None)

    for op, more in [("lp", {"p": 1}), ("lp", {"p": 2}), ("lp", {"p": float("inf")}),
                     ("gem", {"p": 2}), ("median", {}), ("median", {"quantile": 0.25})]:
        yield pair(f"pool {op} {more}", "pool", op, 3, 2, 1, axes=axes, **more)
    if x.dtype.kind in "ui":
        yield pair("pool mode", "pool", "mode", 3, 2, 1, axes=axes, back=False)
    else:
        yield pair("pool stochastic", "pool", "stochastic", 2, axes=axes, rng=5, back=False)
    for op in ("max", "min", "avg", "sum"):
        yield pair(f"adaptive {op}", "adaptive_pool", op, 5, axes=axes)
        yield pair(f"global {op}", "global_pool", op, axes=axes)
    if n == 2:
        yield pair("pyramid", "spatial_pyramid_pool", (1, 2, 3))
    yield pair("fractional", "fractional_pool", "max", 2, tuple(s // 2 for s in x.shape[2:]),
               axes=axes, rng=7)


def run_python(
    code: str | None,
    *arguments: str,
    environment: dict[str, str | None] | None = None,
    timeout: float = 120,
    check: bool = True,
) -> subprocess.CompletedProcess[str]:
    """A fresh interpreter that finds the cypool under test, whatever the current folder.

    A variable of `environment` that is None is removed.
    """
    import cypool

    paths = [str(Path(cypool.__file__).parent.parent), str(HERE)]
    changed = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), **(environment or {})}
    command = [sys.executable, "-P"]
    if code is not None:
        command += ["-c", textwrap.dedent(code)]
    done = subprocess.run(
        [*command, *arguments],
        env={name: value for name, value in changed.items() if value is not None},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    if check:
        assert done.returncode == 0, f"exit {done.returncode}: {done.stdout}{done.stderr}"
    return done


def digest_of(environment: dict[str, str | None]) -> dict[str, str]:
    return json.loads(run_python(None, __file__, environment=environment).stdout)


if __name__ == "__main__":
    print(json.dumps(digests()))
