"""Engines: every back end equals the plain network, for any shape, ensemble and number of threads."""

from __future__ import annotations

import gc
import os
import pickle
import time
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from torch import nn

from banet.errors import BanetError, InputError
from banet.model import device
from banet.model import engine as engine_module
from banet.model.config import BANetConfig, InputSpec
from banet.model.engine import BACKENDS, Engine, choose_backend, knows_bfloat16
from banet.model.folded import fold
from banet.model.network import BANet, ConvNorm
from banet.model.part import cut
from banet.model.runner import Runner
from banet.model.temporal_context import TemporalContext
from banet.model.weights import WeightsFile, list_weights, load_model

SHALLOW = BANetConfig(width=6, multipliers=(1, 2, 3), space_kernels=(7, 3, 3), time_kernels=(7, 5, 3))
CONFIGS = [
    SHALLOW,
    SHALLOW.model_copy(update={"lstm": False}),
    BANetConfig(width=8),
    BANetConfig.lean(12),
    BANetConfig.remembering(8, time_kernels=(5, 1, 3, 3)),
    BANetConfig.lean(5, head_kernel=1, space_kernels=(1, 5, 3, 3, 3)),
]


def named(config: BANetConfig) -> str:
    return f"{config.width}-{len(config.multipliers)}-{config.lstm}"


def trained(config: BANetConfig, seed: int = 0) -> BANet:
    """A network whose statistics and weights are as uneven as trained ones."""
    torch.manual_seed(seed)
    model = BANet(config).eval()
    for module in model.modules():
        if isinstance(module, (nn.Conv3d, nn.ConvTranspose3d)):
            module.weight.data.mul_(2)
        if isinstance(module, nn.BatchNorm3d):
            for tensor in (module.running_mean, module.bias.data):
                tensor.normal_(0, 0.3)
            for tensor in (module.running_var, module.weight.data):
                tensor.uniform_(0.3, 1.5)
    return model


def days(config: BANetConfig, *times: int, seed: int = 1) -> torch.Tensor:
    """Random normalised input of so many multiples of the least size."""
    shape = [n * m for n, m in zip(times or (1, 1, 1), config.multiple, strict=True)]
    return torch.randn((config.channels, *shape), generator=torch.Generator().manual_seed(seed))


def plain(model: BANet, x: torch.Tensor) -> torch.Tensor:
    with torch.inference_mode():
        return model(x[None])[0, 0]


@pytest.mark.parametrize("config", CONFIGS, ids=named)
@pytest.mark.parametrize("block_bytes", [1, 1 << 30])
def test_torch_equals_the_plain_network(
    config: BANetConfig, block_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device, "BLOCK_BYTES", block_bytes)
    monkeypatch.setattr(device, "BAND_BYTES", block_bytes)
    model, x = trained(config), days(config, 2, 1, 2)
    expected = plain(model, x)
    assert expected.std() > 0.02
    engine = Engine([model], "torch", threads=2)
    for _ in range(2):  # the second call works in kept memory
        found = torch.from_numpy(engine.logits(x))[0]
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


PARTS = [
    (slice(17, 48), slice(None), slice(None)),
    (slice(0, 1), slice(1, 2), slice(63, 64)),
    (slice(5, 30), slice(7, 40), slice(16, 33)),
    (slice(-3, None), slice(31, None), slice(0, 5)),
]


@pytest.mark.parametrize("config", CONFIGS, ids=named)
def test_parts_are_what_the_whole_answer_holds_there(config: BANetConfig) -> None:
    size = [64 // m for m in config.multiple]
    model, x = trained(config), days(config, *size)
    engine, whole = Engine([model], "torch", threads=2), plain(model, x)
    for part in PARTS:
        found = torch.from_numpy(engine.logits(x, part)[0])
        torch.testing.assert_close(found, whole[part], rtol=1e-5, atol=1e-5)


needs_bfloat16 = pytest.mark.skipif(not knows_bfloat16(), reason="the processor does not know bfloat16")


@needs_bfloat16
@pytest.mark.parametrize("config", CONFIGS, ids=named)
def test_bfloat16_is_near_the_plain_network(config: BANetConfig) -> None:
    model, x = trained(config), days(config, 2, 2, 2)
    expected = plain(model, x).sigmoid()
    found = torch.from_numpy(Engine([model], "bfloat16", threads=2).probabilities(x))
    assert (found - expected).abs().max() < 0.05
    assert 1e-7 < (found - expected).abs().mean() < 5e-3


def test_bfloat16_is_refused_where_the_processor_does_not_know_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "knows_bfloat16", lambda: False)
    with pytest.raises(InputError, match="this one does not"):
        choose_backend("bfloat16")


