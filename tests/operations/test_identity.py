"""Names of fires from morning to morning: kept, never used twice, never known beforehand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from banet.errors import InputError
from banet.operations.identity import ENDED_AFTER, Cells, Register, Status

FIRST = np.datetime64("2020-08-01")
WINDOW = FIRST - 40
D = int(FIRST.astype(np.int64))


def cells(*places, day=D):
    return Cells.of(places, np.full(len(places), day) if np.isscalar(day) else day)


def morning(register, number, *found, names=None, window=WINDOW):
    names = names or [f"N{number}-{i}" for i in range(len(found))]
    return register.after(FIRST + number, found, names, window)


def test_a_fire_keeps_its_name_while_it_grows_and_rests_and_ends():
    register, names = morning(Register(), 0, cells(1, 2, 3))
    assert names == ("N0-0",)
    assert register.fires["N0-0"].status is Status.NEW
    register, names = morning(register, 1, cells(1, 2, 3, 4))
    assert names == ("N0-0",)
    assert register.fires["N0-0"].status is Status.GROWN
    register, _ = morning(register, 2, cells(1, 2, 3, 4))
    assert register.fires["N0-0"].status is Status.QUIET
    register, _ = morning(register, 2 + ENDED_AFTER, cells(1, 2, 3, 4))
    assert register.fires["N0-0"].status is Status.ENDED
    assert register.fires["N0-0"].first_seen == FIRST


def test_fires_that_meet_keep_the_oldest_name_and_list_the_others():
    register, _ = morning(Register(), 0, cells(1, 2))
    register, _ = morning(register, 1, cells(1, 2), cells(10, 11, 12, 13))
    register, names = morning(register, 2, cells(1, 2, 3, 10, 11, 12, 13))
    assert names == ("N0-0",)
    assert register.fires["N0-0"].merged == ("N1-1",)
    assert register.fires["N1-1"].status is Status.MERGED
    assert register.fires["N1-1"].into == "N0-0"


def test_a_fire_that_parts_keeps_its_name_at_the_larger_part():
    register, _ = morning(Register(), 0, cells(*range(10)))
    register, names = morning(register, 1, cells(0, 1, 2), cells(4, 5, 6, 7, 8, 9))
    assert names == ("N1-0", "N0-0")


def test_a_name_is_never_used_for_two_fires():
    register, _ = morning(Register(), 0, cells(1, 2), names=["A"])
    register, names = morning(register, 1, cells(50, 51), names=["A"])
    assert names == ("A-2",)
    assert register.fires["A"].status is Status.WITHDRAWN
    later, _ = morning(register, 70, window=FIRST + 7)  # its cells have left the window
    assert later.fires["A"].status is Status.WITHDRAWN


def test_a_withdrawn_fire_that_comes_back_has_its_old_name():
    register, _ = morning(Register(), 0, cells(1, 2))
    register, _ = morning(register, 1)
    register, names = morning(register, 2, cells(2, 3))
    assert names == ("N0-0",)


def test_a_cell_that_burns_again_much_later_is_another_fire():
    register, _ = morning(Register(), 0, cells(1, 2, day=D - 39))
    _, names = morning(register, 1, cells(1, 2, day=D))
    assert names == ("N1-0",)


@pytest.mark.parametrize(("days", "kept"), [(8, "N0-0"), (9, "N1-0")])
def test_a_cell_may_be_dated_anew_by_eight_days_and_is_the_same_burning(days, kept):
    register, _ = morning(Register(), 0, cells(1, 2))
    _, names = morning(register, 1, cells(1, 2, day=D - days))
    assert names == (kept,)


def test_the_older_of_two_fires_is_the_one_that_was_named_first_whenever_it_began():
    register, _ = morning(Register(), 0, cells(1, 2))
    register, _ = morning(register, 1, cells(1, 2), cells(10, 11, 12, day=D - 5))
    _, names = morning(register, 2, cells(1, 2, 10, 11, 12, day=[D, D, D - 5, D - 5, D - 5]))
    assert names == ("N0-0",)


def test_quiet_fires_that_meet_last_grew_when_one_of_them_did():
    register, _ = morning(Register(), 0, cells(1, 2))
    register, _ = morning(register, 2, cells(1, 2), cells(10, 11))
    register, names = morning(register, 1 + ENDED_AFTER, cells(1, 2, 10, 11))
    met = register.fires[names[0]]
    assert (met.id, met.last_grown, met.status) == ("N0-0", FIRST + 2, Status.QUIET)


def test_cells_that_left_the_window_stay_with_their_fire():
    register, _ = morning(Register(), 0, cells(1, 2, 3, day=[D - 3, D - 2, D - 1]))
    register, names = morning(register, 1, cells(2, 3, 4, day=[D - 2, D - 1, D]), window=FIRST - 2)
    assert names == ("N0-0",)
    assert register.fires["N0-0"].cells.place.tolist() == [1, 2, 3, 4]
    register, _ = morning(register, 30, window=FIRST + 5)
    assert register.fires["N0-0"].status is Status.ENDED


def test_a_morning_comes_after_the_one_before():
    register, _ = morning(Register(), 0, cells(1))
    with pytest.raises(InputError, match="not after"):
        morning(register, 0, cells(1))
    with pytest.raises(InputError, match="2 fires with 1 names"):
        Register().after(FIRST, [cells(1), cells(2)], ["A"], WINDOW)


PARTITION = st.lists(st.integers(0, 4), min_size=12, max_size=12)


@settings(max_examples=200, deadline=None)
@given(st.lists(PARTITION, min_size=2, max_size=6))
def test_whatever_comes_names_are_single_and_change_only_by_merging(mornings):
    """Each morning's label of 12 places, 0 for not burned; two labels are two fires."""
    register, before = Register(), {}
    for number, labels in enumerate(mornings):
        found = [cells(*np.flatnonzero(np.array(labels) == label)) for label in sorted(set(labels) - {0})]
        register, names = morning(register, number, *found, names=["X"] * len(found))
        assert len(set(names)) == len(names)
        for name, fire in before.items():
            assert register.fires[name].first_seen == fire.first_seen
            if fire.into is not None:
                assert register.fires[name].into == fire.into
        for name in names:
            assert register.fires[name].into is None
        before = dict(register.fires)


@settings(max_examples=50, deadline=None)
@given(st.lists(PARTITION, min_size=3, max_size=5), PARTITION)
def test_names_do_not_depend_on_later_mornings(mornings, other):
    def replay(sequence):
        register, given_names = Register(), []
        for number, labels in enumerate(sequence):
            found = [cells(*np.flatnonzero(np.array(labels) == k)) for k in sorted(set(labels) - {0})]
            register, names = morning(register, number, *found)
            given_names.append(names)
        return given_names

    assert replay([*mornings[:-1], other])[:-1] == replay(mornings)[:-1]


def test_a_fire_is_compared_with_those_alone_that_share_a_cell(monkeypatch):
    compared = []
    shared = Cells.shared
    monkeypatch.setattr(Cells, "shared", lambda mine, other: compared.append(1) or shared(mine, other))
    many = [cells(10 * number, 10 * number + 1) for number in range(200)]
    register, first = morning(Register(), 0, *many)
    _, second = morning(register, 1, *many)
    assert second == first
    assert len(compared) == 200
