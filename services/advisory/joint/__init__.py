"""The joint side: the queue of contacts, hand-overs, timelines, guidance, announcements, the resourcing review."""
