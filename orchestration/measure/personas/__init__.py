"""What is measured of the customers a persona stands for: the figures of its claims, its evidence card, and what is not covered."""