def test_a_part_without_cells_is_refused() -> None:
    engine = Engine([trained(SHALLOW)], "torch", threads=1)
    for wrong in ((slice(0, 4), slice(5, 5), slice(None)), (slice(0, 4, 2), slice(None), slice(None))):
        with pytest.raises(InputError, match="empty or has steps"):
            engine.logits(days(SHALLOW), wrong)


@pytest.mark.cuda
def test_cuda_equals_the_plain_network() -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    for config in (BANetConfig.original(), *CONFIGS):
        model = trained(config)
        x = days(config, 2, 2, 2)
        expected = plain(model, x).sigmoid()
        for engine, atol in (("cuda", 1e-4), ("cuda-bfloat16", 2e-2)):
            found = torch.from_numpy(Engine([model], engine).probabilities(x))
            torch.testing.assert_close(found, expected, rtol=0, atol=atol)


@pytest.mark.parametrize("config", CONFIGS, ids=named)
def test_what_runs_on_cuda_equals_the_plain_network_on_a_processor(config: BANetConfig) -> None:
    model = trained(config)
    x = days(config, 2, 1, 2)
    expected = plain(model, x)
    box = tuple((size // 4, size) for size in x.shape[1:])
    before = torch.backends.cudnn.allow_tf32
    exact = Runner(model, device.ThreadTeam(1, whole=True))(x, box)[0]
    torch.testing.assert_close(exact, cut(expected, box), rtol=0, atol=1e-4)
    brief = Runner(model, device.ThreadTeam(1, whole=True), torch.bfloat16)(x, box)[0]
    torch.testing.assert_close(brief.sigmoid(), cut(expected, box).sigmoid(), rtol=0, atol=2e-2)
    assert not torch.equal(brief, exact)
    assert torch.backends.cudnn.allow_tf32 == before


def test_ensemble_is_the_mean_of_its_members() -> None:
    models = [trained(SHALLOW, seed) for seed in range(3)]
    x = days(SHALLOW)
    engine = Engine(models, "torch", threads=1)
    assert len(engine) == 3
    expected = torch.stack([plain(model, x).sigmoid() for model in models]).mean(0)
    found = engine.probabilities(x.numpy())
    assert found.dtype == np.float32
    torch.testing.assert_close(torch.from_numpy(found), expected, rtol=0, atol=1e-5)
    assert engine.logits(x).shape == (3, *x.shape[1:])


def test_members_of_other_widths_and_depths_can_be_one_ensemble() -> None:
    models = [trained(SHALLOW), trained(BANetConfig.lean(4))]
    engine = Engine(models, "torch", threads=1)
    assert engine.multiple == (16, 32, 32)
    assert engine.probabilities(days(models[1].config)).shape == (16, 32, 32)


def test_any_size_is_padded_with_missing_and_cropped() -> None:
    model = trained(SHALLOW)
    model.spec = InputSpec(sensor="x")
    x = days(SHALLOW, 2, 2, 2)[:, :7, :9, :13]
    engine = Engine([model], "torch", threads=1)
    whole = torch.tensor(model.spec.missing).view(-1, 1, 1, 1).expand(4, 8, 16, 16).clone()
    whole[:, :7, :9, :13] = x
    found = engine.probabilities(x)
    assert found.shape == (7, 9, 13)
    expected = plain(model, whole).sigmoid()[:7, :9, :13]
    torch.testing.assert_close(torch.from_numpy(found), expected, rtol=0, atol=1e-5)


def test_results_do_not_depend_on_threads_or_earlier_tiles() -> None:
    model = trained(SHALLOW)
    x, other = days(SHALLOW, 2, 3, 2), days(SHALLOW, 1, 2, 5, seed=9)
    one, three = Engine([model], "torch", threads=1), Engine([model], "torch", threads=3)
    first = three.probabilities(x)
    three.probabilities(other)
    np.testing.assert_array_equal(three.probabilities(x), first)
    np.testing.assert_array_equal(one.probabilities(x), first)


def test_an_engine_that_rested_gives_the_same() -> None:
    engine, x = Engine([trained(CONFIGS[4])]), days(CONFIGS[4])
    before = engine.logits(x)
    engine.rest()
    np.testing.assert_array_equal(engine.logits(x), before)


def test_a_team_that_rests_keeps_no_array() -> None:
    team = device.ThreadTeam(1)
    place = team.room(0, (1000,), torch.float32).data_ptr()
    assert team.room(0, (500,), torch.float32).data_ptr() == place
    others = [
        weakref.ref(one) for one in gc.get_objects() if type(one) is torch.Tensor and one.numel() == 1000
    ]
    assert [one for one in others if one() is not None]
    team.rest()
    assert [one for one in others if one() is not None] == []


def test_one_engine_serves_many_threads() -> None:
    engine = Engine([trained(SHALLOW)], "torch", threads=2)
    inputs = [days(SHALLOW, 1, i % 3 + 1, 1, seed=i) for i in range(12)]
    expected = [engine.probabilities(x) for x in inputs]
    with ThreadPoolExecutor(4) as pool:
        for found, one in zip(pool.map(engine.probabilities, inputs), expected, strict=True):
            np.testing.assert_array_equal(found, one)


def test_building_and_running_leaves_torch_and_the_model_as_they_were() -> None:
    threads, model = torch.get_num_threads(), trained(SHALLOW)
    before = {key: tensor.clone() for key, tensor in model.state_dict().items()}
    x = days(SHALLOW)
    kept = x.clone()
    Engine([model], "torch", threads=2).probabilities(x)
    assert torch.get_num_threads() == threads
    assert torch.equal(x, kept)
    assert all(torch.equal(model.state_dict()[key], tensor) for key, tensor in before.items())


def test_training_a_network_on_does_not_change_its_engine() -> None:
    model, x = trained(SHALLOW), days(SHALLOW)
    engine = Engine([model], "torch", threads=1)
    expected = engine.probabilities(x)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1)
    np.testing.assert_array_equal(engine.probabilities(x), expected)


@pytest.mark.parametrize("entry", [e for e in list_weights() if e.origin == "shipped"], ids=lambda e: e.name)
@pytest.mark.parametrize("engine", ["torch", pytest.param("cuda", marks=pytest.mark.cuda)])
def test_shipped_weights_give_the_same_map_by_every_engine(entry: WeightsFile, engine: str) -> None:
    if engine == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    model = load_model(entry.name)
    x = days(model.config, 2, 2, 2)
    # Fires on some days: the input on which probabilities leave zero.
    x[model.spec.channels.index("frp"), 10:14, 20:30, 20:30] = 4.0
    expected = plain(model, x).sigmoid()
    found = torch.from_numpy(Engine([model], engine).probabilities(x))
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-4)
    sums = expected.sum(0), found.sum(0)
    assert torch.equal(*((total >= 0.5) for total in sums))
    burned = sums[0] >= 0.5
    assert burned.any()
    assert torch.equal(expected.argmax(0)[burned], found.argmax(0)[burned])


