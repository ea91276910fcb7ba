#!/usr/bin/env python3
"""Makes function tarballs for the benchmark, shaped like those of Nix's dockerTools.

Every byte of the archives follows from the arguments: no network, no packages, no clock. Needs Python 3.9 and pigz.
"""

import argparse
import concurrent.futures
import contextlib
import functools
import hashlib
import io
import itertools
import json
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import tarfile

MB = 1_000_000
RECORD = "tarballs.json"

COMMON_LAYERS = 46
LAYER_SIGMA = 1.55      # layer sizes are log-normal: many of 0.1 to 3 MB, a few of 20 to 40 MB

TEXT, BINARY, PACKED = "text", "binary", "packed"
KIND_SHARES = {BINARY: 0.75, TEXT: 0.19, PACKED: 0.06}     # of the bytes of a common layer, on average

CLOTH_SIZE = 4 * 1024 * 1024
LARGEST_CUT = 256 * 1024
# kind: strings of a chunk, exponent of their frequencies, exponent of the frequencies of bytes, lengths of strings, size of a chunk
WEAVES = {
    BINARY: (400, 0.7, 1.4, [4, 8, 12, 60], 20 * 1024),
    TEXT: (400, 0.6, 0.9, [4, 8, 16, 32, 64], 24 * 1024),
}


def main():
    parser = argparse.ArgumentParser(description="Makes function tarballs <function>-<architecture>.tar.gz.")
    parser.add_argument("folder", type=pathlib.Path, help="where they go")
    parser.add_argument("--functions", type=int, default=12, help="how many functions (default: %(default)s)")
    parser.add_argument("--architectures", default="amd64,arm64", help="default: %(default)s")
    parser.add_argument("--megabytes", type=int, default=180, help="size of the layers that all functions of an architecture share (default: %(default)s)")
    arguments = parser.parse_args()
    make(arguments.folder, arguments.functions, arguments.architectures.split(","), arguments.megabytes)


def make(folder, functions, architectures, megabytes):
    """Makes the tarballs, unless the folder has these very ones; returns the record of what each holds."""
    request = {"functions": functions, "architectures": architectures, "megabytes": megabytes, "maker": digest_of(pathlib.Path(__file__).read_bytes())}
    record_path = folder / RECORD
    with contextlib.suppress(FileNotFoundError):
        record = json.loads(record_path.read_text())
        if record["request"] == request:
            return record

    shutil.rmtree(folder, ignore_errors=True)
    layer_folder = folder / "layers"
    layer_folder.mkdir(parents=True)
    images = []
    with concurrent.futures.ProcessPoolExecutor() as pool:
        for architecture in architectures:
            sizes = layer_sizes(megabytes * MB)
            seeds = [f"{architecture} common {i}" for i in range(len(sizes))]
            # The largest first, so that the processors are busy to the end; the order in the image is another one.
            made = dict(zip(seeds, pool.map(make_layer, itertools.repeat(layer_folder), seeds, sizes, itertools.repeat(KIND_SHARES))))
            common = [made[seed] for seed in random.Random(f"{architecture} order").sample(seeds, len(seeds))]
            for number in range(1, functions + 1):
                name = f"function-{number:02}"
                image = make_image(folder, name, architecture, common + own_layers(layer_folder, name, architecture, number))
                print(f"{image['file']}: {len(image['diff_ids'])} layers, {image['bytes'] / MB:.0f} MB", flush=True)
                images.append(image)

    shutil.rmtree(layer_folder)
    record = {"request": request, "images": images}
    record_path.write_text(json.dumps(record, indent=1))
    return record


def layer_sizes(total):
    """The sizes of the common layers, the largest first: even quantiles of a log-normal distribution."""
    normal = statistics.NormalDist(0, LAYER_SIGMA)
    relative = [2.718281828 ** normal.inv_cdf(1 - (i + 0.5) / COMMON_LAYERS) for i in range(COMMON_LAYERS)]
    return [round(total * r / sum(relative)) for r in relative]


def own_layers(folder, name, architecture, number):
    """What a function has for itself: a program; two functions of three also models, one of three also data. Last, a layer of settings."""
    seed = f"{architecture} {name}"
    layers = [make_layer(folder, f"{seed} program", 8_000, {TEXT: 1})]
    if number % 3 != 1:
        layers.append(make_layer(folder, f"{seed} models", 7 * MB, {TEXT: 1}))
    if number % 3 == 0:
        layers.append(make_layer(folder, f"{seed} data", 8 * MB, {BINARY: 0.6, PACKED: 0.4}))
    return [*layers, make_layer(folder, f"{architecture} settings", 2_000, {TEXT: 1})]


def make_layer(folder, seed, size, shares):
    """Writes a layer of files with absolute names into the folder; its diff ID."""
    rng = random.Random(seed)
    package = f"/nix/store/{digest_of(seed.encode())[:32]}-{seed.split()[-1]}"
    partial = folder / f"{digest_of(seed.encode())}.partial"
    with open(partial, "wb") as file:
        target = HashingWriter(file)
        with tarfile.open(fileobj=target, mode="w|", format=tarfile.GNU_FORMAT) as tar:
            folders = set()
            for name, length in file_sizes(rng, package, size):
                parents = [str(parent) for parent in reversed(pathlib.PurePosixPath(name).parents)][1:]
                for parent in parents:
                    if parent not in folders:
                        folders.add(parent)
                        add(tar, parent, tarfile.DIRTYPE, 0o755, 0, None)
                kind = rng.choices(list(shares), list(shares.values()))[0]
                add(tar, name, tarfile.REGTYPE, 0o644, length, io.BytesIO(content(rng, kind, length)))
    partial.rename(folder / target.hex())
    return target.hex()


