"""Types on a pseudo-terminal and prints what appears there.

terminal.py STEPS COMMAND...   STEPS is a JSON list of [text to wait for, keys to send]
"""
import json
import os
import pty
import select
import sys
import time

STEP_SECONDS = 20


def main():
    steps = json.loads(sys.argv[1])
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvp(sys.argv[2], sys.argv[2:])
    seen = b""
    shown = 0  # what stands before this has been waited for already

    def read_until(text):
        nonlocal seen, shown
        deadline = time.monotonic() + STEP_SECONDS
        while True:
            found = len(seen) if text is None else seen.find(text.encode(), shown)
            if text is not None and found >= 0:
                shown = found + len(text.encode())
                return
            if time.monotonic() > deadline:
                sys.stdout.buffer.write(seen)
                sys.exit(f"\nwaited in vain for {text!r}")
            if select.select([terminal], [], [], 0.1)[0]:
                try:
                    part = os.read(terminal, 65536)
                except OSError:  # how Linux says that the other side has closed
                    part = b""
                if not part:
                    if text is None:
                        return
                    sys.stdout.buffer.write(seen)
                    sys.exit(f"\nended before {text!r}")
                seen += part

    for text, keys in steps:
        read_until(text)
        os.write(terminal, keys.encode())
    read_until(None)
    sys.stdout.buffer.write(seen)
    sys.stdout.flush()
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


main()
