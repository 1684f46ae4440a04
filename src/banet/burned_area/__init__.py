"""Burned area: the one noun of the package, its dating rule, meanings, files and fires."""
