"""Settings of the library: threads, and what it was built with and runs on."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from importlib.util import find_spec
from typing import Any

from cypool import _arguments as arguments
from cypool._cpu import dispatch
from cypool._cpu import threads as _threads
from cypool._version import __version__

__all__ = ["get_num_threads", "set_num_threads", "show_config", "threads"]

_OPTIONAL = ("cupy", "matplotlib", "ml_dtypes", "onnx", "torch")


def set_num_threads(n: Any) -> None:
    """Set how many threads a call uses at most, everywhere in this process.

    Parameters
    ----------
    n : int or None
        At least 1; None goes back to as many as the machine and the OpenMP settings give.

    Raises
    ------
    TypeError, ValueError
        If `n` is not such a number.

    Examples
    --------
    >>> import cypool
    >>> cypool.set_num_threads(1)
    >>> cypool.get_num_threads()
    1
    >>> cypool.set_num_threads(None)
    """
    _threads.set_setting(arguments.threads(n, "n"))


def get_num_threads() -> int:
    """How many threads a call uses at most, here and now.

    Returns
    -------
    int
        The least of the setting, the limits of the OpenMP runtime, the processors this process may
        use and the quota of its control group; 1 in a process forked after threads were used, if
        the runtime would hang there with more.

    Examples
    --------
    >>> import cypool
    >>> cypool.get_num_threads() >= 1
    True
    """
    return _threads.default_threads()


def threads(n: Any) -> AbstractContextManager[None]:
    """Use at most n threads in a block of code, in this context only.

    Parameters
    ----------
    n : int
        At least 1.

    Returns
    -------
    context manager
        Other threads and asynchronous tasks do not see the setting.

    Raises
    ------
    TypeError, ValueError
        If `n` is not such a number.

    Examples
    --------
    >>> import cypool
    >>> with cypool.threads(1):
    ...     cypool.get_num_threads()
    1
    """
    return _threads.context(arguments.integer(n, "n", 1))


class Config(dict[str, Any]):
    """What `show_config` returns: a dict that prints one entry a line."""

    def __repr__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        width = max(map(len, self))
        for key, value in self.items():
            shown = ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else value
            yield f"{key:<{width}}  {shown}"


def show_config() -> Config:
    """What the library was built with and what it uses on this machine.

    Returns
    -------
    dict
        "version"; "simd", the instruction set in use, and "simd_available"; "openmp", whether it
        was built with OpenMP (without it every call is serial), and "openmp_version"; "threads",
        how many a call may use; "optional_packages", those found.

    Examples
    --------
    >>> import cypool
    >>> cypool.show_config()["version"] == cypool.__version__
    True
    """
    return Config(
        version=__version__,
        simd=dispatch.simd,
        simd_available=list(dispatch.available),
        openmp=bool(_threads.openmp),
        openmp_version=_threads.openmp or "built without: every call is serial",
        threads=get_num_threads(),
        optional_packages=[name for name in _OPTIONAL if _is_there(name)],
    )


def _is_there(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ValueError:          # something else goes by that name
        return False
