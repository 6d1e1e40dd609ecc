"""kazoo logs in by SASL with DIGEST-MD5; what it has proven counts in ACLs of scheme sasl, also after a reconnect.

    sasl.py HOST:PORT

Users on the server: bob with bobsecret, ann with annsecret. Exit status 0 when everything is as it should be.
"""
import sys
import uuid

from kazoo.client import KazooClient
from kazoo.exceptions import AuthFailedError, NoAuthError
from kazoo.security import ACL, Id, Permissions


def client_of(address, user, password):
    options = {"mechanism": "DIGEST-MD5", "username": user, "password": password}
    return KazooClient(hosts=address, sasl_options=options)


def connected(address, user, password):
    client = client_of(address, user, password)
    client.start(timeout=15)
    return client


def refused(attempt):
    try:
        attempt()
    except NoAuthError:
        return
    raise AssertionError("was let in")


def main(address):
    path = "/kazoo-sasl-" + uuid.uuid4().hex[:12]
    bob = connected(address, "bob", "bobsecret")
    ann = connected(address, "ann", "annsecret")
    nobody = KazooClient(hosts=address)
    nobody.start(timeout=15)

    bob.create(path, b"his", acl=[ACL(Permissions.ALL, Id("auth", ""))])
    acls, _ = bob.get_acls(path)
    assert [(acl.perms, acl.id.scheme, acl.id.id) for acl in acls] == [(Permissions.ALL, "sasl", "bob")], acls
    assert bob.get(path)[0] == b"his"
    for stranger in (ann, nobody):
        refused(lambda: stranger.get(path))
        refused(lambda: stranger.set(path, b"mine"))

    bob.create(path + "-for-ann", b"hers", acl=[ACL(Permissions.READ, Id("sasl", "ann"))])
    assert ann.get(path + "-for-ann")[0] == b"hers"

    session = bob.client_id
    bob.stop()
    bob = connected(address, "bob", "bobsecret")
    assert bob.client_id != session
    assert bob.get(path)[0] == b"his"

    for user, password in (("bob", "wrong"), ("eve", "bobsecret")):
        intruder = client_of(address, user, password)
        try:
            intruder.start(timeout=5)
            intruder.get(path)
        except (AuthFailedError, NoAuthError):
            pass
        else:
            raise AssertionError(user + " has read it with " + password)
        finally:
            intruder.stop()
            intruder.close()

    bob.delete(path + "-for-ann")
    bob.delete(path)
    for client in (bob, ann, nobody):
        client.stop()
        client.close()


main(*sys.argv[1:])
