"""The integration's settings, from the file and from the environment."""