def file_sizes(rng, package, size):
    """Names and sizes of a layer's files: mostly small ones, most bytes in large ones."""
    number = 0
    while size > 0:
        length = min(size, int(rng.lognormvariate(9, 1.8)) + 1, 8 * MB)
        yield f"{package}/lib/part{number // 40}/file{number}", length
        size -= length
        number += 1


def content(rng, kind, length):
    """
    Bytes of one kind. Pieces of that kind's cloth, each with its byte values exchanged anew: compression finds in them
    what it found in the cloth, but no piece repeats another.
    """
    if kind == PACKED:
        return rng.randbytes(length)
    pieces = []
    while length > 0:
        start = rng.randrange(CLOTH_SIZE)
        piece = cloth(kind)[start:start + min(length, LARGEST_CUT)]
        pieces.append(piece.translate(bytes(rng.sample(range(256), 256))))
        length -= len(piece)
    return b"".join(pieces)


@functools.cache
def cloth(kind):
    """
    Content that deflate finds as hard as the files of Linux packages. Every chunk repeats, by Zipf's law, a few hundred
    strings of its own; the strings are of many lengths, and their bytes follow Zipf's law too.
    """
    string_count, skew, byte_skew, lengths, chunk = WEAVES[kind]
    rng = random.Random(kind)
    thread = bytes(rng.choices(range(256), cum_weights=zipf(256, byte_skew), k=1024 * 1024))
    weights = zipf(string_count, skew)
    draws = chunk * len(lengths) // sum(lengths)
    chunks, made = [], 0
    while made < CLOTH_SIZE:
        starts = rng.choices(range(len(thread) - max(lengths)), k=string_count)
        strings = [thread[s:s + n] for s, n in zip(starts, rng.choices(lengths, k=string_count))]
        chunks.append(b"".join(rng.choices(strings, cum_weights=weights, k=draws)))
        made += len(chunks[-1])
    return b"".join(chunks)[:CLOTH_SIZE]


def zipf(count, exponent):
    return list(itertools.accumulate(1 / rank ** exponent for rank in range(1, count + 1)))


def make_image(folder, name, architecture, layers):
    """Writes one gzipped docker archive, the configuration and the manifest last; what the benchmark must find in it."""
    created = "1970-01-01T00:00:01+00:00"
    config = json.dumps({
        "created": created,
        "architecture": architecture,
        "os": "linux",
        "config": {"Entrypoint": ["/bin/function"], "Env": ["PATH=/bin"], "ExposedPorts": {"9443/tcp": {}}, "User": "65532:65532"},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer}" for layer in layers]},
        "history": [{"created": created, "comment": "store path"} for _ in layers],
    }, indent=1).encode()
    config_name = f"{digest_of(config)}.json"
    manifest = json.dumps([{"Config": config_name, "RepoTags": [f"{name}:latest"], "Layers": [f"{layer}/layer.tar" for layer in layers]}]).encode()

    file_name = f"{name}-{architecture}.tar.gz"
    with open(folder / file_name, "wb") as file:
        # pigz cuts its input the same way for any number of processes but one.
        pigz = subprocess.Popen(["pigz", "-nTR", "-6", "-p", str(max(2, os.cpu_count()))], stdin=subprocess.PIPE, stdout=file)
        target = HashingWriter(pigz.stdin)
        with tarfile.open(fileobj=target, mode="w|", format=tarfile.GNU_FORMAT) as tar:
            for layer in layers:
                with open(folder / "layers" / layer, "rb") as layer_file:
                    add(tar, f"{layer}/layer.tar", tarfile.REGTYPE, 0o644, os.fstat(layer_file.fileno()).st_size, layer_file)
            for member, data in ((config_name, config), ("manifest.json", manifest)):
                add(tar, member, tarfile.REGTYPE, 0o644, len(data), io.BytesIO(data))
        pigz.stdin.close()
        if pigz.wait() != 0:
            raise SystemExit(f"pigz failed on {file_name}")
    return {"file": file_name, "architecture": architecture, "diff_ids": [f"sha256:{layer}" for layer in layers], "bytes": target.length, "tar_sha256": target.hex()}


def add(tar, name, kind, mode, size, data):
    # tarfile strips no leading slash from a TarInfo that is given its name.
    member = tarfile.TarInfo(name)
    member.type, member.mode, member.size, member.mtime = kind, mode, size, 1
    tar.addfile(member, data)


def digest_of(data):
    return hashlib.sha256(data).hexdigest()


class HashingWriter:
    """Passes on what is written, counting and hashing it."""

    def __init__(self, target):
        self.target = target
        self.length = 0
        self._hash = hashlib.sha256()

    def write(self, data):
        self.length += len(data)
        self._hash.update(data)
        return self.target.write(data)

    def hex(self):
        return self._hash.hexdigest()


if __name__ == "__main__":
    main()
