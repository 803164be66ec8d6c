"""When things happen and in which order: ingest, validate, transform, measure, publish, alert."""
