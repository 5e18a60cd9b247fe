"""What the present state of the cluster means for an operator."""
