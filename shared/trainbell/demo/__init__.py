"""`make demo`: a whole Trainbell on this machine, with real trainings, and nothing left behind."""
