"""What there is to tell of personas: that a claim lost ground, and that one is held. Each is told once."""

from __future__ import annotations

from orchestration.alert.notice import Notice
from orchestration.measure.personas.news import lost_ground
from orchestration.publish.releases import current_release, open_release
from orchestration.read.opened import has_table
from orchestration.settings import Home

#: A late extract may be the first to say what a day was: so many days are looked at, and each thing is told once.
DAYS_TOLD = 7

#: One that is held with a segment of hers is told of with the segment.
HELD = """
select persona, owner, held_since, held_because
from catalog.personas
where state = 'held' and not exists (
    select * from catalog.segments where list_contains(personas.evidence || personas.excluded, segment) and catalog.segments.state = 'held'
)
order by persona
"""


def persona_notices(home: Home) -> list[Notice]:
    """A notice for each claim that lost ground in the last days, and for each persona whose file cannot be believed."""
    manifest = current_release(home)
    if manifest is None:
        return []
    with open_release(home, manifest) as release:
        if not has_table(release, "catalog.personas"):
            return []
        lost = lost_ground(release, DAYS_TOLD)
        owners = dict(release.execute("select persona, owner from catalog.personas").fetchall())
        held = release.execute(HELD).fetchall()
    return [
        *(
            Notice(
                key=f"persona/{one.persona}/{one.claim}/{one.verdict}/{one.as_of_date}",
                as_of_date=one.as_of_date,
                segment=None,
                owner=owners.get(one.persona),
                severity="info",
                state=one.verdict,
                title=f"A claim of the persona {one.persona} is {one.verdict}",
                message=one.sentence,
                details=("All of it: the page Personas of `segments app`",),
            )
            for one in lost
        ),
        *(
            Notice(
                key=f"persona/{persona}/held/{since}",
                as_of_date=manifest.as_of_date,
                segment=None,
                owner=owner,
                severity="warning",
                state="held",
                title=f"The persona {persona} is held",
                message=because,
                details=("What is wrong with all of them: segments check",),
            )
            for persona, owner, since, because in held
        ),
    ]
