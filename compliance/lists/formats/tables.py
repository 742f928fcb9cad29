"""Rows of CSV files, complete and named by their number."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping

from contracts.terms.errors import Malformed

_LONGEST_CELL = 1_000_000
csv.field_size_limit(_LONGEST_CELL)

Row = Mapping[str, str]


def rows(text: str, delimiter: str = ",") -> Iterator[tuple[str, list[str]]]:
    """Each row's place ("row 7", by the line on which it ends) and cells, without surrounding white space; blank rows
    are left out. Raises Malformed."""
    reader = csv.reader(io.StringIO(text.removesuffix("\x1a"), newline=""), delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            if cells:
                yield f"row {reader.line_num}", [cell.strip() for cell in cells]
    except csv.Error as failure:
        raise Malformed(f"row {reader.line_num}: not a CSV file: {failure}") from failure


def records(text: str, needed: tuple[str, ...], delimiter: str = ",", skip: int = 0) -> Iterator[tuple[str, Row]]:
    """Each row's place and cells by the names of the columns, which stand in the row after the first `skip` ones.

    Raises Malformed when a needed column is missing, or a row has more or fewer cells than there are columns.
    """
    table = rows(text, delimiter)
    for _ in range(skip):
        next(table, None)
    _, columns = next(table, ("", []))
    if missing := [column for column in needed if column not in columns]:
        raise Malformed(f"the column {missing[0]} is missing; these are needed: {', '.join(needed)}")
    for place, cells in table:
        if len(cells) != len(columns):
            raise Malformed(
                f"{place}: it has not {len(columns)} columns but {len(cells)}: the file is damaged or cut off"
            )
        yield place, dict(zip(columns, cells, strict=True))


def several(text: str, separator: str = ";") -> list[str]:
    """The values of a cell that holds several."""
    return [part.strip() for part in text.split(separator) if part.strip()]
