"""The file of a new persona, to be filled in: every field with a word of help. What is needed is left empty, so that `segments check` asks for it."""

from __future__ import annotations

from pathlib import Path

from orchestration.errors import ConfigurationError
from orchestration.personas.claims import MEASURES
from orchestration.personas.files import HOW_TO, ID, missing_folder, personas_folder
from orchestration.settings import Home, Settings

TEMPLATE = """\
# HOW_TO says more. `segments check` says what is still empty. A line of this kind is a remark.
name:                       # what she is called, such as Gina the gourmet
archetype:                  # whom she stands for, in a few words
status: draft               # draft, active or retired
owner:                      # who answers for this file
review_by:                  # the day by which somebody looks at it again, such as 2024-03-31
is_negative: false          # true: one whom the company does not seek
segments:                   # what she is made of; at least one has the role evidence
  - id:                     # a segment of the project
    role: evidence          # evidence: its members are whom she stands for; excluded: its members are not; target: campaigns address it
needs:                      # what she needs: a list, a line each that begins with a dash
  -
pain_points:                # where it hurts
  - text:                   # what
    moment:                 # when
    severity:               # low, medium or high
motivations:                # what moves her
  -
expectations:               # what she takes for granted
  -
jobs_to_be_done:            # what she wants to get done
  -
objections: []              # what keeps her from it; may stay empty, as every [] here
alternatives_tried: []      # what she has tried instead
quotes: []                  # what customers said, each of the form {text: …, source: …, said_on: 2024-03-31}
channels: []                # through which one talks to her: email, sms, post, push
tone:                       # how one talks to her
proof_points: []            # what makes her believe it
value_proposition:          # what to tell her, in a sentence
journey: []                 # stages, each of the form {stage: …, friction: …, service_idea: …}
claims:                     # what is said of her customers; of each kind as many as there are
  - id:                     # lower-case letters, digits and _
    text:                   # the claim in a sentence
    kind: observed          # tested every night
    measure:                # the figure by which it is tested
      of:                   # MEASURES
      in_last_days: 90      # how far back it looks; of no use to customers_with and also_in
      # weekdays: [saturday, sunday]        for spend_on_weekdays
      # category: or department:            for buyers_of, shopping_days_of and spend_share_of
      # channel: email                      for answered
      # attribute: age_band                 for customers_with, with one or more of is: [one, another], at_least: and at_most:
      # segment:                            for also_in
    compared: times_the_rest  # alone, times_the_rest, above_the_rest, times_another, above_another
    # another: {of: orders}   the other measure of the last two
    at_least:               # or at_most: the limit
    tolerance:              # how far from the limit it may be before it is contradicted
  # - id:
  #   text:
  #   kind: inferred
  #   because:              # of what
  # - id:
  #   text:
  #   kind: assumed
  #   settled_by:           # by what it would be settled
"""


def new_persona(home: Home, settings: Settings, name: str) -> Path:
    """Writes ``<name>.yml`` into the personas' folder, which is made where it is the project's own.

    Raises ConfigurationError, with nothing written, where the name can be no id or has a file, or the folder of the setting is not there.
    """
    if not ID.fullmatch(name):
        raise ConfigurationError(
            f"{name!r} cannot be a persona's name: use lower-case letters, digits and underscores, at most 64, a letter or a digit first."
        )
    if wrong := missing_folder(home, settings):
        raise ConfigurationError(wrong)
    folder = personas_folder(home, settings)
    if taken := [file for file in (folder / f"{name}.yml", folder / f"{name}.yaml") if file.exists()]:
        raise ConfigurationError(f"The name {name} is taken by {taken[0]}: take another, or edit that file.")
    file = folder / f"{name}.yml"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8") as written:
            written.write(template())
    except OSError as refused:
        raise ConfigurationError(
            f"{file} cannot be written ({refused.strerror}): see who may write into {folder}."
        ) from None
    return file


def template() -> str:
    return TEMPLATE.replace("HOW_TO", HOW_TO).replace("MEASURES", ", ".join(MEASURES))
