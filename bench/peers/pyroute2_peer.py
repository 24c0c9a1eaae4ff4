"""pyroute2: `pyroute2_peer.py KIND`, in a network namespace that has parent0 or br0.

Takes commands from standard input and answers each with one line of JSON. Gives a device no identity
and no tag, and does not read back whether it is as asked.
"""

import json
import resource
import sys
import time

from pyroute2 import IPRoute

kind = sys.argv[1]
ip = IPRoute()
names = []


def cpu_time():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def measure(count, work):
    cpu, start = cpu_time(), time.perf_counter()
    work()
    wall = time.perf_counter() - start
    used = cpu_time() - cpu
    answer({"wallUs": wall * 1e6 / count, "cpuUs": used * 1e6 / count})


def answer(reply):
    print(json.dumps(reply), flush=True)


def make_macvtap(name, parent):
    ip.link("add", ifname=name, kind="macvtap", link=parent, macvtap_mode="bridge")
    (index,) = ip.link_lookup(ifname=name)
    ip.link("set", index=index, state="up")


def make_tap(name, bridge):
    ip.link("add", ifname=name, kind="tuntap", mode="tap")
    (index,) = ip.link_lookup(ifname=name)
    ip.link("set", index=index, master=bridge, state="up")


def make(count):
    fresh = [f"py{len(names) + at}" for at in range(count)]

    def work():
        (other,) = ip.link_lookup(ifname="parent0" if kind == "macvtap" else "br0")
        for name in fresh:
            (make_macvtap if kind == "macvtap" else make_tap)(name, other)

    measure(count, work)
    names.extend(fresh)


def delete_each(count):
    taken = [names.pop() for _ in range(count)]

    def work():
        for name in taken:
            (index,) = ip.link_lookup(ifname=name)
            ip.link("del", index=index)

    measure(count, work)


def list_links(times):
    measure(times, lambda: [list(ip.get_links()) for _ in range(times)])


def get(times):
    measure(times, lambda: [ip.link("get", ifname=names[at % len(names)]) for at in range(times)])


commands = {"make-awaited": make, "list": list_links, "get": get, "delete-each": delete_each}

for line in sys.stdin:
    verb, count = line.split()
    try:
        commands[verb](int(count))
    except Exception as error:  # Whatever it is, the benchmark has to hear of it.
        answer({"error": f"{verb}: {error!r}"})
