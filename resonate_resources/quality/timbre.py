"""Timbre."""

import numpy as np

from resonate_resources.quality.difference import Difference, decibels, power_floor


def timbre(reference, candidate):
    from scipy.fft import dct

    means = []
    floor = power_floor(reference.mel, 70)
    sounding = reference.power >= power_floor(reference.power, 40)
    for readings in (reference, candidate):
        cepstra = dct(decibels(readings.mel, floor), axis=1, norm="ortho")[:, 1:13]
        means.append(cepstra[sounding].mean(axis=0))
    distance = float(np.sqrt(2 / reference.mel.shape[1] * np.sum((means[1] - means[0]) ** 2)))
    return Difference(distance / 37, f"mel-cepstral distance {distance:.2f} dB")
