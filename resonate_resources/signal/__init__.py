"""Pure measures and transforms that several capabilities share: what one hears, the other judges by.

What only one capability needs stays with it. Functions on arrays or recordings; no Dagster, no models, no storage.
"""
