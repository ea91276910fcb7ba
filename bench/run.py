#!/usr/bin/env python3
"""Times FunctionBuild beside other tools on the same tarballs, in turn, and prints a Markdown table. See README.md."""

import argparse
import collections
import dataclasses
import functools
import hashlib
import json
import os
import pathlib
import platform
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tarfile
import threading
import time

import make_tarballs

MB = make_tarballs.MB
REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
SCRIPT = REPOSITORY / "bench" / "pipeline.ps1"
RENDER_SCRIPT = REPOSITORY / "bench" / "render.ps1"
FUNCTION_MAKER = REPOSITORY / "tests" / "functions" / "make_python_functions.py"
MEMORY_LIMIT = 250
MEMORY_FOLDER = pathlib.Path("/dev/shm")
SAMPLE_SECONDS = 0.05

SKOPEO = """
set -e
target=$1; shift
for tarball; do
    name=$(basename "$tarball" .tar.gz)
    pigz -dc "$tarball" > "$target.tar"
    skopeo --insecure-policy copy --quiet "docker-archive:$target.tar" "oci:$target:$name"
    rm "$target.tar"
done
"""
SKOPEO_PUSH = """
set -e
temporary=$1; registry=$2; shift 2
for tarball; do
    name=$(basename "$tarball" .tar.gz)
    pigz -dc "$tarball" > "$temporary"
    skopeo --insecure-policy copy --quiet --dest-tls-verify=false "docker-archive:$temporary" "docker://$registry/bench/${name%-*}:${name##*-}"
    rm "$temporary"
done
"""
INFLATE_AND_HASH = """
set -e
printf '%s\\0' "$@" | xargs -0 -n 1 -P "$(nproc)" bash -c 'set -o pipefail; pigz -p1 -dc "$1" | openssl dgst -sha256' -
"""


def main():
    parser = argparse.ArgumentParser(description="Times FunctionBuild beside other tools on generated tarballs.")
    parser.add_argument("--work", type=pathlib.Path, default=REPOSITORY / "out" / "bench", help="where tarballs and results go; 12 GB free (default: out/bench)")
    parser.add_argument("--cases", default="all,one,import,push,render,memory", help="default: %(default)s")
    parser.add_argument("--repetitions", type=int, default=3, help="runs of each tool, alternating; medians are printed (default: %(default)s)")
    parser.add_argument("--functions", type=int, default=12, help="functions in the large set, of two architectures each (default: %(default)s)")
    parser.add_argument("--pwsh", help="a PowerShell to use instead of the embedded host")
    parser.add_argument("--no-build", action="store_true", help="use what an earlier run built")
    arguments = parser.parse_args()
    cases = arguments.cases.split(",")
    if unknown := set(cases) - {"all", "one", "import", "push", "render", "memory"}:
        parser.error(f"no such case: {', '.join(sorted(unknown))}")
    for tool in ("dotnet", "pigz", "skopeo", "openssl", "xargs", *(["docker-registry"] if "push" in cases else []), *(["podman", "runc", "apt-get"] if "render" in cases else [])):
        if shutil.which(tool) is None:
            parser.error(f"'{tool}' is not installed; README.md lists what the benchmark needs")

    work = arguments.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    bench = Bench(work, shell_command(work, arguments), arguments.repetitions)
    rows, pushes, renders, memory = [], [], [], []
    if {"all", "one", "import", "push"} & set(cases):
        tarballs = bench.tarballs("set", arguments.functions, ["amd64", "arm64"], 180)
        if "all" in cases:
            rows.append(bench.compare(f"{len(tarballs)} tarballs to `.xpkg`; skopeo to an OCI layout", tarballs, bench.package, bench.skopeo, 0.20))
        if "one" in cases:
            rows.append(bench.compare("one tarball to `.xpkg`; skopeo to an OCI layout", tarballs[:1], bench.package, bench.skopeo, 0.75))
        if "import" in cases:
            rows.append(bench.compare(f"import of {len(tarballs)} tarballs; `pigz -p1 -dc` and `openssl dgst -sha256`", tarballs, bench.import_only, bench.inflate_and_hash, 1.0))
        if "push" in cases:
            pushes = bench.pushes(tarballs)
            rows += [(title, ours, peer, target) for title, ours, peer, target, _, _ in pushes]
    if "render" in cases:
        renders = bench.renders()
    if "memory" in cases:
        for name, megabytes in (("small", 20), ("large", 2000)):
            tarballs = bench.tarballs(name, 1, ["amd64"], megabytes)
            memory.append((f"{megabytes:,} MB image to `.xpkg`", bench.median(tarballs, bench.package)))

    report = "\n".join(describe_machine() + comparison_table(rows) + push_table(pushes) + render_table(renders) + memory_table(memory)) + "\n"
    (work / "results.md").write_text(report)
    print(f"\n{report}\nWritten to {work / 'results.md'}.")


