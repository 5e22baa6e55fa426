"""Runs over many machines: queues of a broker between what launches them and the workers that carry them out.

queues          which queue a run goes to, and how urgent it is there
coordinator     writes both down with a run as it is asked for
launcher        hands it to the broker, once or as often as it takes
worker          takes it from there, once
"""
