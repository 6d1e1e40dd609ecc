"""Barriers, queues, counters, parties, partitioners."""
from run import thread, until


def case_Barrier(env):
    client, root = env.rooted()
    other = env.client()
    barrier = client.Barrier(root + "/barrier")
    barrier.create()
    waiting = thread(other.Barrier(root + "/barrier").wait, 15)
    assert other.Barrier(root + "/barrier").wait(0.2) is False
    barrier.remove()
    assert waiting.result() is True


def case_DoubleBarrier(env):
    clients = [env.rooted()[0] for _ in range(3)]
    entered, left = [], []

    def work(client, name):
        barrier = client.DoubleBarrier(env.root + "/double", 3, identifier=name)
        barrier.enter()
        entered.append(name)
        until(lambda: len(entered) == 3)
        barrier.leave()
        left.append(name)

    first = [thread(work, client, str(i)) for i, client in enumerate(clients[:2])]
    until(lambda: len(clients[0].get_children(env.root + "/double")) == 2
          if clients[0].exists(env.root + "/double") else False)
    assert not entered
    work(clients[2], "2")
    for made in first:
        made.result()
    assert len(left) == 3


def case_Queue(env):
    client, root = env.rooted()
    other = env.client()
    queue = client.Queue(root + "/queue")
    for item in (b"one", b"two"):
        queue.put(item)
    queue.put(b"urgent", priority=1)
    taken = other.Queue(root + "/queue")
    assert len(taken) == 3
    assert [taken.get(), taken.get(), taken.get(), taken.get()] == [b"urgent", b"one", b"two", None]


def case_LockingQueue(env):
    client, root = env.rooted()
    other = env.client()
    queue, second = client.LockingQueue(root + "/lq"), other.LockingQueue(root + "/lq")
    queue.put(b"one")
    queue.put_all([b"two", b"three"])
    assert queue.get(5) == b"one"
    assert second.get(5) == b"two"
    assert queue.holds_lock() and queue.consume()
    assert not queue.holds_lock()
    assert second.release()
    assert queue.get(5) == b"two"
    assert queue.consume()
    waiting = thread(second.get, 15)
    assert waiting.result() == b"three"


def case_Counter(env):
    clients = [env.rooted()[0] for _ in range(3)]

    def count(client):
        counter = client.Counter(env.root + "/counter")
        for _ in range(20):
            counter += 2
        counter -= 1

    for made in [thread(count, client) for client in clients]:
        made.result()
    assert clients[0].Counter(env.root + "/counter").value == 3 * 39


def case_Counter_of_floats_and_curator(env):
    client, root = env.rooted()
    counter = client.Counter(root + "/float", default=1.5)
    counter += 0.25
    assert counter.value == 1.75
    shared = client.Counter(root + "/curator", support_curator=True)
    shared += 7
    assert client.get(root + "/curator")[0] == b"\0\0\0\7"


def case_Party(env):
    client, root = env.rooted()
    other = env.client()
    party, second = client.Party(root + "/party", "one"), other.Party(root + "/party", "two")
    party.join()
    second.join()
    assert sorted(party) == ["one", "two"] and len(second) == 2
    second.leave()
    assert list(party) == ["one"]
    client.stop()
    other.sync(root)
    assert len(second) == 0


def case_ShallowParty(env):
    client, root = env.rooted()
    party = client.ShallowParty(root + "/shallow", "one")
    party.join()
    assert list(party) == ["one"]


def case_SetPartitioner(env):
    clients = [env.rooted()[0] for _ in range(2)]
    parts = [client.SetPartitioner(env.root + "/parts", set=("a", "b", "c"), time_boundary=0.5, identifier=str(i))
             for i, client in enumerate(clients)]

    def settled(wanted):
        for part in wanted:
            if part.release:
                part.release_set()
            assert not part.failed
        if not all(part.acquired for part in wanted):
            return False
        return sorted(item for part in wanted for item in part) == ["a", "b", "c"]

    until(lambda: settled(parts), 30)
    assert all(len(list(part)) in (1, 2) for part in parts)
    parts[1].finish()
    until(lambda: settled(parts[:1]), 30)
    parts[0].finish()
