"""Participants.set_codes: the council says which payment codes a participant answers for."""

from __future__ import annotations

import pytest

from contracts.chain.participants import Participants


def test_codes_replace_the_former(stage):
    wallet = stage.account("wallet")
    stage.govern_participants(Participants.set_codes_call(wallet, ["SG.PAYNOW:", "UNIONPAY:70290156"]))
    assert stage.participants.participant(wallet).codes == ("SG.PAYNOW:", "UNIONPAY:70290156")
    stage.govern_participants(Participants.set_codes_call(wallet, []))
    assert stage.participants.participant(wallet).codes == ()


@pytest.mark.parametrize("name", ["stranger", "governor_1", "guardian", "wallet/settlement"])
def test_codes_are_the_councils(stage, refused, name):
    with refused("participants: only the council"):
        stage.send(name, "Participants", "set_codes", stage.account("wallet"), ["X:1"])


def test_stranger_answers_for_no_code(stage, refused):
    with refused("participants: unknown account"):
        stage.govern_participants(Participants.set_codes_call(stage.account("stranger"), []))


def test_who_left_answers_for_no_code(stage, refused):
    stage.govern_participants(Participants.leave_call(stage.account("acquirer")))
    with refused("participants: left"):
        stage.govern_participants(Participants.set_codes_call(stage.account("acquirer"), ["X:1"]))
