"""The page that is heard without a server: one folder, opened from disk. Its scripts stand beside this file as they
are sent; nothing builds them."""
