import torch

from resonate_resources.models.audio_separator.inversion import as_processors_invert

WINDOW = torch.hann_window(64)


def test_imaginary_parts_at_both_ends_do_not_reach_the_inverse(monkeypatch):
    seen = []
    monkeypatch.setattr(torch, "istft", lambda spectra, *args, **settings: seen.append(spectra))
    spectra = torch.randn(2, 33, 9, dtype=torch.complex64)
    before = spectra.clone()
    with as_processors_invert():
        torch.istft(spectra, 64, 16, window=WINDOW)
    [given] = seen
    assert not given[:, [0, -1]].imag.any()
    assert torch.equal(given.real, before.real)
    assert torch.equal(given[:, 1:-1], before[:, 1:-1])
    assert torch.equal(spectra, before)


def test_on_a_processor_it_makes_no_difference():
    spectra = torch.randn(2, 33, 9, dtype=torch.complex64)
    plain = torch.istft(spectra, 64, 16, window=WINDOW)
    with as_processors_invert():
        torch.testing.assert_close(torch.istft(spectra, 64, 16, window=WINDOW), plain, rtol=0, atol=1e-6)
