"""Threads change nothing but time: the same bits for any number, from any thread or process."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import multiprocessing
import os
import re
import sys
import threading

import numpy as np
import pytest
from arrays import make_values
from fixed_calls import digest_of, run_python
from judging import assert_same
from registry import NAMED, OPERATORS, dtype_of, with_dtypes

import cypool

THREADS = (1, 2, 3, 7, 1000)  # the last is more than there is work for
# None divides evenly. An explicit number of threads is obeyed however little work there is.
LARGE = {1: (3, 5, 1009), 2: (3, 5, 47, 61), 3: (2, 3, 13, 17, 23)}
FEW_AND_HUGE = {1: (1, 1, 60_013), 2: (1, 1, 251, 187), 3: (1, 1, 31, 33, 47)}
TINY = {1: (1, 1, 3), 2: (1, 1, 3, 2), 3: (1, 1, 2, 3, 2)}
WINDOWS = ((2, 2, 0), (3, 1, 1), (3, 2, 1), (9, 1, 4))


@pytest.mark.parametrize("layout", ["channels_first", "channels_last"])
@pytest.mark.parametrize("shapes", [LARGE, FEW_AND_HUGE, TINY], ids=["many", "huge", "tiny"])
@pytest.mark.parametrize(("operator", "dtype"), with_dtypes(NAMED, ("float32", "uint8")))
def test_same_bits_for_any_number_of_threads(operator, dtype, shapes, layout):
    shape = shapes[operator.ndim]
    if layout == "channels_last":
        shape = (shape[0], *shape[2:], shape[1])
    x = make_values(shape, dtype_of(dtype), "normal" if dtype == "float32" else "full", 6)
    for kernel, stride, padding in WINDOWS if shapes is TINY else WINDOWS[:3]:
        where = {"stride": stride, "padding": padding, "data_format": layout}
        if operator.selects:
            where["return_indices"] = True
        runs = [operator.forward(x, kernel, **where, num_threads=n) for n in THREADS]
        for run in runs[1:]:
            for one, other in zip(as_tuple(run), as_tuple(runs[0]), strict=True):
                assert_same(one, other)
        gradient = make_values(as_tuple(runs[0])[0].shape, np.dtype(np.float32), "normal", 7)
        grads = [operator.backward(gradient, x, kernel, **where, num_threads=n) for n in THREADS]
        for grad in grads[1:]:
            assert_same(grad, grads[0])


def as_tuple(result):
    return result if isinstance(result, tuple) else (result,)


# ---------------------------------------------------------------- the setting


@pytest.fixture
def most():
    """How many threads a call may use where nothing was set; put back afterwards."""
    cypool.set_num_threads(None)
    yield cypool.get_num_threads()
    cypool.set_num_threads(None)


def test_setting_holds_up_to_what_the_machine_gives(most):
    for n in (1, 2, 1000):
        cypool.set_num_threads(n)
        assert cypool.get_num_threads() == min(n, most)
        assert cypool.show_config()["threads"] == min(n, most)


def test_threads_holds_inside_its_block_only(most):
    with cypool.threads(1):
        assert cypool.get_num_threads() == 1
        with cypool.threads(2):
            assert cypool.get_num_threads() == min(2, most)
        assert cypool.get_num_threads() == 1
    assert cypool.get_num_threads() == most


def test_threads_is_undone_by_an_error(most):
    with pytest.raises(KeyError), cypool.threads(1):
        raise KeyError
    assert cypool.get_num_threads() == most


def test_threads_goes_before_the_setting(most):
    cypool.set_num_threads(1)
    with cypool.threads(2):
        assert cypool.get_num_threads() == min(2, most)
    assert cypool.get_num_threads() == 1


def test_threads_holds_in_its_context_only(most):
    if most == 1:
        pytest.skip("needs more than one processor")
    seen = []

    def look() -> None:
        seen.append(cypool.get_num_threads())

    with cypool.threads(1):
        elsewhere = threading.Thread(target=look)
        elsewhere.start()
        elsewhere.join()
        contextvars.copy_context().run(look)
        contextvars.Context().run(look)
    assert seen == [most, 1, most]


def test_threads_holds_in_its_asynchronous_task_only(most):
    if most == 1:
        pytest.skip("needs more than one processor")

    async def limited(entered: asyncio.Event, leave: asyncio.Event) -> int:
        with cypool.threads(1):
            entered.set()
            await leave.wait()
            return cypool.get_num_threads()

    async def both() -> tuple[int, int]:
        entered, leave = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(limited(entered, leave))
        await entered.wait()
        here = cypool.get_num_threads()
        leave.set()
        return here, await task

    assert asyncio.run(both()) == (most, 1)


def test_set_num_threads_holds_in_every_thread(most):
    cypool.set_num_threads(1)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        assert pool.submit(cypool.get_num_threads).result() == 1


@pytest.mark.parametrize(
    ("value", "error"),
    [(0, ValueError), (-1, ValueError), (1.5, TypeError), ("2", TypeError), (2**80, ValueError)],
)
def test_impossible_numbers_of_threads(value, error, most):
    x = np.ones((1, 4), np.float32)
    shown = " must be .*, got " + re.escape(repr(value)) + "$"
    with pytest.raises(error, match="^n" + shown):
        cypool.set_num_threads(value)
    with pytest.raises(error, match="^n" + shown), cypool.threads(value):
        pass
    with pytest.raises(error, match="^num_threads" + shown):
        cypool.max_pool1d(x, 2, num_threads=value)
    assert cypool.get_num_threads() == most


# ---------------------------------------------------------------- many callers


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda operator: operator.id)
def test_concurrent_callers(operator):
    """Each of eight threads gets the result it would have had alone."""
    n = operator.ndim or 2
    kernel = (3,) * n
    inputs = [
        make_values((*LARGE[n][:1], 3, *LARGE[n][2:]), np.dtype(np.float32), "normal", seed)
        for seed in range(4)
    ]
    alone = [operator.forward(x, *operator.leading, kernel, num_threads=1) for x in inputs]
    start = threading.Barrier(8)

    def work(number: int) -> bool:
        start.wait(timeout=60)
        good = True
        for turn in range(8):
            which = (number + turn) % len(inputs)
            result = operator.forward(
                inputs[which], *operator.leading, kernel, num_threads=1 + turn % 3
            )
            good &= np.array_equal(result, alone[which])
        return good

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(8)))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform cannot fork")
def test_forked_child_pools_after_its_parent_did():
    """Also after the parent used several threads, which hangs some OpenMP runtimes."""
    run_python(
        """
        import os, signal
        import numpy as np
        import cypool

        x = np.random.default_rng(0).standard_normal((8, 16, 128, 128)).astype(np.float32)
        expected = cypool.max_pool2d(x, 3, num_threads=2)
        child = os.fork()
        if child == 0:
            signal.alarm(60)  # a hang ends here
            good = np.array_equal(cypool.max_pool2d(x, 3, num_threads=2), expected)
            good &= np.array_equal(cypool.max_pool2d(x, 3), expected)
            good &= cypool.avg_pool2d_backward(expected, x, 3, num_threads=4).shape == x.shape
            os._exit(0 if good else 3)
        _, status = os.waitpid(child, 0)
        assert os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0, status
        assert np.array_equal(cypool.max_pool2d(x, 3, num_threads=2), expected)
        """,
        timeout=120,
    )


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform cannot fork")
def test_forked_child_pools_after_another_library_used_threads():
    """It may share the runtime, whose threads a fork does not have."""
    run_python(
        """
        import ctypes, os, re, signal, sys
        import numpy as np
        import cypool

        with open("/proc/self/maps") as maps:
            runtimes = set(re.findall(r"(/\\S*libgomp\\S*)", maps.read()))
        if len(runtimes) != 1 or not cypool.show_config()["openmp"]:
            sys.exit()          # another runtime, or none
        runtime = ctypes.CDLL(runtimes.pop())
        nothing = ctypes.cast(ctypes.CDLL(None).getpid, ctypes.c_void_p)
        runtime.GOMP_parallel(nothing, None, 2, 0)
        x = np.random.default_rng(0).standard_normal((8, 16, 128, 128)).astype(np.float32)
        child = os.fork()
        if child == 0:
            signal.alarm(60)  # a hang ends here
            cypool.max_pool2d(x, 3, num_threads=2)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        assert os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0, status
        """,
        timeout=120,
    )


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_processes_of_multiprocessing(method, tmp_path):
    script = tmp_path / "main.py"
    script.write_text(
        """
