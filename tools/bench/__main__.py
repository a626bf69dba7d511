"""Compares entrepot with nginx proxy_cache and docker-registry as mirrors, in one run, and with
docker-registry as a registry of one's own; and its replication with `skopeo sync`.

    tools/build release && sudo python3 tools/bench [--rounds N] [--seconds N] [--json FILE]
                                                    [--only SECTION]

As mirrors all three stand before the same docker-registry origin. All are measured in turn, round
by round, so that the ratios hold when the machine's speed drifts. Server on core 0, load on core 1 (two cores are
needed); CPU is what the kernel charged the server's processes. Prints a Markdown table.
"""

import argparse
import contextlib
import json
import pathlib
import statistics
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import listing  # noqa: E402
import measures  # noqa: E402
import pushing  # noqa: E402
import replicating  # noqa: E402
import servers  # noqa: E402
from tests.support import hostile, images, registry  # noqa: E402

MB = 1_000_000
BIG = 100 * MB
HERD_RATE = 20 * MB
HERD_CLIENTS = 64
REPO = "library/bench"


def contents():
    """One image to warm up on (a small blob and one of 100 MB), one of eight layers for cold pulls."""
    warm = images.raw_layers([images.blob(2_000, "small"), images.blob(BIG, "big")])
    cold = images.raw_layers([images.blob(20 * MB, n) for n in range(8)])
    return warm, cold


def request_rows(running, warm, options):
    small, big = warm.layers()
    rows = {"manifest by tag": f"/v2/{REPO}/manifests/warm",
            "manifest by digest": f"/v2/{REPO}/manifests/{warm.digest}",
            "small blob (2 kB)": f"/v2/{REPO}/blobs/{small}"}
    table = {}
    for title, path in rows.items():
        rounds = {server.name: [] for server in running}
        for turn in range(options.rounds + 1):
            for server in running:
                figures = measures.requests(server, path, seconds=options.seconds)
                if turn > 0:  # the first warms up
                    rounds[server.name].append(figures)
        for key, label in (("cpu_us", "CPU µs per request"), ("per_second", "requests/s")):
            table[f"{title}: {label}"] = {n: measures.median(r, key) for n, r in rounds.items()}
    rounds = {server.name: [] for server in running}
    for turn in range(options.rounds + 1):
        for server in running:
            figures = measures.blob(server, f"/v2/{REPO}/blobs/{big}", BIG, times=20)
            if turn > 0:
                rounds[server.name].append(figures)
    for key, label in (("cpu_s_per_gb", "CPU s per GB"), ("gb_per_second", "GB/s")):
        table[f"100 MB blob: {label}"] = {n: measures.median(r, key) for n, r in rounds.items()}
    return table


def warm_table(origin, warm, options):
    with contextlib.ExitStack() as stack:
        running = [stack.enter_context(kind(origin.url, [0])) for kind in servers.ALL]
        idle = {server.name: server.rss() / 2**20 for server in running}
        table = request_rows(running, warm, options)
        table["idle connection: kB each"] = {
            server.name: measures.idle_connections(server) / 1024 for server in running}
        table["memory idle: MB"] = idle
        table["memory at peak: MB"] = {s.name: s.peak() / 2**20 for s in running}
        return table


def cold_table(origin, cold, options):
    """A fresh cache each time; the figure is its time over that of a direct pull beside it."""
    manifest = f"/v2/{REPO}/manifests/cold"
    blobs = [f"/v2/{REPO}/blobs/{digest}" for digest in cold.layers()]
    ratios = {kind.name: [] for kind in servers.ALL}
    for _ in range(options.rounds):
        for kind in servers.ALL:
            with kind(origin.url, [0, 1]) as server:
                direct = measures.pull(origin.url, manifest, blobs)
                through = measures.pull(server.url, manifest, blobs)
                ratios[kind.name].append({"ratio": through / direct})
    return {"cold pull, 8 x 20 MB: time / direct": {
        name: measures.median(rounds, "ratio") for name, rounds in ratios.items()}}


def herd_table(warm):
    """64 clients on one cold blob; the origin sends 20 MB/s in all."""
    _, big = warm.layers()
    figures, gets = {}, {}
    for kind in servers.ALL:
        with hostile.Upstream() as slow:
            slow.add(warm, REPO, "warm")
            with kind(slow.url, [0, 1]) as server:
                measures.manifest(server.url, f"/v2/{REPO}/manifests/warm")
                slow.rate = HERD_RATE
                figures[kind.name] = measures.herd(server, f"/v2/{REPO}/blobs/{big}", BIG,
                                                   HERD_CLIENTS)
                gets[kind.name] = slow.count("GET", big)
    ideal = BIG / HERD_RATE
    return {
        "herd: whole bodies of 64": {n: f["whole"] for n, f in figures.items()},
        "herd: GETs at the origin": gets,
        "herd: slowest first byte, s": {n: f["first_byte"] for n, f in figures.items()},
        "herd: time / origin's own": {n: f["end"] / ideal for n, f in figures.items()},
        "herd: memory growth, MB": {n: f["rss_growth"] / 2**20 for n, f in figures.items()},
        "herd: CPU s": {n: f["cpu"] for n, f in figures.items()},
    }


def show_mirrors(table):
    names = [kind.name for kind in servers.ALL]
    print("| | " + " | ".join(names) + " | entrepot / nginx |")
    print("|---|" + "---:|" * (len(names) + 1))
    for title, row in table.items():
        ratio = row["entrepot"] / row["nginx"] if row["nginx"] else float("nan")
        print(f"| {title} | " + " | ".join(f"{row[n]:.4g}" for n in names) + f" | {ratio:.2f} |")
    print()


def show_own(table, rival="docker-registry"):
    """The ratio is the median of the rounds' own."""
    print(f"| | entrepot | {rival} | ratio |")
    print("|---|---:|---:|---:|")
    for title, row in table.items():
        ours, theirs = row["entrepot"], row[rival]
        ratio = statistics.median(a / b if b else float("nan") for a, b in zip(ours, theirs))
        print(f"| {title} | {statistics.median(ours):.4g} | {statistics.median(theirs):.4g} "
              f"| {ratio:.3f} |")
    print()


def mirror_tables(options, sections):
    if not {"warm", "cold", "herd"} & sections:
        return {}
    warm, cold = contents()
    table = {}
    if {"warm", "cold"} & sections:
        with registry.Registry() as origin:
            origin.push(warm, REPO, "warm")
            origin.push(cold, REPO, "cold")
            if "warm" in sections:
                table |= warm_table(origin, warm, options)
            if "cold" in sections:
                table |= cold_table(origin, cold, options)
    if "herd" in sections:
        table |= herd_table(warm)
    show_mirrors(table)
    return table


def own_tables(options, sections):
    table = {}
    if "push" in sections:
        table |= pushing.table(servers.OWN, options.rounds)
    if "listing" in sections:
        table |= listing.table(servers.OWN)
    if table:
        show_own(table)
    return table


def replication_table(options, sections):
    if "replication" not in sections:
        return {}
    table = replicating.table(options.rounds)
    show_own(table, "skopeo sync")
    return table


SECTIONS = ["warm", "cold", "herd", "push", "listing", "replication"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3, help="length of each wrk run")
    parser.add_argument("--json", help="write the figures there too")
    parser.add_argument("--only", choices=SECTIONS, action="append", help="may be repeated")
    options = parser.parse_args()
    sections = set(options.only or SECTIONS)
    table = (mirror_tables(options, sections) | own_tables(options, sections)
             | replication_table(options, sections))
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(table, indent=2))


if __name__ == "__main__":
    main()
