"""Care of the data: exports and imports, retention, forgetting people."""
