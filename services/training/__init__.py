"""Training and coaching: joint queues, group formation, joint procurement."""
