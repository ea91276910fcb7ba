#!/usr/bin/env python3
"""Makes image tarballs of real functions, shaped like those of Nix's dockerTools: python/main.py on Debian's packages.

About fifty layers and 190 MB each; functions differ in their names only, so that they share all layers but two. Needs
Debian with network, apt-get and dpkg-deb, Python 3.9 and pigz.
"""

import argparse
import hashlib
import io
import json
import pathlib
import shutil
import subprocess
import tarfile
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
# nodejs is there for its size: a function's runtime is about as large.
PACKAGES = ["python3", "python3-grpcio", "python3-protobuf", "python3-yaml", "ca-certificates", "tzdata", "nodejs", "base-files", "netbase"]
NOBODY = 65532


def main():
    parser = argparse.ArgumentParser(description="Makes <name>-<architecture>.tar.gz of real functions, for this machine's architecture.")
    parser.add_argument("folder", type=pathlib.Path, help="where they go; what is there already is kept")
    parser.add_argument("--functions", type=int, default=4, help="default: %(default)s")
    parser.add_argument("--layers", type=int, default=50, help="layers of each at most (default: %(default)s)")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)

    architecture = output("dpkg", "--print-architecture").strip()
    wanted = {f"function-p{number:02}": arguments.folder / f"function-p{number:02}-{architecture}.tar.gz" for number in range(1, arguments.functions + 1)}
    wanted = {name: path for name, path in wanted.items() if not path.exists()}
    if not wanted:
        return
    with tempfile.TemporaryDirectory(dir=arguments.folder) as scratch:
        base = package_layers(pathlib.Path(scratch), arguments.layers - 2)
        for name, path in wanted.items():
            write_tarball(path, name, architecture, [*base, program_layer(), system_layer(name)])
            print(path, flush=True)


def output(*command, **options):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, **options).stdout


def package_layers(scratch, count):
    """A layer for each of the largest packages, one for the others together."""
    state = scratch / "apt"
    (state / "debs").mkdir(parents=True)
    # As on a machine that has nothing installed, so that all dependencies are listed.
    (state / "status").touch()
    apt = ["apt-get", "-o", f"Dir::State::status={state / 'status'}", "-o", "APT::Install-Recommends=false", "-o", "APT::Sandbox::User=root"]
    plan = output(*apt, "-s", "install", *PACKAGES)
    names = [line.split()[1] for line in plan.splitlines() if line.startswith("Inst ")]
    subprocess.run([*apt, "-qq", "download", *names], check=True, cwd=state / "debs")
    debs = sorted((state / "debs").glob("*.deb"), key=lambda deb: (-deb.stat().st_size, deb.name))
    groups = [[deb] for deb in debs[: count - 1]] + ([debs[count - 1 :]] if debs[count - 1 :] else [])
    return [layer(member for deb in sorted(group) for member in package_members(deb)) for group in groups]


def package_members(deb):
    archive = subprocess.run(["dpkg-deb", "--fsys-tarfile", deb], check=True, stdout=subprocess.PIPE).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for entry in tar:
            name = entry.name.removeprefix(".").strip("/")
            if not name:
                continue
            if entry.isdir():
                yield member(name, tarfile.DIRTYPE, entry.mode)
            elif entry.issym():
                yield member(name, tarfile.SYMTYPE, 0o777, link=entry.linkname)
            elif entry.isfile() or entry.islnk():
                yield member(name, tarfile.REGTYPE, entry.mode, tar.extractfile(entry).read())


def program_layer():
    return layer([member("app/main.py", tarfile.REGTYPE, 0o755, (HERE / "python" / "main.py").read_bytes())])


def system_layer(name):
    return layer([
        member("tmp", tarfile.DIRTYPE, 0o1777),
        member("etc/passwd", tarfile.REGTYPE, 0o644, f"root:x:0:0:root:/:/sbin/nologin\nnonroot:x:{NOBODY}:{NOBODY}::/:/sbin/nologin\n".encode()),
        member("etc/function", tarfile.REGTYPE, 0o644, name.encode()),
    ])


def member(name, kind, mode, content=b"", link=""):
    info = tarfile.TarInfo(f"/{name}")      # absolute, as Nix writes them
    info.type, info.mode, info.size, info.linkname, info.mtime = kind, mode, len(content), link, 1
    return info, content


def layer(members):
    """A tar of members, each name once, folders before what is in them; its digest and bytes."""
    entries = {}
    for info, content in members:
        for parent in list(pathlib.PurePosixPath(info.name).parents)[:-1]:
            entries.setdefault(str(parent), member(str(parent).strip("/"), tarfile.DIRTYPE, 0o755))
        entries[info.name] = (info, content)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name in sorted(entries):
            info, content = entries[name]
            tar.addfile(info, io.BytesIO(content))
    return hashlib.sha256(buffer.getvalue()).hexdigest(), buffer.getvalue()


def write_tarball(path, name, architecture, layers):
    config = json.dumps({
        "created": "1970-01-01T00:00:01Z",
        "architecture": architecture,
        "os": "linux",
        "config": {
            "Entrypoint": ["/usr/bin/python3", "/app/main.py"],
            "Env": ["PATH=/usr/bin:/bin", f"FUNCTION_NAME={name}"],
            "ExposedPorts": {"9443/tcp": {}},
            "User": f"{NOBODY}:{NOBODY}",
            "WorkingDir": "/",
        },
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}" for digest, _ in layers]},
    }).encode()
    config_name = f"{hashlib.sha256(config).hexdigest()}.json"
    manifest = json.dumps([{"Config": config_name, "RepoTags": [f"{name}:latest"], "Layers": [f"{digest}/layer.tar" for digest, _ in layers]}]).encode()
    unfinished = path.with_suffix(".unfinished")
    with open(unfinished, "wb") as file:
        pigz = subprocess.Popen(["pigz", "-nTR", "-6"], stdin=subprocess.PIPE, stdout=file)
        with tarfile.open(fileobj=pigz.stdin, mode="w|") as tar:
            files = {f"{digest}/layer.tar": content for digest, content in layers}      # a repeated layer is there once
            for entry, content in [*files.items(), (config_name, config), ("manifest.json", manifest)]:
                info, _ = member(entry, tarfile.REGTYPE, 0o644, content)
                info.name = entry
                tar.addfile(info, io.BytesIO(content))
        pigz.stdin.close()
        if pigz.wait() != 0:
            raise SystemExit("pigz failed")
    shutil.move(unfinished, path)


if __name__ == "__main__":
    main()
