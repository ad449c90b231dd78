"""Networks of comparisons that find the value of one rank in many windows side by side.

A window is so many columns, each of so many taps. The taps of a column are sorted first, once for
all windows that see it; a window's columns are merged, two at a time, by Batcher's odd-even merge
(K. E. Batcher, Sorting networks and their applications, 1968), and whatever is known to lie below
or above the wanted rank by then is left out; of the last two lists the rank is the least of some
greater ones. What a network makes that nobody needs is not in it.
"""

from __future__ import annotations

import textwrap
from array import array
from functools import lru_cache
from typing import NamedTuple

EXCHANGE, LEAST, GREATEST = range(3)
STEP = 5                # numbers of one
# Medians of square windows of these sides are compiled, in this order: columns, then windows.
COMPILED = (2, 3, 5)


class Network(NamedTuple):
    """What is done to rows, each of which has one value of every window.

    Rows are named by numbers: those that are given come first, then registers.
    """

    steps: array[int]           # what is done, the two rows it is done to, where least and most go
    outputs: array[int]
    registers: int              # that lie in memory; those asked for come first
    compiled: int = 0           # its number among networks that are compiled, or 0


class Builder:
    """A network as it grows: every row is written once."""

    def __init__(self, inputs: int) -> None:
        self.inputs = self.rows = inputs
        self.steps: list[tuple[int, int, int, int]] = []     # a, b, their least, their greatest

    def exchange(self, a: int, b: int) -> tuple[int, int]:
        """The least and the greatest of two rows."""
        self.rows += 2
        self.steps.append((a, b, self.rows - 2, self.rows - 1))
        return self.rows - 2, self.rows - 1

    def merge(self, a: list[int], b: list[int]) -> list[int]:
        """Two sorted lists as one."""
        if not a or not b:
            return a or b
        if len(a) == len(b) == 1:
            return list(self.exchange(a[0], b[0]))
        evens, odds = self.merge(a[::2], b[::2]), self.merge(a[1::2], b[1::2])
        merged = evens[:1]
        for odd, even in zip(odds, evens[1:], strict=False):
            merged += self.exchange(odd, even)
        shorter = min(len(odds), len(evens) - 1)
        return merged + odds[shorter:] + evens[shorter + 1:]

    def sort(self, rows: list[int]) -> list[int]:
        """Rows one by one as a sorted list."""
        if len(rows) < 2:
            return rows
        middle = len(rows) // 2
        return self.merge(self.sort(rows[:middle]), self.sort(rows[middle:]))

    def select(self, lists: list[list[int]], rank: int) -> int:
        """The row of that rank, counted from the least, of some sorted lists together."""
        lists, rank = without_others(lists, rank)
        while len(lists) > 2:
            lists.sort(key=len, reverse=True)
            lists.append(self.merge(lists.pop(), lists.pop()))
            lists, rank = without_others(lists, rank)
        if len(lists) == 1:
            return lists[0][rank]
        # Of rank + 1 values, so many from one list and the others from the other, the greatest: the
        # least there can be.
        a, b = lists
        found = None
        for taken in range(max(0, rank + 1 - len(b)), min(rank + 1, len(a)) + 1):
            if taken == 0:
                most = b[rank]
            elif taken == rank + 1:
                most = a[rank]
            else:
                most = self.exchange(a[taken - 1], b[rank - taken])[1]
            found = most if found is None else self.exchange(found, most)[0]
        assert found is not None
        return found

    def network(self, outputs: list[int]) -> Network:
        """What of it leads to these rows, in as few registers as there are rows in use at a time.

        No row is written to one that the same step reads.
        """
        last = {row: len(self.steps) for row in outputs}
        kept = []
        for at in reversed(range(len(self.steps))):
            a, b, least, greatest = self.steps[at]
            if least in last or greatest in last:
                kept.append(at)
                last.setdefault(a, at)
                last.setdefault(b, at)
        place = {row: row for row in range(self.inputs)}
        free: list[int] = []
        registers = 0
        steps = []
        for at in reversed(kept):
            a, b, least, greatest = self.steps[at]
            written = [row for row in (least, greatest) if row in last]
            for row in written:
                if not free:
                    free.append(self.inputs + registers)
                    registers += 1
                place[row] = free.pop()
            what = EXCHANGE if len(written) == 2 else LEAST if least in last else GREATEST
            steps.append((what, place[a], place[b], place[written[0]], place[written[-1]]))
            free += {place[row] for row in (a, b) if row >= self.inputs and last[row] == at}
        # Those that are asked for come first among registers.
        made = [place[row] for row in outputs]
        numbers = sorted(range(self.inputs, self.inputs + registers), key=lambda r: r not in made)
        names = {row: row for row in range(self.inputs)}
        names |= {row: self.inputs + i for i, row in enumerate(numbers)}
        return Network(
            array("H", [n for what, *rows in steps for n in (what, *(names[r] for r in rows))]),
            array("H", [names[row] for row in made]), registers)


