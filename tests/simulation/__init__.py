"""A whole network in one process and one thread: three nodes, a bridge, their compliance services and a chain.

The product's own code runs, with its SQL on SQLite files. Replaced are the transport (signed HTTP), the clock, threads,
randomness and the chain's engine, all of them ruled by one seed: the same seed gives the same run, event by event.
"""
