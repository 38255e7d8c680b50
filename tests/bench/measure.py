#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Run programs on a pseudo-terminal and print their time to the first frame,
CPU and resident memory of all their processes, and bytes to the terminal."""
import fcntl
import os
import pty
import select
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time

PROGRAM, SECONDS = sys.argv[1], float(sys.argv[2])
TICKS = os.sysconf("SC_CLK_TCK")
ROWS, COLUMNS = 50, 160


def family(root):
    """The process and everything below it."""
    children = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", encoding="ascii", errors="replace") as f:
                parent = int(f.read().rsplit(")", 1)[1].split()[1])
        except (OSError, IndexError):
            continue
        children.setdefault(parent, []).append(int(name))
    found, todo = [], [root]
    while todo:
        pid = todo.pop()
        found.append(pid)
        todo += children.get(pid, [])
    return found


def cpu_seconds(pids):
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
                fields = f.read().rsplit(")", 1)[1].split()
            total += int(fields[11]) + int(fields[12])
        except OSError:
            pass
    return total / TICKS


def resident_mib(pids):
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
                for line in f:
                    if line.startswith("Pss:"):
                        total += int(line.split()[1])
        except OSError:
            pass
    return total / 1024


def pump(fd, until):
    """Bytes that came before the deadline, and when the first of them came."""
    n, first = 0, None
    while True:
        left = until - time.monotonic()
        if left <= 0:
            return n, first
        if not select.select([fd], [], [], left)[0]:
            continue
        try:
            data = os.read(fd, 65536)
        except OSError:
            return n, first
        if not data:
            return n, first
        if first is None and len(data) > 200:
            first = time.monotonic()
        n += len(data)


def measure(name, argv):
    started = time.monotonic()
    pid, fd = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "xterm-256color"
        os.execvp(argv[0], argv)
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    _, first = pump(fd, started + 3)
    before = cpu_seconds(family(pid))
    n, _ = pump(fd, time.monotonic() + SECONDS)
    pids = family(pid)
    cpu = (cpu_seconds(pids) - before) / SECONDS * 100
    memory = resident_mib(pids)
    os.kill(pid, signal.SIGTERM)
    pump(fd, time.monotonic() + 1)
    os.waitpid(pid, 0)
    os.close(fd)
    shown = f"{(first - started) * 1000:7.0f}" if first else "      -"
    print(f"{name:28} {shown} ms {cpu:7.2f} % {memory:7.1f} MiB {n / SECONDS:9.0f} B/s")
    return cpu


def timed(argv, stdin=None, times=20):
    start = time.monotonic()
    for _ in range(times):
        subprocess.run(argv, input=stdin, stdout=subprocess.DEVNULL, check=True)
    return (time.monotonic() - start) / times * 1000


def main():
    print(f"{'':28} first frame     CPU    memory   to the terminal   ({COLUMNS}x{ROWS}, {SECONDS:.0f} s each, PSS of all processes)")
    own = measure("gpuslice monitor, 1 s", [PROGRAM, "--sim", "dgx-h100", "monitor", "--interval", "1000"])
    measure("gpuslice console, 1 s", [PROGRAM, "--sim", "dgx-h100", "console", "--interval", "1000"])
    measure("the same, 4 L40S, 96 VFs", [PROGRAM, "--sim", "kvm-l40s", "monitor", "--interval", "1000"])
    for name, argv in (("htop, 1 s", ["htop", "-d", "10"]), ("btop", ["btop"])):
        if shutil.which(argv[0]):
            other = measure(name, argv)
            if other:
                print(f"{'':28} CPU of gpuslice monitor / {argv[0]}: {own / other:.2f}")
        else:
            print(f"{name:28} not installed, left out")
    print(f"gpuslice list                {timed([PROGRAM, '--sim', 'dgx-h100', 'list']):7.1f} ms")
    print(f"gpuslice plan, 3 statements  {timed([PROGRAM, '--sim', 'dgx-h100', 'plan', '-'], b'create 3 3g.40gb at 4' + bytes([10]) + b'create 3 1g.10gb count 2'):7.1f} ms")


main()
