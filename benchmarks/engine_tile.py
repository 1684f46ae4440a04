"""Time and memory of one tile of 64 days x 128 x 128 cells by every engine, against the original's own code.

    python benchmarks/engine_tile.py [--oracle DIR] [--threads 2] [--rounds 5] [--out FILE]

Every contestant lives in a process of its own, so that its peak memory is its own, and they run in turn,
round after round, so that a busy machine is busy for all. `--oracle` names the folder of the unpacked
banet 0.6.7 wheel; without it the plain network stands in for it. Wall time is what a user waits for;
processor time over the threads is what remains of it on a machine that does nothing else. The floor is the
network's arithmetic over what a float32 matrix product of this machine reaches in the same rounds.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from about import peak_mib, record

ROOT = Path(__file__).resolve().parents[1]
NETS = ("width32-lstm", "width12", "width16-memory", "shipped")


def network(net: str):
    """Return a network: random weights with uneven statistics, or those that ship."""
    import torch

    from banet.model import BANet, BANetConfig, load_model

    if net == "shipped":
        return load_model("default")
    config = {"width12": BANetConfig.lean(12), "width16-memory": BANetConfig.remembering(16)}
    torch.manual_seed(0)
    model = BANet(config.get(net, BANetConfig.original())).eval()
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm3d):
            module.running_mean.normal_(0, 0.3)
            module.running_var.uniform_(0.3, 1.5)
    return model


def gflop_of(net: str) -> float:
    """Return the arithmetic of one cell and day, in GFLOP: two for each multiplication and addition."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    model, cells = network(net), 64 * 64 * 64
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(torch.zeros(1, model.config.channels, 64, 64, 64))
    # The counter does not know LSTMs: four gates of an input and a state a cell and day.
    lstm = 16 * model.config.width**2 if model.config.lstm else 0
    return (counter.get_total_flops() / cells + lstm) / 1e9


def build(engine: str, net: str, oracle: str | None, threads: int):
    """Return a callable from normalised days to logits, with weights that are the same for all."""
    import torch

    from banet.model import Engine
    from banet.model.compat import to_published

    torch.set_num_threads(threads)
    model = network(net)
    if engine in ("original", "plain"):
        run_on = model
        if engine == "original":
            sys.path.insert(0, str(ROOT))
            from tests.model_golden import load_oracle

            run_on = load_oracle(Path(oracle)).BA_Net(4, 1, 64).eval()
            run_on.load_state_dict(to_published(model.state_dict()))

        def run(x):
            with torch.no_grad():
                return run_on(x[None])[0, 0].numpy()

        return run
    member = Engine([model], engine, threads=threads)
    return lambda x: member.logits(x)[0]


def contestant(engine: str, net: str, oracle: str | None, threads: int, tile: list[int]) -> None:
    """Answer every line on standard input with the times of one tile."""
    import numpy as np
    import torch

    channels = 4 if engine == "original" else network(net).config.channels
    x = torch.randn((channels, *tile), generator=torch.Generator().manual_seed(1))
    before, begin = peak_mib(), time.perf_counter()
    run = build(engine, net, oracle, threads)
    logits = run(x)
    first = time.perf_counter() - begin
    np.save(sys.argv[sys.argv.index("--logits") + 1], logits)
    print(json.dumps({"first": first, "before_mib": before}), flush=True)
    for _ in sys.stdin:
        wall, cpu = time.perf_counter(), time.process_time()
        run(x)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        print(json.dumps({"wall": wall, "cpu": cpu, "peak_mib": peak_mib()}), flush=True)


def matrix_gflops(threads: int) -> float:
    """Return what a float32 matrix product reaches now."""
    import torch

    torch.set_num_threads(threads)
    a = torch.randn(2048, 2048)
    begin = time.perf_counter()
    torch.mm(a, a)
    return 2 * 2048**3 / 1e9 / (time.perf_counter() - begin)


def start(engine: str, net: str, args: argparse.Namespace, logits: Path) -> subprocess.Popen[str]:
    command = [sys.executable, __file__, "--contestant", engine, net, "--logits", str(logits)]
    command += ["--threads", str(args.threads), "--tile", *map(str, args.tile)]
    command += ["--oracle", args.oracle] if args.oracle else []
    path = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    env = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": str(args.threads)}
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)


