"""Pooling for NumPy arrays: sliding windows in one, two and three dimensions, compiled.

`max_pool2d` and its like follow the names and argument order of ``torch.nn.functional``; `pool`
takes any operator by name and any axes of any array.
"""

from cypool import layers as layers
from cypool._config import get_num_threads, set_num_threads, show_config, threads
from cypool._version import __version__
from cypool.window import (
    avg_pool1d,
    avg_pool1d_backward,
    avg_pool2d,
    avg_pool2d_backward,
    avg_pool3d,
    avg_pool3d_backward,
    max_pool1d,
    max_pool1d_backward,
    max_pool2d,
    max_pool2d_backward,
    max_pool3d,
    max_pool3d_backward,
    pool,
    pool_backward,
    pool_output_size,
)

__all__ = [
    "__version__",
    "avg_pool1d",
    "avg_pool1d_backward",
    "avg_pool2d",
    "avg_pool2d_backward",
    "avg_pool3d",
    "avg_pool3d_backward",
    "get_num_threads",
    "max_pool1d",
    "max_pool1d_backward",
    "max_pool2d",
    "max_pool2d_backward",
    "max_pool3d",
    "max_pool3d_backward",
    "pool",
    "pool_backward",
    "pool_output_size",
    "set_num_threads",
    "show_config",
    "threads",
]
