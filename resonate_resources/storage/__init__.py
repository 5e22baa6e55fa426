"""Where things are kept, on disk or S3: artefacts, the compute cache, the inbox, the catalogue, the database.

What is in a file, and how it is made, is none of its business.
"""
