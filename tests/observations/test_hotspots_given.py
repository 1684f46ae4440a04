"""Tables of hot spots that a program hands over: as good as those of files, or refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from banet.errors import InputError
from banet.grid.region import Region
from banet.observations.hotspots import fires_of, given_hotspots, read_hotspots

REGION = Region("T", (21.8, 37.17, 21.95, 37.29), 0.01)


def table(**columns: object) -> pd.DataFrame:
    times = pd.to_datetime(["2021-08-03 10:00", "2021-08-03 11:00", "2021-08-04 12:00"])
    fires = {
        "longitude": [21.85, 21.86, 21.87],
        "latitude": [37.2] * 3,
        "time": times,
        "frp": [3.0, 5.0, 7.0],
    }
    return pd.DataFrame(fires | {"type": [0, 2, 0]} | columns)


def total(given: pd.DataFrame) -> float:
    frp, _ = fires_of(given_hotspots(given), REGION, np.datetime64("2021-08-03"))
    assert frp is not None
    return float(frp.sum())


def test_text_of_numbers_is_what_it_says():
    assert total(table()) == 3
    text = {"type": ["0", "2", "0"], "frp": ["3.0", "5.0", "7.0"], "latitude": ["37.2"] * 3}
    assert total(table(**text)) == 3
    assert total(table(type=pd.array([None, 2, 0], "Int8"))) == 3
    with pytest.raises(InputError, match="type of the hot spots holds what is no number"):
        given_hotspots(table(type=["fire", "volcano", "fire"]))


def test_rows_that_say_too_little_are_counted_as_of_a_file():
    known = given_hotspots(given := table(frp=[np.nan, 5.0, -1.0]))
    assert known.attrs["notes"] == ("the table given: 2 rows without a fire radiative power count as 0 MW",)
    assert given["frp"][2] == -1 and not given.attrs  # the caller's own is left alone
    known = given_hotspots(table(latitude=[np.nan, 37.2, 37.2]))
    assert len(known) == 2
    assert known.attrs["notes"] == ("1 without position or time (the table given) left out",)
    with pytest.raises(InputError, match="0 of 3 hot spots used; left out: 3 without position or time"):
        given_hotspots(table(time=pd.to_datetime([None] * 3)))


def test_places_and_powers_that_cannot_be_are_counted():
    """Filling values became a row at 81 degrees east, a power of 0, or an IndexError."""
    known = given_hotspots(table(latitude=[-9999, 37.2, 37.2], frp=[3.0, np.inf, 7.0]))
    assert known["frp"].tolist()[1] == 7 and np.isnan(known["frp"][0])
    assert known.attrs["notes"] == (
        "1 with a position that cannot be (the table given) left out",
        "the table given: 1 rows without a fire radiative power count as 0 MW",
    )
    assert len(given_hotspots(table(longitude=[-9999, 381.85, 21.87]))) == 1
    assert total(table(longitude=[381.85 - 360, 21.86, 21.87])) == 3


def test_what_is_neither_table_nor_file_is_told():
    with pytest.raises(InputError, match="hot spots are files, folders or a table of them, not 5"):
        given_hotspots(5)


def test_a_table_that_was_read_keeps_what_is_known_of_it(tmp_path):
    lines = [
        "latitude,longitude,acq_date,acq_time,satellite,confidence,frp",
        "37.2,21.9,2021-08-03,1130,N,n,",
    ]
    (tmp_path / "f.csv").write_text("\n".join(lines))
    read = read_hotspots(tmp_path / "f.csv")
    assert given_hotspots(read) is read
