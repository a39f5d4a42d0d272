"""What Trainbell is about, without any I/O: jobs, their lifecycle, when to look, when to tell."""
