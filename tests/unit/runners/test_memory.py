"""What a process has freed is the system's again: large blocks at once, small ones when a slice ends."""

import subprocess
import sys

import pytest

from runners.memory import give_back

# Blocks of the size of Kafka's buffers, each behind one that stays, so that the heap has as many holes as it can.
HOLES = """
import ctypes, threading
from runners.memory import give_back, tune_memory
resident = lambda: int(open('/proc/self/statm').read().split()[1]) * 4096
tune_memory()
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]
def blocks(size, number):
    held = []
    for _ in range(number):
        one = libc.malloc(size)
        ctypes.memset(one, 1, size)
        held.append((one, libc.malloc(64)))
    return held
before = resident()
for size, number in ((1 << 20, 100), (128 << 10, 800)):
    threads = [threading.Thread(target=lambda: [libc.free(one) for one, _ in blocks(size, number)]) for _ in range(4)]
    [one.start() for one in threads]
    [one.join() for one in threads]
    give_back()
print((resident() - before) >> 20)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc alone keeps what is free")
def test_blocks_that_were_freed_between_others_that_stay_are_given_back() -> None:
    done = subprocess.run([sys.executable, "-c", HOLES], capture_output=True, text=True, check=True)

    assert int(done.stdout) < 40, "of 800 MiB, MiB are still held"


def test_giving_back_what_is_not_free_does_nothing() -> None:
    held = [bytes(1000) for _ in range(1000)]

    give_back()

    assert all(one == bytes(1000) for one in held)
