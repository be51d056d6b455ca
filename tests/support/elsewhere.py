"""Runs a command as if on another machine: `python -m tests.support.elsewhere HOST MODULE ARGUMENTS…`.

Machines tell themselves apart by their names; that a process died can be seen on its own machine alone.
"""

import runpy
import socket
import sys

if __name__ == "__main__":
    _, host, module, *arguments = sys.argv
    socket.gethostname = lambda: host
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
