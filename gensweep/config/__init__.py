"""From a user's options to the resolved sweep."""
