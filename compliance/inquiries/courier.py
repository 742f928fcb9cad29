"""Carrying inquiries to other institutions: their nodes, whose addresses the registry has, hand them to their officers.

An inquiry is asked again until it is answered or its hold has ended; to ask again changes nothing there.
"""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import structlog

from compliance.client import MAX_INQUIRIES, Inquiry, InquiryAnswer
from compliance.inquiries.service import InquiriesService
from contracts.terms.documents import from_document, to_document
from contracts.terms.errors import ChainUnavailable, FeiqianError, PeerUnavailable
from contracts.terms.identifiers import Address
from contracts.terms.parties import KeyDirectory
from serving.client import Peer, PeerClient
from serving.troubles import Troubles

MOST_AT_ONCE = 500
LOOK_AGAIN = 3.0
"""Seconds between asking: officers answer in hours, and one request asks all."""
_log = structlog.get_logger(__name__)


class Courier:
    """Asks on a thread of its own until it is stopped."""

    def __init__(self, inquiries: InquiriesService, client: PeerClient, directory: KeyDirectory) -> None:
        self._inquiries, self._client, self._directory = inquiries, client, directory
        self._troubles = Troubles()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="courier", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()
        self._client.close()

    def carry(self) -> int:
        """Ask everything that waits for an answer, of each institution in lists; how many answers came."""
        asked: dict[Address, list[Inquiry]] = defaultdict(list)
        for peer, inquiry in self._inquiries.waiting(MOST_AT_ONCE):
            asked[peer].append(inquiry)
        return sum(self._ask(peer, inquiries) for peer, inquiries in asked.items())

    def _ask(self, peer: Address, asked: Sequence[Inquiry]) -> int:
        came = 0
        try:
            for start in range(0, len(asked), MAX_INQUIRIES):
                part = asked[start : start + MAX_INQUIRIES]
                came += self._inquiries.learn(peer, self._post(peer, part))
        except FeiqianError as failure:
            self._troubles.failed(peer, "inquiries are not answered", peer=peer, why=failure.detail)
        else:
            self._troubles.worked(peer)
        return came

    def _post(self, peer: Address, asked: Sequence[Inquiry]) -> list[InquiryAnswer]:
        found = self._directory.participant(peer)
        if found is None or not found.endpoint:
            raise PeerUnavailable("the registry has no address of this institution")
        body = json.dumps({"inquiries": [to_document(each) for each in asked]}).encode()
        answer: Any = self._client.post(Peer(peer, found.endpoint), "/peer/v1/inquiries", body)
        items = answer.get("answers") if isinstance(answer, dict) else None
        if not isinstance(items, list) or len(items) != len(asked):
            raise PeerUnavailable("the answer does not have one item per inquiry")
        answers = [from_document(InquiryAnswer, item) for item in items]
        if [each.id for each in answers] != [each.id for each in asked]:
            raise PeerUnavailable("the answer is about other inquiries")
        return answers

    def _run(self) -> None:
        while not self._stopped.wait(LOOK_AGAIN):
            try:
                self.carry()
                self._troubles.worked("courier")
            except ChainUnavailable:
                pass  # the follower says so; holds have no end meanwhile, and questions none either
            except FeiqianError as failure:
                self._troubles.failed("courier", "inquiries wait", why=failure.detail)
            except Exception as bug:  # officers would wait for answers that nobody fetches
                _log.error("bug", where="courier", exc_info=bug)
