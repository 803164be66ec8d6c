"""What campaigns did to the customers who were assigned to them: who is compared, what they bought, how sure one can be."""