def test_engines_travel_by_pickle() -> None:
    engine = Engine([trained(SHALLOW)], "torch", threads=1)
    x = days(SHALLOW)
    again = pickle.loads(pickle.dumps(engine))
    assert again.backend.threads == 1
    np.testing.assert_array_equal(again.probabilities(x), engine.probabilities(x))


def failing(error: Exception) -> Engine:
    """An engine whose only member raises."""
    engine = Engine([trained(SHALLOW)], "torch", threads=1)

    def member(_: torch.Tensor, __: object) -> torch.Tensor:
        raise error

    engine._members = [member]
    return engine


@pytest.mark.parametrize("error", [RuntimeError("can't allocate memory: 8 bytes"), MemoryError()])
def test_too_large_a_tile_says_so(error: Exception) -> None:
    with pytest.raises(BanetError, match="not enough memory for a tile of 4 x 8 x 8"):
        failing(error).probabilities(days(SHALLOW))


def test_other_errors_pass_and_the_engine_stays_usable() -> None:
    engine = failing(RuntimeError("something else"))
    for _ in range(2):
        with pytest.raises(RuntimeError, match="something else"):
            engine.probabilities(days(SHALLOW))


def test_an_error_in_one_block_is_raised_after_all_have_stopped() -> None:
    done = []

    def work(start: int, stop: int) -> None:
        if start == 0:
            raise ValueError("block 0")
        time.sleep(0.01)
        done.append(start)

    with pytest.raises(ValueError, match="block 0"):
        device.ThreadTeam(2).blocks(6, 6 * device.BLOCK_BYTES, work)
    assert sorted(done) == [1, 2, 3, 4, 5]


