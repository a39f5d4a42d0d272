"""The engine for one machine: the loop, the local server and their data directory."""