@dataclasses.dataclass
class Measurement:
    """What one run cost. Times in seconds; memory in MB, of the largest process and of all at the same moment."""
    wall: float
    cpu: float
    peak: float
    tree_peak: float

    @staticmethod
    def median(runs):
        return Measurement(*(statistics.median(dataclasses.astuple(run)[i] for run in runs) for i in range(4)))

    def __str__(self):
        return f"{self.wall:.2f} s wall, {self.cpu:.2f} s CPU, {self.peak:.0f} MB largest process, {self.tree_peak:.0f} MB all processes"


class Bench:
    """Runs the commands; any that fails, or leaves a wrong result, ends the benchmark."""

    def __init__(self, work, shell, repetitions):
        self.work, self.shell, self.repetitions = work, shell, repetitions
        self.output = work / "output"
        self.package_digests = {}

    def tarballs(self, name, functions, architectures, megabytes):
        """Makes a set of tarballs, unless it is there, and reads them so that all runs find them in the page cache."""
        folder = self.work / name
        print(f"Tarballs in {folder}", flush=True)
        # In a process of its own: a child's peak memory can't be told from its parent's if that was larger.
        subprocess.run([sys.executable, make_tarballs.__file__, folder, "--functions", str(functions), "--architectures", ",".join(architectures), "--megabytes", str(megabytes)], check=True)
        record = json.loads((folder / make_tarballs.RECORD).read_text())
        images = [Tarball(folder / image["file"], image) for image in record["images"]]
        for image in images:
            file_digest(image.path)
        return sorted(images, key=lambda image: image.path.name)

    def compare(self, title, tarballs, ours, peer, target):
        print(f"\n{title}", flush=True)
        runs = {ours: [], peer: []}
        for _ in range(self.repetitions):
            for tool in (ours, peer):
                runs[tool].append(self.once(tool, tarballs))
        return title, Measurement.median(runs[ours]), Measurement.median(runs[peer]), target

    def median(self, tarballs, tool):
        return Measurement.median([self.once(tool, tarballs) for _ in range(self.repetitions)])

    def once(self, tool, tarballs):
        shutil.rmtree(self.output, ignore_errors=True)
        self.output.mkdir()
        os.sync()       # what earlier runs wrote must not be written out during this one
        measurement = tool(tarballs)
        print(f"  {tool.__name__}: {measurement}", flush=True)
        shutil.rmtree(self.output)
        return measurement

    def package(self, tarballs):
        path = self.output / "bench.xpkg"
        measurement = self.functionbuild(tarballs, "-Package", str(path))
        check_package(path, tarballs)
        key = tuple(t.path for t in tarballs)
        digest = file_digest(path)
        if self.package_digests.setdefault(key, digest) != digest:
            raise SystemExit(f"{path} is another file than the run before made of the same tarballs")
        return measurement

    def import_only(self, tarballs):
        return self.functionbuild(tarballs)

    def functionbuild(self, tarballs, *arguments):
        pattern = tarballs[0].path if len(tarballs) == 1 else tarballs[0].path.parent / "*.tar.gz"
        measurement, output = run([*self.shell, str(SCRIPT), "-Tarballs", str(pattern), *arguments], {"FUNCTIONBUILD_WORKSPACE_ROOT": str(self.output)})
        expected = f"{len(tarballs)} images, {sum(t.path.stat().st_size for t in tarballs)} bytes read"
        if output.strip() != expected:
            raise SystemExit(f"FunctionBuild said '{output.strip()}' instead of '{expected}'")
        if left := [p.name for p in self.output.iterdir() if p.suffix != ".xpkg"]:
            raise SystemExit(f"FunctionBuild left {left} behind")
        return measurement

    def skopeo(self, tarballs):
        target = self.output / "layout"
        measurement, _ = run(["bash", "-c", SKOPEO, "-", str(target), *(str(t.path) for t in tarballs)])
        copied = len(json.loads((target / "index.json").read_text())["manifests"])
        if copied != len(tarballs):
            raise SystemExit(f"skopeo's layout has {copied} images instead of {len(tarballs)}")
        return measurement

    def pushes(self, tarballs):
        """Pushes to a registry that is empty, and again, in new processes, when it has everything; ours and the peer's in turn, each with a registry of its own."""
        print("\nPushes to a local registry", flush=True)
        runs = {(tool, again): [] for tool in (self.push, self.skopeo_push) for again in (False, True)}
        for _ in range(self.repetitions):
            for tool in (self.push, self.skopeo_push):
                shutil.rmtree(self.output, ignore_errors=True)
                self.output.mkdir()
                with Registry(self.work / "registry") as registry:
                    for again in (False, True):
                        os.sync()
                        before = len(registry.requests())
                        measurement, sent = tool(tarballs, registry)
                        traffic = Traffic.of(registry.requests()[before:], sent)
                        print(f"  {tool.__name__}, {'again' if again else 'cold'}: {measurement}; {traffic}", flush=True)
                        runs[tool, again].append((measurement, traffic))
                shutil.rmtree(self.output)
        titles = [(False, f"{len(tarballs)} tarballs pushed to an empty registry", 0.35), (True, f"{len(tarballs)} tarballs pushed again", 0.50)]
        return [
            (title, *(Measurement.median([m for m, _ in runs[tool, again]]) for tool in (self.push, self.skopeo_push)), target, *(runs[tool, again][-1][1] for tool in (self.push, self.skopeo_push)))
            for again, title, target in titles
        ]

    def push(self, tarballs, registry):
        pattern = tarballs[0].path if len(tarballs) == 1 else tarballs[0].path.parent / "*.tar.gz"
        measurement, output = run([*self.shell, str(SCRIPT), "-Tarballs", str(pattern), "-Repository", f"{registry.host}/bench"], {"FUNCTIONBUILD_WORKSPACE_ROOT": str(self.output)})
        first, *pushed = output.splitlines()
        expected = f"{len(tarballs)} images, {sum(t.path.stat().st_size for t in tarballs)} bytes read"
        if first != expected:
            raise SystemExit(f"FunctionBuild said '{first}' instead of '{expected}'")
        for line in pushed:
            reference, digest, *_ = line.split()
            index = subprocess.run(["skopeo", "inspect", "--tls-verify=false", "--raw", f"docker://{reference}"], check=True, stdout=subprocess.PIPE).stdout
            if f"sha256:{hashlib.sha256(index).hexdigest()}" != digest:
                raise SystemExit(f"{reference} is not {digest}")
        functions = {t.path.name.rsplit("-", 1)[0] for t in tarballs}
        if len(pushed) != len(functions):
            raise SystemExit(f"{len(pushed)} functions were pushed instead of {len(functions)}")
        if left := [p.name for p in self.output.iterdir()]:
            raise SystemExit(f"FunctionBuild left {left} behind")
        return measurement, sum(int(line.split()[-1]) for line in pushed)

    def skopeo_push(self, tarballs, registry):
        measurement, _ = run(["bash", "-c", SKOPEO_PUSH, "-", str(self.output / "temporary.tar"), registry.host, *(str(t.path) for t in tarballs)])
        return measurement, None

    def renders(self):
        """Renders with one real function, and loads and runs its image with podman, in turn; seconds of a first and a second render, and of podman."""
        print("\nA render with one function", flush=True)
        folder = self.work / "functions"
        subprocess.run([sys.executable, FUNCTION_MAKER, folder, "--functions", "1"], check=True)
        tarball = next(folder.glob("*.tar.gz"))
        name = tarball.name.rsplit("-", 1)[0]
        plain = self.work / "function.tar"
        with open(plain, "wb") as file:
            subprocess.run(["pigz", "-dc", tarball], check=True, stdout=file)
        with tarfile.open(plain) as archive:
            layers = len(json.load(archive.extractfile("manifest.json"))[0]["Layers"])
        disk = self.output
        if MEMORY_FOLDER.is_dir():
            self.output = MEMORY_FOLDER / f"functionbuild-bench-{os.getpid()}"
        runs = {"cold": [], "warm": [], "podman": []}
        for _ in range(self.repetitions):
            for measure in (lambda: self.render(tarball, name), lambda: {"podman": self.load_and_run(plain, name)}):
                shutil.rmtree(self.output, ignore_errors=True)
                self.output.mkdir()
                os.sync()
                for kind, seconds in measure().items():
                    print(f"  {kind}: {seconds:.2f} s", flush=True)
                    runs[kind].append(seconds)
                shutil.rmtree(self.output)
        self.output = disk
        plain.unlink()
        podman = statistics.median(runs["podman"])
        return [(f"{layers} layers, {kind}", statistics.median(runs[kind]), podman, target) for kind, target in (("cold", 0.5), ("warm", 0.3))]

    def render(self, tarball, name):
        _, output = run([*self.shell, str(RENDER_SCRIPT), "-Tarball", str(tarball), "-Name", name], {"FUNCTIONBUILD_WORKSPACE_ROOT": str(self.output)})
        lines = [line.split() for line in output.splitlines()]
        if [(kind, *rest) for kind, _, *rest in lines] != [("cold", "2", name), ("warm", "2", name)]:
            raise SystemExit(f"FunctionBuild rendered something else: {output}")
        if left := [p.name for p in self.output.iterdir()]:
            raise SystemExit(f"FunctionBuild left {left} behind")
        return {kind: float(seconds) for kind, seconds, *_ in lines}

    def load_and_run(self, archive, name):
        """Seconds from the archive to a port that accepts connections, with storage that is empty at first."""
        configuration = self.output / "containers.conf"
        # Podman would raise the limits of processes, which not every machine permits.
        configuration.write_text('[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]\n')
        environment = {**os.environ, "CONTAINERS_CONF": str(configuration)}
        podman = ["podman", "--root", str(self.output / "root"), "--runroot", str(self.output / "run"), "--storage-driver", "overlay", "--runtime", "runc"]
        port = free_port()
        start = time.monotonic()
        subprocess.run([*podman, "load", "--quiet", "--input", str(archive)], check=True, stdout=subprocess.DEVNULL, env=environment)
        # The host's network, which costs least.
        subprocess.run([*podman, "run", "--detach", "--network=host", "--pull=never", "--name", "bench", f"localhost/{name}", "--insecure", f"--address=127.0.0.1:{port}"], check=True, stdout=subprocess.DEVNULL, env=environment)
        await_port(port, f"podman's {name}")
        seconds = time.monotonic() - start
        for command in (["rm", "--force", "bench"], ["rmi", "--all", "--force"]):
            subprocess.run([*podman, *command], check=True, stdout=subprocess.DEVNULL, env=environment)
        # The storage stays mounted otherwise.
        subprocess.run(["umount", str(self.output / "root" / "overlay")], check=False, stderr=subprocess.DEVNULL)
        return seconds

    def inflate_and_hash(self, tarballs):
        measurement, output = run(["bash", "-c", INFLATE_AND_HASH, "-", *(str(t.path) for t in tarballs)])
        if sorted(line.split()[-1] for line in output.splitlines()) != sorted(t.record["tar_sha256"] for t in tarballs):
            raise SystemExit("the digests of the decompressed tarballs are wrong")
        return measurement


