"""A receiver of notifications: keeps every envelope it was sent, answers 200 unless scripted.

    with Receiver() as hook:
        server = start(..., notifications=[hook.entry("ci", events=["push"])])
        hook.wait_for(3)
        [event["action"] for event in hook.events()]
"""

import hashlib
import hmac
import json

from . import process
from .hostile import Server, plain


class Receiver(Server):
    def reply_to(self, request):
        return plain(200, b"ok")

    def entry(self, name, path="/hook", **more):
        """What stands in the configuration."""
        return {"name": name, "url": self.url + path, "timeout": "2s", **more}

    def events(self, path="/hook"):
        """What was accepted with 200, in the order it came; repetitions too."""
        return [event for request in self.seen("POST", path) if request.status == 200
                for event in json.loads(request.body)["events"]]

    def wait_for(self, count, path="/hook", seconds=20):
        process.wait_for(lambda: len(self.events(path)) >= count, seconds,
                         f"{count} events, not {len(self.events(path))}")
        return self.events(path)


def signature(secret, body):
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def told(events):
    """(action, repository, tag or digest) of each."""
    return [(event["action"], event["target"]["repository"],
             event["target"].get("tag") or event["target"].get("digest")) for event in events]


def without_repetitions(events):
    seen = set()
    return [event for event in events if not (event["id"] in seen or seen.add(event["id"]))]
