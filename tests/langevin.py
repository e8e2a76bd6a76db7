"""Exact samples of a damped oscillator, and of one with a relaxing neighbour, and the Dataset that mode_spectra would make of them."""

import json

import numpy as np
import scipy.linalg

from mdtools import schema


def sampled(drift, noise, n_frames, interval, runs, seed):
    """Stationary linear process dx = drift x dt + noise dW, sampled exactly: (run, frame, component)."""
    covariance = scipy.linalg.solve_continuous_lyapunov(drift, -noise @ noise.T)
    step = scipy.linalg.expm(drift * interval)
    kick = np.linalg.cholesky(covariance - step @ covariance @ step.T + 1e-14 * np.eye(len(drift)))
    random = np.random.default_rng(seed)
    x = random.normal(size=(runs, len(drift))) @ np.linalg.cholesky(covariance).T
    out = np.empty((runs, n_frames, len(drift)))
    for k in range(n_frames):
        out[:, k] = x
        x = x @ step.T + random.normal(size=x.shape) @ kick.T
    return out


def oscillator(w, g, energy, n_frames, interval, runs, seed):
    """Q and dQ/dt of Q'' + g Q' + w^2 Q = noise."""
    drift, noise = np.array([[0.0, 1.0], [-(w**2), -g]]), np.diag([0.0, np.sqrt(2 * g * energy)])
    return sampled(drift, noise, n_frames, interval, runs, seed)


def with_neighbour(w, g, extra, rate, energy, n_frames, interval, runs, seed):
    """Q, dQ/dt and y: static stiffness w^2, and a neighbour that relaxes at `rate` and takes the share extra / (w^2 + extra) of the fast one.

    H = v^2/2 + (w^2 + extra) Q^2/2 - sqrt(extra) Q y + y^2/2, dy = -rate (y - sqrt(extra) Q) dt + noise.
    """
    root = np.sqrt(extra)
    drift = np.array([[0, 1, 0], [-(w**2 + extra), -g, root], [rate * root, 0, -rate]], dtype=float)
    return sampled(drift, np.diag([0, np.sqrt(2 * g * energy), np.sqrt(2 * rate * energy)]), n_frames, interval, runs, seed)


def spectra(q, v, interval, *, temperature=300.0, windows=1, taper="hann", reduced=False, volume=1000.0):
    """q, v (mode, frame) -> the Dataset of mode_spectra, one real series a mode."""
    q, v = (np.asarray(x)[:, : x.shape[1] // windows * windows].reshape(len(x), windows, -1).swapaxes(0, 1) for x in (q, v))
    length = q.shape[-1]
    weight = np.ones(length) if taper == "none" else np.sin(np.pi * (np.arange(length) + 0.5) / length) ** 2
    power = [interval * np.abs(np.fft.rfft(x * weight)) ** 2 / np.sum(weight**2) for x in (q, v)]
    modes = np.arange(q.shape[1])
    out = schema.dataset(
        {
            "species": ["A"],
            "n_frames": length * windows,
            "volume": volume,
            "frame_interval": interval,
            "stated_temperature": temperature,
            "window": np.arange(windows) * length * interval,
            "window_length": length * interval,
            "frequency": np.arange(length // 2 + 1) / (length * interval),
            "reciprocal": ["a", "b", "c"],
            "part": ["real", "imaginary"],
            "q_reduced": (("mode", "reciprocal"), np.zeros((len(modes), 3))),
            "band": ("mode", modes + 1),
            "degenerate_set": ("mode", modes),
            "series": ("mode", np.ones(len(modes), dtype=int)),
            "mode_coordinate_periodogram": (("window", "mode", "frequency"), power[0]),
            "mode_velocity_periodogram": (("window", "mode", "frequency"), power[1]),
            "mode_coordinate_square": (("window", "mode"), np.mean(q**2, axis=-1)),
            "mode_coordinate_mean": (("window", "mode", "part"), np.stack([q.mean(axis=-1), 0 * q.mean(axis=-1)], axis=-1)),
        },
        reduced=reduced,
    )
    out.attrs["history"] = json.dumps([{"step": "mode_spectra", "taper": taper, "windows": windows}])
    return out