class Registry:
    """docker-registry on a free port of the loopback address, empty at first; its access log tells what it was asked."""

    REQUEST = re.compile(r'"(GET|HEAD|POST|PUT|PATCH|DELETE) (/v2/\S*) HTTP/[\d.]+" (\d+)')

    def __init__(self, folder):
        self._folder = folder

    def __enter__(self):
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir()
        port = free_port()
        self.host = f"127.0.0.1:{port}"
        configuration = self._folder / "config.yml"
        configuration.write_text(
            "version: 0.1\n"
            "log: {level: error, accesslog: {disabled: false}}\n"
            f"storage: {{filesystem: {{rootdirectory: '{self._folder / 'data'}'}}}}\n"
            f"http: {{addr: '{self.host}'}}\n")
        with open(self._folder / "log", "wb") as log:
            self._process = subprocess.Popen(["docker-registry", "serve", configuration], stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        try:
            await_port(port, "docker-registry")
        except SystemExit:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait()
        shutil.rmtree(self._folder)

    def requests(self):
        """Method, path and status of all requests so far."""
        return [match.groups() for line in open(self._folder / "log", errors="replace") if (match := self.REQUEST.search(line))]


@dataclasses.dataclass(frozen=True)
class Traffic:
    """What a push asked of the registry. Bytes of blobs sent, as ours tells; skopeo does not."""
    sent: int | None
    uploads: int
    mounts: int
    blob_heads: int
    most_heads: int
    requests: int

    @staticmethod
    def of(requests, sent):
        heads = collections.Counter(path.rsplit("/", 1)[1] for method, path, _ in requests if method == "HEAD" and "/blobs/" in path)
        uploads = sum(method == "PUT" and "/blobs/uploads/" in path for method, path, _ in requests)
        mounts = sum(method == "POST" and "mount=" in path and status == "201" for method, path, status in requests)
        return Traffic(sent, uploads, mounts, heads.total(), max(heads.values(), default=0), len(requests))

    def __str__(self):
        sent = "" if self.sent is None else f"{self.sent / MB:.1f} MB in "
        return f"{sent}{self.uploads} uploads, {self.mounts} mounts, {self.blob_heads} HEADs of blobs (at most {self.most_heads} of one), {self.requests} requests"


@dataclasses.dataclass(frozen=True)
class Tarball:
    path: pathlib.Path
    record: dict


def shell_command(work, arguments):
    """How a script is run: by the host, built for this, or by a given PowerShell that has the built module imported."""
    if arguments.pwsh:
        project, module = REPOSITORY / "src" / "FunctionBuild", REPOSITORY / "out" / "FunctionBuild"
        if not arguments.no_build:
            subprocess.run(["dotnet", "build", project, "-c", "Release", "-v", "quiet", "-nologo"], check=True)
        # -Command, because only a session that has imported the module can run the script.
        call = f"Import-Module '{module}'; $script, $rest = $args; & $script @rest"
        return [arguments.pwsh, "-NoProfile", "-NonInteractive", "-CommandWithArgs", call]

    host = work / "host"
    if not arguments.no_build:
        # Compiled ahead of time, as the released PowerShell is; otherwise compiling the engine is most of a short run.
        ahead = ["--use-current-runtime", "--self-contained", "false", "-p:PublishReadyToRun=true"]
        subprocess.run(["dotnet", "publish", REPOSITORY / "src" / "FunctionBuild.Host", "-c", "Release", *ahead, "-o", host, "-v", "quiet", "-nologo"], check=True)
    return [str(host / "FunctionBuild.Host")]


def run(command, environment=None):
    """Runs a command to its end; what it and all its descendants cost, and what it printed."""
    with open(os.devnull, "rb") as nothing, open(os.memfd_create("output"), "w+b") as output:
        start = time.monotonic()
        process = subprocess.Popen(command, stdin=nothing, stdout=output, env={**os.environ, **(environment or {})})
        sampler = TreeSampler(process.pid)
        # wait4 accounts for the process and those of its descendants that were waited for, which here is all.
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        tree_peak = sampler.stop()
        if process.returncode != 0:
            raise SystemExit(f"exit code {process.returncode}: {' '.join(command)}")
        output.seek(0)
        peak = usage.ru_maxrss * 1024 / MB
        return Measurement(wall, usage.ru_utime + usage.ru_stime, peak, max(peak, tree_peak / MB)), output.read().decode()


class TreeSampler:
    """Watches the memory of a process and its descendants together, at intervals."""

    def __init__(self, pid):
        self._pid = pid
        self._peak = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def stop(self):
        self._ended.set()
        self._thread.join()
        return self._peak

    def _watch(self):
        while not self._ended.wait(SAMPLE_SECONDS):
            self._peak = max(self._peak, self._resident(self._pid))

    def _resident(self, pid):
        try:
            pages = int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1])
            children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        except (FileNotFoundError, ProcessLookupError):
            return 0    # it has ended
        return pages * os.sysconf("SC_PAGE_SIZE") + sum(map(self._resident, children))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def await_port(port, name):
    """Waits until a port of the loopback address accepts connections, half a minute at most."""
    for _ in range(3000):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except ConnectionRefusedError:
            time.sleep(0.01)
    raise SystemExit(f"{name} does not listen")


