"""What a campaign met: each move's outcomes, counted."""

from __future__ import annotations

import json
from collections import Counter


class Tally:
    """Outcomes by function of the contracts: a refusal's reason, or "" for success."""

    def __init__(self) -> None:
        self.outcomes: Counter[tuple[str, str]] = Counter()
        self.settlements: Counter[str] = Counter()
        """Outcomes of `settle` alone, each call counted once."""
        self.executed: Counter[str] = Counter()
        """What the council's executed proposals called."""

    def to_json(self) -> str:
        outcomes = [[function, outcome, calls] for (function, outcome), calls in self.outcomes.items()]
        return json.dumps({"outcomes": outcomes, "settlements": self.settlements, "executed": self.executed})

    def add(self, text: str) -> None:
        """What another process met, as its `to_json` says."""
        met = json.loads(text)
        self.outcomes.update({(function, outcome): calls for function, outcome, calls in met["outcomes"]})
        self.settlements.update(met["settlements"])
        self.executed.update(met["executed"])

    @property
    def steps(self) -> int:
        """Calls made on both."""
        return self.outcomes.total()

    def count(self, function: str, outcome: str) -> None:
        self.outcomes[function, outcome] += 1
        if function == "settle":
            self.settlements[outcome] += 1

    @property
    def reasons(self) -> set[str]:
        return {outcome for _, outcome in self.outcomes if outcome}

    @property
    def settled_share(self) -> int:
        """Of a hundred calls of `settle`, how many succeeded."""
        return 100 * self.settlements[""] // max(1, self.settlements.total())

    def table(self) -> str:
        """Calls and outcomes, the commonest first."""
        lines = [f"{'function':<22} {'outcome':<40} {'calls':>8}"]
        for (function, outcome), calls in sorted(self.outcomes.items(), key=lambda each: (each[0][0], -each[1])):
            lines.append(f"{function:<22} {outcome or 'succeeded':<40} {calls:>8}")
        executed = ", ".join(f"{function} {times}" for function, times in self.executed.most_common())
        return "\n".join([*lines, f"executed by the council: {executed}"])
