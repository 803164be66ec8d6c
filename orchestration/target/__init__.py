"""Chooses whom a campaign gets: the business case, the audience, the arms, the list for the sender."""
