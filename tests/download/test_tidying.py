"""Removal of old raw files: only of names that were downloaded, and never of a day that is still needed."""

from __future__ import annotations

from banet.days import as_day
from banet.download import remove_older
from banet.download.tidying import set_aside


def test_old_granules_and_tables_go_and_all_else_stays(tmp_path):
    viirs, tables = tmp_path / "viirs", tmp_path / "hotspots"
    old = [
        viirs / "VNP02MOD.A2021120.1324.002.2021120194400.nc",
        viirs / "deep" / "VJ109GA_NRT.A2020366.h17v05.002.2024001000000.h5",
        viirs / "SVM05_npp_d20210430_t1324000_e1325242_b49304_c20210430140000000000_oebc_ops.h5",
        viirs / "GMTCO-SVM05_j01_d20210430_t0000000_e0001242_b49304_c20210501140000000000_oebc_ops.h5",
        viirs / "NPP_VMAES_L1.A2021120.1324.001.2020162184451.psrpgscs_000501412525.Radiance_M12.hdf",
        tables / "firms_VIIRS_SNPP_SP_M-7d72af_20210426_20210430.csv",
        tables / "firms_VIIRS_SNPP_NRT_M-7d72af_20210426_20210430_early.csv",
        viirs / "VNP02MOD.A2021120.1324.002.2021120194400.nc.damaged",
    ]
    kept = [
        viirs / "VNP02MOD.A2021121.1324.002.2021120194400.nc",
        viirs / "SVM05_npp_d20210501_t1324000_e1325242_b49304_c20210501140000000000_oebc_ops.h5",
        viirs / "VNP02MOD.A2021999.1324.002.2021120194400.nc",
        viirs / "notes.txt",
        tables / "firms_VIIRS_SNPP_NRT_M-7d72af_20210429_20210501_open.csv",
        tables / "fire_archive_2020.csv",
    ]
    for file in (*old, *kept):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("x")
    gone = remove_older([viirs, tables, tmp_path / "none"], as_day("2021-05-01"))
    assert sorted(gone) == sorted(old)
    assert all(file.exists() for file in kept)
    assert not any(file.exists() for file in old)


def test_a_file_is_set_aside_until_the_same_bytes_come_again(tmp_path):
    file = tmp_path / "VNP02MOD.A2021121.1324.002.2021120194400.nc"
    found = []
    for body in (b"abc", b"abd", b"abd"):
        file.write_bytes(body)
        found.append((set_aside(file), file.exists()))
    assert found == [(True, False), (True, False), (False, True)]
