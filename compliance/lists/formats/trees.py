"""XML files element by element: no entity, no DTD, no more in memory than one element at a time."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from contracts.terms.errors import Malformed

_DECLARED = re.compile(rb'^(<\?xml[^>]{0,200}standalone=")true(")')

_NO_DTD = "it declares entities or a DTD, which no list needs: not taken"


def root_of(content: bytes) -> tuple[str, dict[str, str]]:
    """The local name and the attributes of the root element; an empty name for what is no XML. Raises Malformed for
    what declares a DTD."""
    try:
        for _, element in iterparse(_stream(content), ("start",), forbid_dtd=True):
            return local(element), dict(element.attrib)
    except DefusedXmlException as refused:
        raise Malformed(_NO_DTD) from refused
    except (ParseError, ValueError, LookupError):
        pass
    return "", {}


def elements(content: bytes, *wanted: str) -> Iterator[tuple[str, Element]]:
    """Each element of a wanted local name when it is complete, with its place, such as "INDIVIDUAL 12".

    Names lose their namespaces. Raises Malformed for a file that is not well-formed or declares a DTD, at the end too.
    """
    counts, depth, path = dict.fromkeys(wanted, 0), 0, list[Element]()
    try:
        for event, element in iterparse(_stream(content), ("start", "end"), forbid_dtd=True):
            if event == "start":
                path.append(element)
                depth += local(element) in counts
                continue
            path.pop()
            name = local(element)
            if name in counts:
                depth -= 1
                counts[name] += 1
                for each in element.iter():
                    each.tag = local(each)
                yield f"{name} {counts[name]}", element
            if depth == 0 and path:
                path[-1].remove(element)
    except DefusedXmlException as refused:
        raise Malformed(_NO_DTD) from refused
    except (ParseError, ValueError, LookupError) as failure:
        last = ", ".join(f"{name} {count}" for name, count in counts.items() if count)
        after = f" after {last}" if last else ""
        raise Malformed(f"not well-formed XML{after}: {failure}; fetch the file again") from failure


def _stream(content: bytes) -> io.BytesIO:
    """Some publishers declare their files standalone="true", which XML spells "yes"."""
    if not _DECLARED.match(content):
        return io.BytesIO(content)
    return io.BytesIO(_DECLARED.sub(rb"\1yes\2", content, count=1))


def local(element: Element) -> str:
    """An element's name without its namespace."""
    return element.tag.rpartition("}")[2]


def text_of(element: Element, path: str) -> str:
    """The text at a path, or an empty one."""
    return (element.findtext(path) or "").strip()


def texts_of(element: Element, path: str) -> list[str]:
    """The texts at a path that are not empty."""
    return [found for each in element.iterfind(path) if (found := (each.text or "").strip())]
