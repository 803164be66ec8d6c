"""Runs dbt over the as-of dates of a run. Knows dbt; states no business rule."""
