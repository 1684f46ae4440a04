"""Archive runs and mornings in near real time, over the rooms below."""
