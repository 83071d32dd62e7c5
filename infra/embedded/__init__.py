"""PostgreSQL, Temporal and S3 on loopback, with our worker and web process, from the wheels in the environment.

Nothing here downloads, listens beyond loopback, or ends a process it cannot identify as its own.
"""
