#!/usr/bin/env bash
# On a bare machine with CUDA torch, in under 12 minutes: the CUDA tests, the time of a tile by every engine, and
# a training run on all cores and the GPU that goes on from weights. Leaves all in one folder.
#
#   bash benchmarks/gpu.sh OUT [WEIGHTS]
#
# WEIGHTS are a name or a file to go on from (`default` if not given). From the environment: CONFIG (the recipe,
# configs/default.yaml), CHIPS (how many to simulate, 960), MINUTES (of training, 6), BATCH (8), CROP (64), WORKERS
# (processes that simulate and vary, all cores but one), SLACK (seconds that training may take beyond MINUTES, to
# calibrate, 60), PYTHON, ROUNDS (of a tile, 20), TILE ("64 128 128").
set -u
cd "$(dirname "$0")/.." || exit 1
out=${1:?folder for the results} weights=${2:-default}
python=${PYTHON:-python} config=${CONFIG:-configs/default.yaml} workers=${WORKERS:-$(($(nproc) - 1))}
mkdir -p "$out" && out=$(cd "$out" && pwd)
export PYTHONPATH="$PWD/src${PYTHONPATH:+:$PYTHONPATH}"
status=0

stage() { # name, seconds it may take, command
    local name=$1 limit=$2 begin=$SECONDS
    shift 2
    timeout "$limit" "$@" > "$out/$name.log" 2>&1
    local code=$?
    echo "$name: status $code after $((SECONDS - begin)) s" | tee -a "$out/summary.txt"
    [ $code = 0 ] || { status=1; tail -n 5 "$out/$name.log"; }
}

: > "$out/summary.txt"
stage tests 90 "$python" -m pytest -q -m cuda tests/model -p no:cacheprovider
stage tiles 60 "$python" benchmarks/gpu_tiles.py --out "$out/tiles.json" --rounds "${ROUNDS:-20}" \
    --tile ${TILE:-64 128 128}
stage recipe 30 "$python" benchmarks/gpu_recipe.py "$config" "$out" --weights "$weights" --workers "$workers" \
    --chips "${CHIPS:-960}" --minutes "${MINUTES:-6}" --batch "${BATCH:-8}" --crop "${CROP:-64}"
stage simulate 120 "$python" -c "from banet.training import load_config
from banet.training.sources import open_sources
open_sources(load_config('$out/recipe.yaml').data)"
stage train "$(awk "BEGIN { print int(60 * ${MINUTES:-6} + ${SLACK:-60}) }")" "$python" -m banet.training "$out/recipe.yaml" --out "$out/run" --resume
cat "$out/summary.txt"
exit $status
