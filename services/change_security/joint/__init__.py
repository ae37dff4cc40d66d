"""The joint side: it runs in the joint office."""
