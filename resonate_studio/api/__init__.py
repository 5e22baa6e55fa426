"""The job API and the page: FastAPI beside Dagster's web server, on the same home and instance.

What is computed is computed by runs: a request reads, writes down, or asks for a run, and nothing here knows how a
stage works. Signal processing for the ear alone (light copies, waveforms, spectrograms) is `hearing`.
"""
