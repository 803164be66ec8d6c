"""The kinds of trouble that a caller can act on. Each message is a sentence: what is wrong, where, and the remedy."""

from __future__ import annotations


class SegmentsError(Exception):
    """Something went wrong that a person can mend; nothing was published."""


class ConfigurationError(SegmentsError):
    """The settings or the way a command was called are wrong; nothing was done."""


class ExtractMissing(SegmentsError):
    """A required extract has not arrived."""


class ExtractUnreadable(SegmentsError):
    """An extract cannot be read as its table."""


class ExtractRefused(SegmentsError):
    """Too large a share of an extract's rows broke a critical rule."""


class RefreshRunning(SegmentsError):
    """Another refresh of the same home is at work."""


class StepTooEarly(SegmentsError):
    """A step of the run was started before the steps that it rests on had ended."""


class ReleaseDamaged(SegmentsError):
    """A release does not hold what its manifest says."""
