#!/usr/bin/env python3
"""Writes each template of tests/golden as one text, as tests/fuzz/template_case.h says, to a folder.

seeds.py FOLDER
"""
import os
import pathlib
import sys

MOST = 100_000  # larger ones only slow a fuzzer down


def files_of(root, prefix):
    for folder, folders, names in os.walk(root):
        for name in sorted(names + [f for f in folders if os.path.islink(os.path.join(folder, f))]):
            path = pathlib.Path(folder, name)
            title = prefix + path.relative_to(root).as_posix()
            if path.is_symlink():
                yield f"=== {title} -> {os.readlink(path)}\n".encode()
            else:
                data = path.read_bytes()
                yield f"=== {title}\n".encode() + data + (b"" if data.endswith(b"\n") else b"\n")


def main():
    target = pathlib.Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    corpus = pathlib.Path(__file__).resolve().parent.parent / "golden"
    for case in sorted(corpus.iterdir()):
        if not case.is_dir():
            continue
        text = b"".join(files_of(case / "template", ""))
        for repository in sorted(case.glob("external/*/*")):
            name = repository.name.split("@")[0]
            text += b"".join(files_of(repository, f"@{repository.parent.name}/{name}/"))
        if len(text) <= MOST:
            (target / case.name).write_bytes(text)


main()
