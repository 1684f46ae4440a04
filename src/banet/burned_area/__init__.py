"""Where and on which day vegetation burned: the one noun of the package."""
