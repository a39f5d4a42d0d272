"""What Trainbell does, one module each. A use case knows ports and the domain, never an adapter."""
