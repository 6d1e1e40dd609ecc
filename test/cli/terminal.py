"""Types on a pseudo-terminal and prints what appears there.

terminal.py STEPS COMMAND...   STEPS is a JSON list of [text to wait for, keys to send] or [text, {"columns": n}] to
                               change the width
"""
import fcntl
import json
import os
import pty
import select
import struct
import sys
import termios
import time

STEP_SECONDS = 20
ROWS = 24
COLUMNS = 100


def main():
    steps = json.loads(sys.argv[1])
    pid, terminal = pty.fork()
    if pid == 0:
        set_width(1, COLUMNS)
        os.execvp(sys.argv[2], sys.argv[2:])
    seen = bytearray()
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
        if isinstance(keys, str):
            os.write(terminal, keys.encode())
        else:
            set_width(terminal, keys["columns"])
    read_until(None)
    sys.stdout.buffer.write(seen)
    sys.stdout.flush()
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


def set_width(terminal, columns):
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, columns, 0, 0))


main()
