#!/usr/bin/env python
"""Compile every kernel for an NVIDIA GPU of compute capability 9.0, as the analyses call it there, on a machine without one.

pip install --no-deps jax-cuda13-plugin jax-cuda13-pjrt     (of the version of jax that is installed; 130 MB, no CUDA libraries)
python scripts/compile_for_gpu.py

A table, and exit code 1 where one fails. XLA's compiler for NVIDIA runs, nothing is computed: what is shown is that programs and options are
accepted, and how much memory of the device each takes beside what it is given and gives back.
"""

import importlib
import os
import sys
import time
from pathlib import Path

sys.path[0] = str(Path(__file__).parents[1] / "tests")
os.environ.setdefault("JAX_PLATFORMS", "cpu")
# what would be tried out on a device, to choose between programs
os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_gpu_autotune_level=0"

import every_analysis
import jax
from accelerator import Call, pretended, recorded
from jax.experimental import topologies
from jax.sharding import SingleDeviceSharding

H200 = """
gpu_device_info {
  threads_per_block_limit: 1024 threads_per_warp: 32 threads_per_core_limit: 2048 core_count: 132 fpus_per_core: 128
  shared_memory_per_block: 49152 shared_memory_per_core: 233472 shared_memory_per_block_optin: 232448
  block_dim_limit_x: 2147483647 block_dim_limit_y: 65535 block_dim_limit_z: 65535 registers_per_core_limit: 65536 registers_per_block_limit: 65536
  memory_bandwidth: 4800000000000 l2_cache_size: 52428800 clock_rate_ghz: 1.98 device_memory_size: 150000000000
  cuda_compute_capability { major: 9 }
}
platform_name: "CUDA" runtime_version { major: 13 } dnn_version_info { major: 9 minor: 7 } device_description_str: "NVIDIA H200"
"""


def h200() -> jax.Device:
    """One that is described and not there. Raises ModuleNotFoundError without the compiler."""
    importlib.import_module("jax_plugins.xla_cuda13")
    return topologies.get_topology_desc("h200", "cuda", target_config=H200, topology="1x1x1").devices[0]


def compiled(call: Call, device: jax.Device) -> int:
    """Bytes that the program takes beside its arguments and results."""
    place = SingleDeviceSharding(device)
    there = jax.tree.map(
        lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=place) if isinstance(leaf, jax.ShapeDtypeStruct) else leaf, call.arguments
    )
    with jax.enable_x64(call.wide):
        lowered = call.kernel.trace(*there, **dict(call.options)).lower(lowering_platforms=("cuda",))
        return int(lowered.compile().memory_analysis().temp_size_in_bytes)


def main() -> int:
    try:
        device = h200()
    except ModuleNotFoundError:
        print(__doc__, file=sys.stderr)
        return 2
    runs = every_analysis.runs()
    with pretended(), recorded() as calls:
        for calls.now in every_analysis.NAMES:
            every_analysis.measured(calls.now, runs)
    print(f"jax {jax.__version__}, {device.device_kind}\n")
    print("| analysis | kernel | compiled in (s) | memory beside what goes in and out (kB) |\n|---|---|---|---|")
    programs: dict[Call, str] = {}
    for name, noted in calls.of.items():
        for call in noted:
            if any(isinstance(leaf, jax.ShapeDtypeStruct) for leaf in jax.tree.leaves(call.arguments)):  # else a table that is made of nothing
                programs.setdefault(call, name)
    failed = []
    for call, name in programs.items():
        begun = time.perf_counter()
        try:
            size = compiled(call, device)
        except jax.errors.JaxRuntimeError as reason:
            failed.append(call.name)
            print(f"| {name} | {call.name} | {' '.join(str(reason).split())} | |", flush=True)
            continue
        print(f"| {name} | {call.name} | {time.perf_counter() - begun:.2f} | {size / 1e3:.0f} |", flush=True)
    print(f"\n{len(programs) - len(failed)} programs are compiled, {len(failed)} are refused{': ' + ', '.join(failed) if failed else ''}")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
