"""Machines that are started when they are needed and stopped when they are not."""
