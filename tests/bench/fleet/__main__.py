#!/usr/bin/env python3
"""What a fleet costs on a real Docker Engine, each figure beside the same thing done without Atelier.

    python3 tests/bench/fleet --docker unix:///var/run/docker.sock --binaries build/release/bin
                              [--sizes 20,50] [--rounds 5] [--samples 20] [--only start,plugin,recover]

Needs root (it looks into containers through /proc) and an engine on this machine. Removes what it made.
"""

import argparse
import pathlib
import shutil
import tempfile

import plugin
import recover
import start
from atelier_server import IMAGE, make_image
from docker_api import Docker


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--docker", required=True)
    parser.add_argument("--binaries", required=True, type=lambda text: pathlib.Path(text).resolve())
    parser.add_argument("--sizes", default="20,50", type=lambda text: [int(one) for one in text.split(",")])
    parser.add_argument("--rounds", default=5, type=int)
    parser.add_argument("--samples", default=20, type=int)
    parser.add_argument("--only", default="start,plugin,recover", type=lambda text: text.split(","))
    return parser.parse_args()


def main():
    options = parse()
    docker = Docker(options.docker.removeprefix("unix://"))
    folder = pathlib.Path(tempfile.mkdtemp(prefix="atelier-bench-fleet-"))
    make_image(docker, options.binaries)
    try:
        for name, module in (("start", start), ("plugin", plugin), ("recover", recover)):
            if name in options.only:
                module.bench(options, docker, folder)
    finally:
        docker.call("DELETE", f"/images/{IMAGE}?force=1", fine=(200, 404, 409))
        shutil.rmtree(folder)


main()