def without_others(lists: list[list[int]], rank: int) -> tuple[list[list[int]], int]:
    """Sorted lists without what is above or below the wanted rank for sure, and its rank then."""
    lists = [list(rows) for rows in lists]
    total = sum(map(len, lists))
    changed = True
    while changed:
        changed = False
        for rows in lists:
            # Of what is above a row in its list, it is above at least as many.
            low = max(0, len(rows) - total + rank)
            high = max(0, len(rows) - 1 - rank)
            if low or high:
                rows[:] = rows[low:len(rows) - high]
                rank -= low
                total -= low + high
                changed = True
    return [rows for rows in lists if rows], rank


@lru_cache(maxsize=256)
def of_window(taps: int, columns: int, rank: int) -> tuple[Network, Network]:
    """The network of one column, and that of a window's sorted columns.

    Rows given to the second one are tap after tap, and the columns of each of them. Of the taps of
    a single column the first one makes nothing.
    """
    window = Builder(taps * columns)
    if columns == 1:
        found = window.select([[tap] for tap in range(taps)], rank)
        return Builder(taps).network(list(range(taps))), window.network([found])
    lists = [[tap * columns + column for tap in range(taps)] for column in range(columns)]
    second = window.network([window.select(lists, rank)])
    column = Builder(taps)
    first = column.network(column.sort(list(range(taps))))
    # (Of these nothing lies in memory but what they make.)
    if taps in COMPILED:
        number = 2 * COMPILED.index(taps) + 1
        first = first._replace(compiled=number, registers=taps)
        if taps == columns and rank == (taps * columns - 1) // 2:
            second = second._replace(compiled=number + 1, registers=1)
    return first, second


def as_macros(name: str, inputs: int, network: Network) -> str:
    """A network as C: what is given, what is done, what is made."""
    steps = [network.steps[i:i + STEP].tolist() for i in range(0, len(network.steps), STEP)]
    registers = max(network.steps) + 1 - inputs
    done = [f"{'XLM'[what]}({a}, {b}, {most if what == GREATEST else least}"
            + (f", {most})" if what == EXCHANGE else ")") for what, a, b, least, most in steps]
    lists = {
        f"CYPOOL_GIVEN_{name}(F)": [f"F({row})" for row in range(inputs)],
        f"CYPOOL_ROWS_{name}(F)": [f"F({inputs + i})" for i in range(registers)],
        f"CYPOOL_DONE_{name}(X, L, M)": done,
        f"CYPOOL_MADE_{name}(F)": [f"F({row})" for row in network.outputs],
    }
    return "".join(
        f"#define {head} \\\n" + textwrap.fill(
            " ".join(word.replace(" ", "") for word in words), 92, initial_indent="    ",
            subsequent_indent="    ").replace("\n", " \\\n") + "\n"
        for head, words in lists.items())


def header() -> str:
    """The whole of cypool_medians.h."""
    macros = ""
    for side in COMPILED:
        column, window = of_window(side, side, (side * side - 1) // 2)
        macros += as_macros(f"SORT_{side}", side, column)
        macros += as_macros(f"MEDIAN_{side}", side * side, window)
    return HEAD + macros + "\n#endif\n"


HEAD = """\
/* Networks that are compiled: columns sorted, and medians of square windows of sorted columns.
   Written by networks.py (`header`), which says what the numbers mean: rows that are given, rows
   made on the way, steps (X both, L the least, M the greatest), rows that are made of it all. */
#ifndef CYPOOL_MEDIANS_H
#define CYPOOL_MEDIANS_H

"""
