"""A cube day of the seven real HDF4 files, held against values computed straight from the files' integers.

    python benchmarks/real_gridded.py [--real FOLDER]

`straight` below knows nothing of banet: pyhdf, numpy and the formula of Pinto et al. (2020).
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
from pyhdf.SD import SD

COLUMNS = (
    "latitude,longitude,bright_ti4,scan,track,acq_date,acq_time,satellite,instrument,"
    "confidence,version,bright_ti5,frp,daynight,type"
)
FIRES = """\
36.0051,-8.4949,330.1,0.4,0.4,2017-10-27,1406,N,VIIRS,n,2,290.1,12.5,D,0
36.0049,-8.4951,335.0,0.4,0.4,2017-10-27,0212,N,VIIRS,h,2,288.0,7.5,N,0
40.0049,-3.0049,331.0,0.4,0.4,2017-10-27,1406,N,VIIRS,n,2,291.0,3.0,D,2
"""


def straight(folder: Path) -> dict[str, np.ndarray]:
    """Red, NIR and MIR reflectance, NaN where missing."""
    band = {}
    for name in ("Reflectance_M5", "Reflectance_M7", "Radiance_M12", "Radiance_M15", "SolarZenithAngle"):
        data = SD(str(next(folder.glob(f"*.{name}.hdf")))).select(name)
        raw, fact = data[:].astype(float), data.attributes()
        band[name] = np.where(
            (raw > -999) & (raw < 65527), raw * fact.get("Scale", 1) + fact.get("Offset", 0), np.nan
        )
    m12, m15, sun = band["Radiance_M12"], band["Radiance_M15"], np.cos(np.radians(band["SolarZenithAngle"]))
    kelvin = 1.439e4 / (10.7343 * np.log(1.1911e8 / (10.7343**5 * m15) + 1))
    emitted = 1.1911e8 / 3.6966**5 / (np.exp(1.439e4 / (3.6966 * kelvin)) - 1)
    mir = np.maximum((m12 - emitted) / (11.7881 * sun / np.pi - emitted), 0)
    return {"red": band["Reflectance_M5"], "nir": band["Reflectance_M7"], "mir": mir}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--real", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "real")
    files = parser.parse_args().real / "viirs_l1_gridded"

    from banet.grid.region import Region
    from banet.ingest.folder import build_cube

    with tempfile.TemporaryDirectory() as folder:
        fires = Path(folder, "hotspots.csv")
        fires.write_text(f"{COLUMNS}\n{FIRES}")
        cube = build_cube(Region.load("PI"), files, fires, Path(folder, "PI.zarr"))
        window = cube.read("2017-10-27", "2017-10-28")
    for name, true in straight(files).items():
        got = getattr(window, name)[0]
        both = np.isfinite(true)
        same = (np.isfinite(got) == both).all()
        error = np.abs(got - true)[both].max()
        low, high = true[both].min(), true[both].max()
        print(f"{name}: {both.sum()} cells, {low:.4f} to {high:.4f}, same cells {same}, off by {error:.1e}")
    hot = [tuple(cell) for cell in np.argwhere(window.frp[0] > 0)]
    print("FRP:", ", ".join(f"row {row} column {col} {window.frp[0, row, col]:.1f} MW" for row, col in hot))


if __name__ == "__main__":
    main()
