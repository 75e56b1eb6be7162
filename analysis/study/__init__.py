"""Read the arms of a study, test its claims, write its page."""
