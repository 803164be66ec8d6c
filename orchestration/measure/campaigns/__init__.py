"""What a campaign did: lifts, their uncertainty, and what may be said of them."""
