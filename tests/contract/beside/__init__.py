"""The contracts on py-evm beside their model: every call made to both, outcome and state compared."""
