"""The compliance service's settings, beside those of every service."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from compliance.lists.loader import SHIPPED_LIST
from compliance.policy import SHIPPED_POLICY
from serving.settings import ServiceSettings


class ComplianceSettings(ServiceSettings):
    compliance_key: Path = Field(description="keystore of the secp256k1 key that signs attestations")
    policy: Path = Field(default=SHIPPED_POLICY, description="the policy, in the form of the shipped policy.toml")
    sanctions_list: Path = Field(default=SHIPPED_LIST, description="the list, in the form of the shipped extract")
    chain_tolerance: float = Field(
        default=20, gt=0, le=300, description="seconds without a new final block after which nothing is decided"
    )
    follow_interval: float = Field(default=0.5, gt=0, le=10, description="seconds between looks at the chain")
