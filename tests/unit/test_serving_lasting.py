"""What lasts is out of the collector's sight, and goes once something else stands in its place."""

from __future__ import annotations

import gc
import weakref

from serving.lasting import spare_what_lasts


class InCircle:
    def __init__(self) -> None:
        self.itself = self


def test_what_was_spared_goes_when_it_was_replaced() -> None:
    spared = InCircle()
    known = weakref.ref(spared)
    spare_what_lasts()
    assert all(each is not spared for each in gc.get_objects())
    del spared
    spare_what_lasts()
    assert known() is None
