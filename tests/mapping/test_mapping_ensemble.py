"""How large the tiles of an ensemble are: as its network and what computes it take memory."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from banet.errors import InputError
from banet.mapping.cores import seamless_tiling
from banet.mapping.ensemble import as_ensemble
from banet.model.config import BANetConfig, InputSpec
from banet.model.network import BANet

NARROW, WIDE = BANetConfig.remembering(16), BANetConfig.remembering(32)


def ensemble(backend, *configs):
    models = tuple(BANet(config) for config in configs)
    named = None if backend is None else SimpleNamespace(name=backend)
    return as_ensemble(SimpleNamespace(probabilities=None, spec=InputSpec(), models=models, backend=named))


@pytest.mark.parametrize(
    ("backend", "configs", "tile"),
    [
        (None, [NARROW], 448),
        ("torch", [NARROW], 448),
        ("torch", [BANetConfig.original()], 448),
        ("torch", [WIDE], 352),
        ("torch", [NARROW, WIDE], 352),
        ("bfloat16", [WIDE], 448),
    ],
)
def test_a_tile_is_as_large_as_what_computes_it_allows(backend, configs, tile):
    found = ensemble(backend, *configs)
    assert found.tile == tile
    tiling = seamless_tiling((1700, 4100), found.tile, found.margin, found.align)
    sizes = [tiling.tile(core.index).size for core in tiling.cores]
    assert max(rows * cols for rows, cols in sizes) <= tile * tile


@pytest.mark.parametrize("odd", [None, 3, [None]])
def test_weights_that_are_none_are_told(odd):
    with pytest.raises(InputError, match="weights are a name, a path, a network or several of these, not"):
        as_ensemble(odd)
