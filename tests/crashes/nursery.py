"""Services with crash points planted into them before they start."""

from __future__ import annotations

from pathlib import Path

from devnet.network.folder import CHAIN, SERVICES, NetworkFolder
from devnet.network.nursery import Asked, ForkedProcesses, Nursery, serve


class TrappedProcesses(ForkedProcesses):
    """The processes of one network; the members' services with points, told by the folder `traps`."""

    def __init__(self, folder: NetworkFolder, traps: Path) -> None:
        super().__init__(folder, tied=True, nursery=Nursery(__name__))
        self._traps = traps

    def close(self) -> None:
        """All services and the nursery end."""
        self.stop_all()
        self._nursery.close()

    def asked(self, service: str) -> Asked:
        return super().asked(service) | {"traps": "" if service == CHAIN else str(self._traps)}


def _plant(asked: Asked) -> None:
    if asked["traps"]:
        from tests.crashes.points import Points, plant

        plant(Points(Path(asked["traps"]), asked["service"], SERVICES[asked["service"]]))


if __name__ == "__main__":
    serve(_plant)