def test_blocks_cover_every_row_once() -> None:
    for rows in range(1, 20):
        seen: list[int] = []
        device.ThreadTeam(3).blocks(
            rows, rows * device.BLOCK_BYTES // 3, lambda a, b, seen=seen: seen.extend(range(a, b))
        )
        assert sorted(seen) == list(range(rows))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_process_gets_threads_of_its_own() -> None:
    crew = device.ThreadTeam(2)
    pid = os.fork()
    if pid == 0:
        seen: list[int] = []
        crew.blocks(3, 1, lambda a, b: seen.extend(range(a, b)))
        os._exit(0 if sorted(seen) == [0, 1, 2] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


@pytest.mark.parametrize("up", [False, True])
def test_folding_a_dead_channel_keeps_the_answer(up: bool) -> None:
    torch.manual_seed(0)
    layer = ConvNorm(3, 5, (1, 2, 2) if up else (1, 3, 3), (1, 2, 2), up=up).eval()
    assert layer.norm.running_var is not None
    layer.norm.running_var.copy_(torch.tensor([1.0, 1e-12, 1e4, 0.2, 1.0]))
    x = torch.randn(1, 3, 2, 8, 8)
    weight, bias = fold(layer)
    convolve = nn.functional.conv_transpose3d if up else nn.functional.conv3d
    with torch.inference_mode():
        expected = layer(x)
        padding = layer.conv.padding if not up else 0
        found = convolve(x, weight, bias, layer.conv.stride, padding).relu()  # type: ignore[operator]
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("x", "match"),
    [
        (torch.zeros(3, 4, 8, 8), r"takes \(4, days"),
        (torch.zeros(1, 4, 4, 8, 8), r"found \(1, 4, 4, 8, 8\)"),
        (torch.zeros(4, 4, 0, 8), "found"),
        (torch.full((4, 4, 8, 8), torch.nan), "NaN"),
        (torch.full((4, 4, 8, 8), torch.inf), "NaN or infinity"),
    ],
)
def test_wrong_inputs_are_refused(x: torch.Tensor, match: str) -> None:
    with pytest.raises(InputError, match=match):
        Engine([trained(SHALLOW)], "torch", threads=1).probabilities(x)


def test_wrong_ensembles_are_refused() -> None:
    with pytest.raises(InputError, match="at least one model"):
        Engine([])
    with pytest.raises(InputError, match="2 outputs"):
        Engine([BANet(SHALLOW.model_copy(update={"classes": 2}))])
    with pytest.raises(InputError, match="5 inputs"):
        Engine([BANet(SHALLOW.model_copy(update={"channels": 5}))])
    with pytest.raises(InputError, match="differently scaled"):
        Engine([BANet(SHALLOW), BANet(SHALLOW, InputSpec(mean=(0, 0, 0, 0)))])


def test_choosing_says_what_and_why() -> None:
    chosen = choose_backend()
    assert chosen.name in BACKENDS
    assert chosen.name == ("cuda" if torch.cuda.is_available() else "torch")
    assert chosen.reason in str(chosen)
    assert choose_backend("torch", 3).threads == 3
    with pytest.raises(InputError, match="no engine named 'tpu'; known engines: auto, torch"):
        choose_backend("tpu")
    with pytest.raises(InputError, match="at least one thread"):
        choose_backend("torch", 0)


def test_engines_that_cannot_run_here_say_how_to_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for name in ("openvino", "onnx"):
        with pytest.raises(InputError, match=f"no engine named '{name}'; known engines: auto, torch"):
            choose_backend(name)
    for name in ("cuda", "cuda-bfloat16"):
        with pytest.raises(InputError, match=f"the {name} engine needs a CUDA device"):
            choose_backend(name)


@pytest.mark.parametrize("config", CONFIGS, ids=named)
def test_all_that_a_network_computes_with_lies_on_its_device(
    config: BANetConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Arithmetic between the processor and this device, which holds shapes alone, is refused by torch.
    # Its autocast does not know the device; the temporal context uses it.
    monkeypatch.setattr(TemporalContext, "remember", lambda self, x: self._remember(x.float()))
    runner = Runner(trained(config), device.ThreadTeam(1, "meta"))
    x = days(config, 2, 2, 2).to("meta")
    box = tuple((size // 4, size) for size in x.shape[1:])
    with torch.inference_mode():
        found = runner._logits_of(x, box)
    assert found.device.type == "meta"
    assert found.shape == (1, *(stop - start for start, stop in box))
