"""What can be done at the joint office, each inside one transaction, a module for each matter.

The HTTP API and the message handlers come here.
"""