def compare(net: str, args: argparse.Namespace, scratch: Path) -> dict[str, dict[str, float]]:
    """Run all engines on one network in turn and return their figures."""
    import numpy as np

    names = args.engines
    if not args.oracle or net != "width32-lstm":
        names = [name for name in names if name != "original"]
    paths = {name: scratch / f"{net}-{name}.npy" for name in names}
    children, rounds, figures = {}, {name: [] for name in names}, {}
    for name in names:  # one after the other: their first tiles shall not disturb one another
        children[name] = start(name, net, args, paths[name])
        figures[name] = json.loads(children[name].stdout.readline())
    gflops = []
    for _ in range(args.rounds):
        gflops.append(matrix_gflops(args.threads))
        for name, child in children.items():
            child.stdin.write("\n")
            child.stdin.flush()
            rounds[name].append(json.loads(child.stdout.readline()))
    for child in children.values():
        child.stdin.close()
        child.wait()
    reference = names[0]
    expected = 1 / (1 + np.exp(-np.load(paths[reference]).astype(np.float64)))
    for name in names:
        found = 1 / (1 + np.exp(-np.load(paths[name]).astype(np.float64)))
        ratios = sorted(r["wall"] / o["wall"] for r, o in zip(rounds[reference], rounds[name], strict=True))
        figures[name] |= {
            "wall_s": statistics.median(r["wall"] for r in rounds[name]),
            "wall_min_s": min(r["wall"] for r in rounds[name]),
            "cpu_over_threads_s": statistics.median(r["cpu"] for r in rounds[name]) / args.threads,
            "times_faster": statistics.median(ratios),
            "times_faster_range": [ratios[0], ratios[-1]],
            "peak_mib": rounds[name][-1]["peak_mib"],
            "max_difference": float(np.abs(found - expected).max()),
        }
    cells = args.tile[0] * args.tile[1] * args.tile[2]
    best = max(gflops)
    figures["floor"] = {"wall_s": gflop_of(net) * cells / best, "gflops": best}
    return figures


def installed() -> list[str]:
    """Return the engines for processor cores that can run here."""
    from banet.errors import InputError
    from banet.model.engine import choose_backend

    found = []
    for name in ("torch", "bfloat16"):
        try:
            found.append(choose_backend(name).name)
        except InputError:
            continue
    return found


def show(net: str, figures: dict[str, dict[str, float]]) -> None:
    print(f"\n{net}\n", flush=True)
    print("| engine | wall s | min s | cpu s a thread | times faster (range) | peak MiB | first s | max dp |")
    print("|---|---|---|---|---|---|---|---|")
    for name, row in figures.items():
        if name == "floor":
            print(f"| floor at {row['gflops']:.0f} GFLOP/s | {row['wall_s']:.2f} | | | | | | |")
            continue
        low, high = row["times_faster_range"]
        print(
            f"| {name} | {row['wall_s']:.2f} | {row['wall_min_s']:.2f} | {row['cpu_over_threads_s']:.2f} "
            f"| {row['times_faster']:.2f} ({low:.2f}-{high:.2f}) | {row['peak_mib']:.0f} "
            f"| {row['first']:.2f} | {row['max_difference']:.1e} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--oracle", help="folder of the unpacked banet 0.6.7 wheel")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tile", type=int, nargs=3, default=[64, 128, 128])
    parser.add_argument("--engines", nargs="+", default=["original", "plain", *installed()])
    parser.add_argument("--nets", nargs="+", default=list(NETS), choices=NETS)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--contestant", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--logits", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.contestant:
        contestant(*args.contestant, args.oracle, args.threads, args.tile)
        return
    import tempfile

    results = {}
    with tempfile.TemporaryDirectory() as folder:
        for net in args.nets:
            results[net] = compare(net, args, Path(folder))
            show(net, results[net])
    record(args.out, threads=args.threads, tile=args.tile, rounds=args.rounds, results=results)


if __name__ == "__main__":
    main()
