"""When things happen and in which order: ingest, validate, transform, measure, publish, alert."""

import warnings

import dagster

# Range runs rest on BackfillPolicy, which Dagster has called beta for years; saying so each night helps nobody.
warnings.filterwarnings("ignore", category=dagster.BetaWarning)
