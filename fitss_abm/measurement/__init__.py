"""What is seen: counts streamed from a running simulation, person-level snapshots, result folders."""
