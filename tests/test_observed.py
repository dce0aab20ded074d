"""How much of a time was observed."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from userstats.observed import covered, merged

_stretches = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)).map(lambda pair: (min(pair), max(pair))))
_edges = st.lists(st.integers(-5, 65), min_size=2, unique=True).map(sorted)


@given(_stretches, _edges)
def test_covered_is_the_sum_of_what_each_stretch_has_of_each_bucket(
    known: list[tuple[int, int]], edges: list[int]
) -> None:
    assert covered(known, edges) == [
        sum(max(0, min(until, end) - max(since, start)) for since, until in known) for start, end in pairwise(edges)
    ]


@given(_stretches, _edges)
def test_merged_stretches_cover_each_moment_once(known: list[tuple[int, int]], edges: list[int]) -> None:
    seconds = {moment for since, until in known for moment in range(since, until)}
    found = merged(known)
    assert {moment for since, until in found for moment in range(since, until)} == seconds
    assert sum(until - since for since, until in found) == len(seconds)
    assert sum(covered(found, edges)) == len(seconds & set(range(edges[0], edges[-1])))
