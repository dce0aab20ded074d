"""What was counted already is recognised: rows of an outbox for ever, ids of a place for a while."""

from __future__ import annotations

from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from userstats import producers
from userstats.places import RING, Ring
from userstats.producers import Producers
from userstats.tables import PRODUCERS
from userstats.writes import Writes


def reloaded(kept: Producers) -> Producers:
    """What another process makes of what this one saved."""
    writes = Writes()
    kept.save(writes)
    rows = writes.tables.get(PRODUCERS.name, {})
    return Producers((str(key[0]), row["high"], row["holes"]) for key, row in rows.items() if row)


rows_of = st.lists(st.tuples(st.sampled_from(["one", "two"]), st.integers(1, 40)), min_size=1)


@given(rows_of)
def test_each_row_of_each_outbox_is_new_once_in_any_order(rows: list[tuple[str, int]]) -> None:
    kept = Producers()
    new = [row for row in rows if kept.accept(*row)]
    assert new == list(dict.fromkeys(rows))
    for name, holes in kept.holes().items():
        seen = {n for outbox, n in rows if outbox == name}
        assert [n for first, last in holes for n in range(first, last + 1)] == sorted(set(range(1, max(seen))) - seen)


@given(rows_of, rows_of)
def test_a_restart_forgets_nothing(before: list[tuple[str, int]], after: list[tuple[str, int]]) -> None:
    kept = Producers()
    for row in before:
        kept.accept(*row)
    again = reloaded(kept)
    assert [again.accept(*row) for row in after] == [kept.accept(*row) for row in after]


def test_the_oldest_holes_are_given_up_alike_before_and_after_a_restart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(producers, "_MOST_HOLES", 3)
    kept = Producers()
    for n in range(2, 14, 2):
        kept.accept("one", n)
    assert kept.holes() == {"one": [[7, 7], [9, 9], [11, 11]]}
    again = reloaded(kept)
    assert [(one.accept("one", 3), one.accept("one", 7)) for one in (kept, again)] == [(False, True)] * 2


@given(st.lists(st.integers(1, 2**63 - 1).map(lambda n: n % 500 + 1), max_size=900), st.integers(0, 900))
def test_a_place_recognises_its_last_ids_across_a_restart(ids: list[int], restart: int) -> None:
    last: deque[int] = deque(maxlen=RING)
    expected = []
    for one in ids:
        expected.append(one not in last)
        last.extend([one] * expected[-1])
    ring = Ring()
    found = [ring.add(one) for one in ids[:restart]]
    ring = Ring.of_text(ring.text())
    found += [ring.add(one) for one in ids[restart:]]
    assert found == expected


def test_an_id_is_new_again_after_as_many_others() -> None:
    ring = Ring()
    assert [ring.add(one) for one in (*range(RING), 0, RING, 0, 1)] == [True] * RING + [False, True, True, True]
