"""The colours of everything that is drawn of a release: Okabe and Ito's, which the colour-blind tell apart. A colour never says alone what a word does not say too."""

from __future__ import annotations

BLUE, VERMILLION, GREEN, ORANGE = "#0072B2", "#D55E00", "#009E73", "#E69F00"
SKY, PURPLE, YELLOW, BLACK = "#56B4E9", "#CC79A7", "#F0E442", "#000000"
#: For what stands behind: a band, an axis, everybody else.
GREY, LIGHT_GREY = "#6B6B6B", "#D5D5D5"

#: In the order in which things of equal rank are given one; yellow comes last, for it is faint on white.
CATEGORIES = (BLUE, ORANGE, GREEN, VERMILLION, SKY, PURPLE, BLACK, YELLOW)

OBSERVED, EXPECTED, BAND = BLUE, GREY, LIGHT_GREY
MEMBERS = BLUE
ENTERED, EXITED = BLUE, ORANGE
CRITICAL, WARNING, QUIET = VERMILLION, ORANGE, GREY
