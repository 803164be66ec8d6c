"""One module per page, each with ``page(release)``. Which there are, and in which order, is in ``dashboard.places``."""
