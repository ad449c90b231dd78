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
from pathlib import Path

HERE = Path(__file__).parent


def digests() -> dict[str, str]:
    import numpy as np
    import oracle
    from arrays import flavours, make_values
    from registry import FLOATS, OPERATORS, dtype_of

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
    for operator in OPERATORS:
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
    return found


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
