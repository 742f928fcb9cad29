"""domain_separator: what signatures are bound to."""

from __future__ import annotations

from contracts.terms.commitments import domain_separator


def test_domain_is_ours(stage):
    chain_id = stage.client.chain_id
    assert stage.settlement.domain_separator() == domain_separator(chain_id, stage.settlement.address)
    assert stage.settlement.domain_separator() != domain_separator(chain_id + 1, stage.settlement.address)
