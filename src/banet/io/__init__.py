"""Files, locks, manifests and settings, on which every room stands."""
