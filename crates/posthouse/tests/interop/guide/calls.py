"""Calls the receiver of the guide in every way that it must not take, and in those that it must.

Its arguments are the receiver's port and the file that holds the key. The signature is made here
by the words of the specification, and not by the guide's own lines.
"""

import base64
import hashlib
import hmac
import http.client
import sys
import time

PORT, KEY_FILE = int(sys.argv[1]), sys.argv[2]
BODY = b'{"order": 1, "cups": 1}'


def call(name, fence="10", *, customer="c", age=0, without=(), forged=False, body=BODY):
    """The receiver's status and word for one call."""
    key = open(KEY_FILE).read().strip().split("_", 1)[1]
    stamp = str(int(time.time()) - age)
    text = b".".join([name.encode(), stamp.encode(), body])
    digest = hmac.new(base64.b64decode(key), text, hashlib.sha256).digest()
    headers = {
        "webhook-id": name,
        "webhook-timestamp": stamp,
        # As while keys are changed: one of another key stands first.
        "webhook-signature": "v1,bm90aGluZw== v1," + base64.b64encode(digest).decode(),
        "posthouse-key": customer,
        "posthouse-fence": fence,
    }
    headers = {key: value for key, value in headers.items() if key not in without}
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=10)
    connection.request("POST", "/orders", body + b" " if forged else body, headers)
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def check(found, *expected):
    """Fails with the line that asks."""
    assert found == expected, (found, expected)


check(call("a", forged=True), 401, "not genuine")
check(call("a", age=3_600), 401, "not genuine")
check(call("a", age=-3_600), 401, "not genuine")
for header in ["webhook-id", "webhook-timestamp", "webhook-signature"]:
    check(call("a", without=[header]), 401, "not genuine")
check(call("a"), 200, "taken")
check(call("a"), 200, "known already")
check(call("b", fence="9"), 409, "too late")
check(call("a", fence="9"), 200, "known already")
check(call("b", fence="9", customer="d"), 200, "taken")
check(call("c", fence="11"), 200, "taken")
check(call("d", fence="10"), 409, "too late")
check(call("e", fence="12", body=b'{"cups": 0}'), 422, "no cups")
check(call("f", fence="11"), 200, "taken")
