"""A command that shows how it was started, then ends as its first argument says: `exit CODE`, `raise`, or `wait` for a signal."""

import atexit
import json
import os
import sys
import threading
import time


def main() -> None:
    shown = {
        "arguments": sys.argv[1:],
        "environment": dict(os.environ),
        "name": __name__,
        "pid": os.getpid(),
        "terminal": sys.stdin.isatty(),
        "threads": threading.active_count(),
        "version": sys.version,
    }
    sys.stdout.write(json.dumps(shown) + "\n")
    sys.stdout.flush()
    atexit.register(lambda: sys.stderr.write("at exit\n"))
    sys.stderr.write("said\n")
    match sys.argv[1]:
        case "exit":
            sys.exit(int(sys.argv[2]))
        case "raise":
            raise RuntimeError("as told")
        case _:
            time.sleep(120)


if __name__ == "__main__":
    main()