import multiprocessing, sys
import numpy as np
import cypool

def work(seed):
    x = np.random.default_rng(seed).standard_normal((4, 16, 128, 128)).astype(np.float32)
    return float(cypool.avg_pool2d(x, 3, num_threads=2).sum(dtype=np.float64))

if __name__ == "__main__":
    expected = [work(seed) for seed in range(3)]
    with multiprocessing.get_context(sys.argv[1]).Pool(2) as pool:
        assert pool.map_async(work, range(3)).get(timeout=90) == expected
"""
    )
    run_python(None, str(script), method, timeout=120)


# ---------------------------------------------------------------- what limits threads


@pytest.mark.parametrize(
    "environment",
    [{"OMP_NUM_THREADS": "1"}, {"OMP_NUM_THREADS": "3"}, {"OMP_DYNAMIC": "true"}],
    ids=lambda environment: "".join(f"{k}={v}" for k, v in environment.items()),
)
def test_openmp_environment_changes_no_bit(environment):
    assert digest_of(environment) == digest_of({})


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts threads in /proc")
@pytest.mark.parametrize(
    ("limit", "environment"),
    [
        ("", {"OMP_NUM_THREADS": "1"}),
        ("cypool.set_num_threads(1)", {}),
        ("os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])", {}),
        ("limits = __import__('threadpoolctl').threadpool_limits(1)", {}),
        ("block = cypool.threads(1); block.__enter__()", {}),
    ],
    ids=["OMP_NUM_THREADS", "set_num_threads", "affinity", "threadpoolctl", "threads"],
)
def test_no_thread_is_started_beyond_the_limit(limit, environment):
    if "threadpoolctl" in limit:
        pytest.importorskip("threadpoolctl", reason="threadpoolctl is not installed")
    run_python(
        f"""
        import os
        import numpy as np
        import cypool

        def running():
            return len(os.listdir("/proc/self/task"))

        x = np.zeros((16, 16, 256, 256), np.float32)
        {limit}
        before = running()
        cypool.max_pool2d(x, 3)
        assert running() == before, (running(), before)
        """,
        environment=environment,
    )


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts threads in /proc")
def test_several_threads_are_started_where_allowed():
    if not cypool.show_config()["openmp"]:
        pytest.skip("built without OpenMP")
    run_python(
        """
        import os
        import numpy as np
        import cypool

        def running():
            return len(os.listdir("/proc/self/task"))

        x = np.zeros((16, 16, 256, 256), np.float32)
        before = running()
        cypool.max_pool2d(x, 3, num_threads=2)
        assert running() == before + 1, (running(), before)
        """
    )
