"""Orbits, angles and the bidirectional effect."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from banet.simulation.overpasses import SATELLITES, geometry, overpasses, solar_zenith, view_zenith

DAY = np.datetime64("2021-08-01")


def test_the_cycle_repeats_after_16_days():
    first = overpasses(DAY, 16, 23.0, 38.0, ("N",))
    later = overpasses(DAY + 16, 16, 23.0, 38.0, ("N",))
    assert [p.time_h for p in first] == pytest.approx([p.time_h for p in later], abs=1e-6)
    assert [p.day for p in first] == [p.day for p in later]


@given(lon=st.floats(-179, 179), lat=st.floats(-69, 69))
@settings(max_examples=40, deadline=None)
def test_every_place_is_seen_by_day_and_by_night_near_half_past_one(lon, lat):
    found = overpasses(DAY, 6, lon, lat, ("N",))
    for by_day, middle in ((True, 13.5), (False, 1.5)):
        times = np.array([p.time_h for p in found if p.day == by_day])
        assert len(times) >= 5
        assert np.diff(times).max() < 25.8
        off = (times + lon / 15 - middle + 12) % 24 - 12
        # Poleward the swath spans several time zones and the track runs across them.
        assert np.abs(off).max() < 1.7 / np.cos(np.radians(lat)) + 0.5
        assert np.abs(off).min() < 1.2


def test_poleward_there_are_more_passes():
    count = [len(overpasses(DAY, 16, 10.0, lat, ("N",))) for lat in (0.0, 40.0, 65.0)]
    assert count[0] < count[1] < count[2]
    assert count[2] / 16 > 4


def test_the_track_is_where_the_real_granule_says():
    # Attributes of the real file of 2017-10-27 14:06: the nadir runs from 13.519 N, 12.275 W to
    # 34.570 N, 17.701 W.
    anchor = [p for p in overpasses(np.datetime64("2017-10-27"), 1, -12.275, 13.519, ("N",)) if p.day]
    best = min(anchor, key=lambda p: abs(p.time_h - 14.1))
    assert best.time_h == pytest.approx(14.1, abs=0.01)
    assert abs(view_zenith(best, np.array(-12.275), np.array(13.519))) < 0.1
    assert abs(view_zenith(best, np.array(-17.701), np.array(34.570))) < 1.0


@pytest.mark.real
def test_pass_times_agree_with_real_detections_four_years_after_the_anchor(real):
    tables = [pd.read_csv(f) for f in sorted((real / "firms").glob("VIIRS_*_SP_2021-08-*.csv"))]
    seen = pd.concat(tables)
    seen = seen[seen.longitude.between(22.5, 23.5) & seen.latitude.between(37.5, 38.5)]
    hours = (pd.to_datetime(seen.acq_date) - pd.Timestamp("2021-08-01")).dt.total_seconds() / 3600
    seen = seen.assign(hour=hours + seen.acq_time // 100 + seen.acq_time % 100 / 60)
    for satellite in ("N", "N20"):
        simulated = np.array([p.time_h for p in overpasses(DAY, 24, 23.0, 38.0, (satellite,))])
        real_hours = np.unique(seen.hour[seen.satellite == satellite])
        off = np.array([np.abs(simulated - h).min() for h in real_hours]) * 60
        assert len(real_hours) > 10
        # An overpass far off nadir may miss the place where the simulated centre is.
        assert np.median(off) < 2.5
        assert np.mean(off < 3) > 0.9


def test_the_sun_stands_where_it_should():
    # Solar noon at the equator on the equinox, and midnight sun beyond the circle in June.
    assert solar_zenith(np.datetime64("2021-03-20"), 12.0, np.array(0.0), np.array(0.0)) < 2.5
    assert solar_zenith(np.datetime64("2021-06-21"), 24.0, np.array(0.0), np.array(70.0)) < 90
    noon = solar_zenith(np.datetime64("2021-06-21"), 12.0, np.array(0.0), np.array(23.44))
    assert float(noon) == pytest.approx(0, abs=1.0)


def test_the_gain_is_one_above_and_larger_toward_the_sun():
    rows, cols = np.linspace(38.5, 37.5, 40), np.linspace(22.0, 24.0, 80)
    by_day = [p for p in overpasses(DAY, 16, 23.0, 38.0, ("N",)) if p.day]
    seen = [geometry(p, DAY, cols, rows, (0, 1)) for p in by_day]
    above = min(seen, key=lambda g: float(g.view_zenith.mean()))
    assert above.gain.shape == (2, 40, 80)
    assert np.abs(above.gain - 1).max() < 0.05
    # In the afternoon the sun is in the west: a satellite in the west looks along the light.
    side = [view_zenith(p, *np.meshgrid(cols, rows)).mean() for p in by_day]
    west = [g.gain[1].mean() for g, angle in zip(seen, side) if angle > 35]
    east = [g.gain[1].mean() for g, angle in zip(seen, side) if angle < -35]
    assert min(west) > max(east)


def test_interpolated_angles_are_close_to_exact_ones():
    rows, cols = np.linspace(44, 36, 300), np.linspace(-10, 5, 500)
    overpass = next(p for p in overpasses(DAY, 4, -2.5, 40.0, ("N",)) if p.day)
    angles = geometry(overpass, DAY, cols, rows, ())
    exact = view_zenith(overpass, *np.meshgrid(cols, rows))
    assert np.abs(angles.view_zenith - np.abs(exact)).max() < 0.5
    sun = solar_zenith(DAY, overpass.time_h, *np.meshgrid(cols, rows))
    assert np.abs(angles.solar_zenith - sun).max() < 0.2


def test_satellites_fly_apart():
    times = [min(p.time_h for p in overpasses(DAY, 1, 23.0, 38.0, (s,))) for s in SATELLITES]
    assert len({round(t, 1) for t in times}) == 3
