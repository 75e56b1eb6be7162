"""Export the winner as a folder that needs torch alone."""
