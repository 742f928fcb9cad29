"""`make bench`: measure, print tables, and write the raw figures to build/bench/figures.json."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from rich.console import Console

from tests.benchmarks import compliance, gas, growth, hashing, lists, names, network, qr
