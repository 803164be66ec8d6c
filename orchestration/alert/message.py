"""How notices read: as one message with its picture, or several as a digest. Knows no receiver and no channel."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from orchestration.alert.channel import Kind, Letter
from orchestration.alert.notice import Notice, Severity

KINDS: dict[Severity, Kind] = {"critical": "failure", "warning": "warning", "info": "success"}
ORDER: tuple[Severity, ...] = ("critical", "warning", "info")


def single(notice: Notice) -> Letter:
    """One notice, with its causes, what can be done, and the picture of its series."""
    picture = None
    if notice.series is not None and notice.series.days:
        from orchestration.alert.picture import draw

        picture = draw(notice.series, notice.title)
    details = (*notice.details, *_known_already(notice))
    return Letter(
        title=notice.title,
        text="\n".join([notice.message, *(f"- {detail}" for detail in details)]),
        html=f"<p>{escape(notice.message)}</p>{_list(details)}",
        kind=KINDS[notice.severity],
        picture=picture,
    )


def digest(notices: Sequence[Notice]) -> Letter:
    """Several notices in one message, a line each, the worst first; those with one cause stand together, and what can be done
    about all of them is said once at the end.
    """
    if len(notices) == 1:
        return single(notices[0])
    by_cause: dict[str, list[Notice]] = {}
    for notice in notices:
        by_cause.setdefault(notice.message, []).append(notice)
    lines = [
        f"{', '.join(notice.title for notice in alike)}: {cause}"
        if len(alike) > 1 or alike[0].state == "held"
        else f"{alike[0].severity}: {cause}"
        for cause, alike in by_cause.items()
    ]
    worst = min((notice.severity for notice in notices), key=ORDER.index)
    shared = [detail for detail in notices[0].details if all(detail in notice.details for notice in notices)]
    return Letter(
        title=_title(notices),
        text="\n".join([*(f"- {line}" for line in lines), *shared]),
        html=_list(lines) + "".join(f"<p>{escape(detail)}</p>" for detail in shared),
        kind=KINDS[worst],
    )


def trial(receiver: str) -> Letter:
    """What `segments check --send-test` sends."""
    said = f"This is a test: the receiver {receiver} of nightly-segments is reached."
    return Letter(title="Test of the segments' alerts", text=said, html=f"<p>{escape(said)}</p>", kind="info")


def _title(notices: Sequence[Notice]) -> str:
    count, day = len(notices), max(notice.as_of_date for notice in notices)
    sorts = {notice.key.partition("/")[0] for notice in notices}
    if {notice.state for notice in notices} == {"held"}:
        return f"{count} segments are held on {day}"
    return f"{count} {'shifts' if sorts == {'shift'} else 'alerts'} of segments on {day}"


def _known_already(notice: Notice) -> tuple[str, ...]:
    if notice.segment is None or notice.state == "recovered":
        return ()
    return (f'To hear no more of it until it recovers: segments ack {notice.segment} --reason "…"',)


def _list(lines: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>" if lines else ""
