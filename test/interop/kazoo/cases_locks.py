"""Lock, ReadLock, WriteLock, Semaphore, Election, leases."""
from datetime import timedelta

from kazoo.exceptions import LockTimeout
from kazoo.recipe.lease import MultiNonBlockingLease, NonBlockingLease
from run import raises, thread, until


def case_Lock_one_at_a_time(env):
    clients = [env.rooted()[0] for _ in range(4)]
    inside, order = [], []

    def work(client, name):
        with client.Lock(env.root + "/lock", name):
            assert not inside
            inside.append(name)
            order.append(name)
            client.sync(env.root)
            inside.remove(name)

    threads = [thread(work, client, str(i)) for i, client in enumerate(clients)]
    for made in threads:
        made.result()
    assert sorted(order) == ["0", "1", "2", "3"]


def case_Lock_timeout_and_contenders(env):
    client, root = env.rooted()
    other = env.client()
    lock = client.Lock(root + "/lock", "one")
    assert lock.acquire()
    waiting = other.Lock(root + "/lock", "two")
    raises(LockTimeout, waiting.acquire, timeout=0.3)
    assert not waiting.acquire(blocking=False)
    assert client.Lock(root + "/lock").contenders() == ["one"]
    lock.release()
    assert waiting.acquire(timeout=10)
    waiting.release()


def case_Lock_passes_on_when_its_holder_ends(env):
    client, root = env.rooted()
    other = env.client()
    client.Lock(root + "/lock").acquire()
    waiting = thread(other.Lock(root + "/lock").acquire)
    until(lambda: len(client.get_children(root + "/lock")) == 2)
    client.stop()
    assert waiting.result() is True


def case_ReadLock_and_WriteLock(env):
    client, root = env.rooted()
    other = env.client()
    path = root + "/rw"
    first, second = client.ReadLock(path), other.ReadLock(path)
    assert first.acquire(timeout=10) and second.acquire(timeout=10)
    writer = client.WriteLock(path)
    assert not writer.acquire(blocking=False)
    waiting = thread(lambda: writer.acquire(timeout=15))
    until(lambda: len(client.get_children(path)) == 3)
    first.release()
    second.release()
    assert waiting.result() is True
    assert not other.ReadLock(path).acquire(blocking=False)
    writer.release()
    assert other.ReadLock(path).acquire(timeout=10)


def case_Semaphore(env):
    client, root = env.rooted()
    other, third = env.client(), env.client()
    path = root + "/sem"
    one, two = (c.Semaphore(path, max_leases=2) for c in (client, other))
    assert one.acquire() and two.acquire()
    late = third.Semaphore(path, max_leases=2)
    assert not late.acquire(blocking=False)
    assert len(one.lease_holders()) == 2
    waiting = thread(lambda: late.acquire(timeout=15))
    one.release()
    assert waiting.result() is True


def case_Election(env):
    clients = [env.rooted()[0] for _ in range(3)]
    leaders, now = [], []

    def lead(name):
        now.append(name)
        assert now == [name]
        leaders.append(name)
        now.remove(name)

    elections = [client.Election(env.root + "/election", str(i)) for i, client in enumerate(clients)]
    for made in [thread(election.run, lead, str(i)) for i, election in enumerate(elections)]:
        made.result()
    assert sorted(leaders) == ["0", "1", "2"]


def case_Election_contenders(env):
    client, root = env.rooted()
    other = env.client()
    import threading
    go = threading.Event()
    leading = thread(client.Election(root + "/election", "one").run, go.wait)
    until(lambda: client.Election(root + "/election").contenders() == ["one"])
    second = other.Election(root + "/election", "two")
    following = thread(second.run, lambda: None)
    until(lambda: second.contenders() == ["one", "two"])
    go.set()
    leading.result()
    following.result()


def case_leases(env):
    client, root = env.rooted()
    other = env.client()
    hour = timedelta(hours=1)
    assert NonBlockingLease(client, root + "/lease", hour, identifier="one")
    assert not NonBlockingLease(other, root + "/lease", hour, identifier="two")
    assert MultiNonBlockingLease(client, 2, root + "/multi", hour, identifier="one")
    assert MultiNonBlockingLease(other, 2, root + "/multi", hour, identifier="two")
    assert not MultiNonBlockingLease(other, 2, root + "/multi", hour, identifier="three")
