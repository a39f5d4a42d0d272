"""A job from its request to its end, and forgetting it."""
