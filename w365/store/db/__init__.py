"""The database itself: engine, schema, write lock, sealed values, many rows and ids in one statement."""
