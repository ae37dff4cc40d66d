"""What happens when a message comes: the joint side in the joint office, the authority side in each city's."""
