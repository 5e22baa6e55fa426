"""From a request to a plan: form, harmony, melody, accompaniment, all by rules and a seed."""