def check_package(path, tarballs):
    """Every image must be in the package, with the layers of its tarball and one more on top."""
    with tarfile.open(path) as package:
        manifest = json.load(package.extractfile("manifest.json"))
        configs = [json.load(package.extractfile(image["Config"])) for image in manifest]
    found = sorted((c["architecture"], c["rootfs"]["diff_ids"][:-1]) for c in configs)
    expected = sorted((t.record["architecture"], t.record["diff_ids"]) for t in tarballs)
    if found != expected:
        raise SystemExit(f"{path} does not hold the images of the tarballs")


def file_digest(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(functools.partial(file.read, 1024 * 1024), b""):
            digest.update(block)
    return digest.hexdigest()


def comparison_table(rows):
    if not rows:
        return []
    lines = [
        "| case | ours: wall | CPU | peak memory | peer: wall | CPU | peak memory | wall, ours / peer | target |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for title, ours, peer, target in rows:
        ratio = ours.wall / peer.wall
        lines.append(f"| {title} | {cells(ours)} | {cells(peer)} | {ratio:.2f} | {target:.2f}, {'reached' if ratio <= target else 'missed'} |")
    return [*lines, ""]


def push_table(rows):
    if not rows:
        return []
    lines = ["| case | | bytes sent | uploads | mounts | HEADs of blobs | most of one blob | requests |", "|---|---|--:|--:|--:|--:|--:|--:|"]
    for title, _, _, _, ours, peer in rows:
        for name, t in (("ours", ours), ("peer", peer)):
            sent = "" if t.sent is None else f"{t.sent:,}"
            lines.append(f"| {title} | {name} | {sent} | {t.uploads} | {t.mounts} | {t.blob_heads} | {t.most_heads} | {t.requests} |")
    return [*lines, ""]


def render_table(rows):
    if not rows:
        return []
    lines = ["| a render with one function | ours | podman, load and run | ours / peer | target |", "|---|--:|--:|--:|--:|"]
    for title, ours, peer, target in rows:
        lines.append(f"| {title} | {ours:.2f} s | {peer:.2f} s | {ours / peer:.2f} | {target:.2f}, {'reached' if ours / peer <= target else 'missed'} |")
    return [*lines, ""]


def memory_table(rows):
    if not rows:
        return []
    lines = ["| case | wall | CPU | peak memory | target |", "|---|--:|--:|--:|--:|"]
    for title, ours in rows:
        lines.append(f"| {title} | {cells(ours)} | {MEMORY_LIMIT} MB, {'reached' if ours.tree_peak < MEMORY_LIMIT else 'missed'} |")
    return [*lines, ""]


def cells(measurement):
    m = measurement
    return f"{m.wall:.2f} s | {m.cpu:.2f} s | {m.peak:.0f} MB ({m.tree_peak:.0f})"


def describe_machine():
    def first_line(*command):
        result = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return result.stdout.splitlines()[0]

    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    versions = [f".NET SDK {first_line('dotnet', '--version')}", first_line("pigz", "--version"), first_line("skopeo", "--version"), first_line("openssl", "version")]
    versions += [first_line(tool, "--version") for tool in ("docker-registry", "podman", "runc") if shutil.which(tool)]
    return [
        f"Machine: {model}, {os.cpu_count()} processors, {memory:.0f} GiB, {platform.freedesktop_os_release()['PRETTY_NAME']}, Linux {platform.release()}.",
        f"Tools: {', '.join(versions)}. Commit {first_line('git', '-C', str(REPOSITORY), 'rev-parse', '--short', 'HEAD')}.",
        f"Command: `bench/run.py {' '.join(sys.argv[1:])}".rstrip() + "`.",
        "",
    ]


if __name__ == "__main__":
    main()
