"""What providers, channels and AWS adapters share: how the first two are found and their clients
kept, and how a refusal and a wish to be asked again are read."""
