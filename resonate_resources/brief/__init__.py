"""The brief: what is wanted of one track. How it is done, and facts of the installation, do not belong here."""
