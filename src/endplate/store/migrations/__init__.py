"""Steps of the schema, oldest first; every database is brought to the newest when it is opened."""
