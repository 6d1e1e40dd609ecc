"""Runs one kazoo case against a server, or lists them all.

    run.py --list                 prints topic.case, one a line
    run.py HOST:PORT topic.case   exit status 0 when the case passes

A case is a function `case_<name>(env)` in a file of this folder. It gets clients from `env`, which stops them all
at the end, and a root path of its own.
"""
import faulthandler
import importlib
import logging
import os
import sys
import threading
import time
import uuid

from kazoo.client import KazooClient

TOPICS = ("connection", "nodes", "watches", "transactions", "acls", "sessions",
          "locks", "recipes", "limits", "commands")


class Env:
    def __init__(self, address):
        self.address = address
        self.root = "/kazoo-" + uuid.uuid4().hex[:12]
        self.clients = []

    def client(self, chroot="", **options):
        """A started client, stopped at the end of the case."""
        options.setdefault("timeout", 10)
        made = KazooClient(hosts=self.address + chroot, **options)
        self.clients.append(made)
        made.start(timeout=15)
        return made

    def rooted(self, **options):
        """A started client together with the path of this case, which exists."""
        made = self.client(**options)
        made.ensure_path(self.root)
        return made, self.root

    def close(self):
        for client in self.clients:
            client.stop()
            client.close()


def cut(client):
    """Cuts the TCP connection under a client; the session stays."""
    import socket
    client._connection._socket.shutdown(socket.SHUT_RDWR)


def until(condition, seconds=15):
    """Waits until condition() is true and returns what it gave."""
    end = time.monotonic() + seconds
    while True:
        got = condition()
        if got:
            return got
        assert time.monotonic() < end, "still not so after %g s" % seconds
        time.sleep(0.02)


def thread(function, *args):
    """Starts the function in a thread; join() gives its result or raises what it raised."""
    box = {}

    def body():
        try:
            box["result"] = function(*args)
        except BaseException as error:
            box["error"] = error

    made = threading.Thread(target=body, daemon=True)
    made.start()

    def join(seconds=20):
        made.join(seconds)
        assert not made.is_alive(), "the thread still runs"
        if "error" in box:
            raise box["error"]
        return box.get("result")

    made.result = join
    return made


def raises(kind, function, *args, **kwargs):
    try:
        got = function(*args, **kwargs)
    except kind as error:
        return error
    raise AssertionError("no %s but %r" % (kind.__name__, got))


def cases():
    for topic in TOPICS:
        module = importlib.import_module("cases_" + topic)
        for name in vars(module):
            if name.startswith("case_"):
                yield topic + "." + name[len("case_"):], getattr(module, name)


def main():
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    sys.modules["run"] = sys.modules["__main__"]
    if sys.argv[1:] == ["--list"]:
        for name, _ in cases():
            print(name)
        return
    address, wanted = sys.argv[1:]
    logging.basicConfig(level=logging.WARNING)
    faulthandler.dump_traceback_later(40, exit=True)
    env = Env(address)
    dict(cases())[wanted](env)
    env.close()


main()
