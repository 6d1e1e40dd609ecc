"""A network of its own for a few hosts, with links that can be cut, slowed down and made lossy, each way by itself.

Each host has a TUN device: what it sends comes to this process as an IP packet, and goes on to the device of the host it
is for, or is dropped, or waits. So TCP meets what it meets in a real network: packets vanish without a word, connections
outlive a partition and go on when it heals, retransmissions come late.

Usage: switch.py PREFIX NAMESPACE...    host 0 is the caller's own network namespace, host i is the i-th of those named.
Host i has the address PREFIX.(10 + i). Rules come on standard input, one a line: FROM TO LOSS DELAY_MS JITTER_MS.
Prints "ready" when all devices are up. Ends with its standard input.
"""
import fcntl
import heapq
import os
import random
import selectors
import struct
import subprocess
import sys
import time

TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
MTU = 8000
FIRST_ADDRESS = 10


def run(*command):
    subprocess.run(command, check=True)


def open_device(number, prefix, namespace):
    name = "chaos%d" % number
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TUN | IFF_NO_PI))
    ip = ["ip"]
    if namespace is not None:
        run("ip", "netns", "add", namespace)
        run("ip", "link", "set", name, "netns", namespace)
        ip = ["ip", "-n", namespace]
        run(*ip, "link", "set", "lo", "up")
    run(*ip, "addr", "add", "%s.%d/24" % (prefix, FIRST_ADDRESS + number), "dev", name)
    run(*ip, "link", "set", name, "mtu", str(MTU), "txqueuelen", "2000", "up")
    return device


class Switch:
    def __init__(self, devices):
        self.devices = devices
        self.rules = {}
        # (due, order, device, packet): packets of one link keep their order.
        self.waiting = []
        self.order = 0
        self.link_free_at = {}

    def read_rules(self, text):
        for line in text.splitlines():
            source, target, loss, delay, jitter = line.split()
            rule = (float(loss), float(delay) / 1000, float(jitter) / 1000)
            self.rules[int(source), int(target)] = None if rule == (0, 0, 0) else rule

    def take(self, source):
        """Reads what a host has sent, as long as there is something, but not for ever."""
        for _ in range(64):
            try:
                packet = os.read(self.devices[source], MTU + 64)
            except BlockingIOError:
                return
            if packet[0] >> 4 != 4:
                continue
            target = packet[19] - FIRST_ADDRESS
            if target == source or not 0 <= target < len(self.devices):
                continue
            self.forward(source, target, packet)

    def forward(self, source, target, packet):
        rule = self.rules.get((source, target))
        if rule is None:
            # What is still on its way after a delay was lifted may be overtaken; TCP takes care of that.
            self.deliver(target, packet)
            return
        loss, delay, jitter = rule
        if random.random() < loss:
            return
        due = time.monotonic() + delay + jitter * random.random()
        due = max(due, self.link_free_at.get((source, target), 0))
        self.link_free_at[source, target] = due
        self.order += 1
        heapq.heappush(self.waiting, (due, self.order, target, packet))

    def deliver(self, target, packet):
        try:
            os.write(self.devices[target], packet)
        except OSError:
            pass  # the host's queue is full: a packet is lost

    def deliver_due(self):
        """Returns how long nothing will be due, None when nothing waits."""
        now = time.monotonic()
        while self.waiting and self.waiting[0][0] <= now:
            _, _, target, packet = heapq.heappop(self.waiting)
            self.deliver(target, packet)
        return max(0, self.waiting[0][0] - now) if self.waiting else None


def main():
    prefix, namespaces = sys.argv[1], [None, *sys.argv[2:]]
    devices = [open_device(number, prefix, namespace) for number, namespace in enumerate(namespaces)]
    switch = Switch(devices)
    selector = selectors.DefaultSelector()
    for number, device in enumerate(devices):
        selector.register(device, selectors.EVENT_READ, number)
    selector.register(sys.stdin.fileno(), selectors.EVENT_READ, None)
    print("ready", flush=True)
    rest = b""
    while True:
        for key, _ in selector.select(switch.deliver_due()):
            if key.data is not None:
                switch.take(key.data)
                continue
            text = os.read(key.fd, 65536)
            if text == b"":
                return
            *lines, rest = (rest + text).split(b"\n")
            switch.read_rules(b"\n".join(lines).decode())


main()
