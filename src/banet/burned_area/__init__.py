"""Burned area, the one noun of the package: where and on which day vegetation burned."""
