"""Words to what they ask for: offline, by a lexicon and a grammar."""
