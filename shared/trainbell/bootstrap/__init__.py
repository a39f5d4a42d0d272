"""The only place where adapters are chosen: a module per engine, so neither loads the other."""
