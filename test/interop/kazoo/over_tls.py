"""kazoo over TLS: certificates make identities, and ACLs of scheme x509 go by them.

    over_tls.py HOST:PORT CA ALICE BOB SUBJECT

CA is a PEM file, ALICE and BOB are PEM files with key and certificate, SUBJECT is the name in that of Alice as it
stands in ACLs. Exit status 0 when everything is as it should be.
"""
import sys
import uuid

from kazoo.client import KazooClient
from kazoo.exceptions import NoAuthError
from kazoo.security import ACL, Id, Permissions


def connected(address, ca, person):
    client = KazooClient(hosts=address, use_ssl=True, ca=ca, certfile=person, keyfile=person)
    client.start(timeout=15)
    return client


def main(address, ca, alice_pem, bob_pem, subject):
    path = "/kazoo-tls-" + uuid.uuid4().hex[:12]
    alice = connected(address, ca, alice_pem)
    bob = connected(address, ca, bob_pem)
    big = b"x" * 500000

    creator = ACL(Permissions.ALL, Id("auth", ""))
    alice.create(path, big, acl=[creator])
    acls, _ = alice.get_acls(path)
    assert [(acl.perms, acl.id.scheme, acl.id.id) for acl in acls] == [(Permissions.ALL, "x509", subject)], acls
    assert alice.get(path)[0] == big
    for attempt in (lambda: bob.get(path), lambda: bob.set(path, b"his")):
        try:
            attempt()
        except NoAuthError:
            continue
        raise AssertionError("bob was let in")

    bob.create(path + "-for-alice", b"hers", acl=[ACL(Permissions.ALL, Id("x509", subject))])
    assert alice.get(path + "-for-alice")[0] == b"hers"
    alice.delete(path + "-for-alice")
    alice.delete(path)
    for client in (alice, bob):
        client.stop()
        client.close()


main(*sys.argv[1:])
