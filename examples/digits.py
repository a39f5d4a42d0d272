"""Train a small neural network on scikit-learn's bundled digits, and report as it goes.

    python examples/digits.py                 about five seconds, 98 % right
    python examples/digits.py --hidden 3      the same with a network that is too small

Every figure is measured on held-out images: accuracy, log loss, expected calibration error (ECE:
how far confidence is from being right, in ten bins of confidence), precision and recall by digit.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from sklearn.datasets import load_digits  # type: ignore[import-untyped]
from sklearn.metrics import (  # type: ignore[import-untyped]
    log_loss,
    precision_recall_fscore_support,
)
from sklearn.model_selection import train_test_split  # type: ignore[import-untyped]
from sklearn.neural_network import MLPClassifier  # type: ignore[import-untyped]
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from trainbell.training import report

ECE_BINS = 10


Images = np.ndarray[tuple[int, int], np.dtype[np.float64]]
Labels = np.ndarray[tuple[int], np.dtype[np.int64]]


def train(given: argparse.Namespace) -> None:
    began = time.perf_counter()
    report(stage="loading", progress=0.0, message="loading the digits")
    digits = load_digits()
    train_x, test_x, train_y, test_y = train_test_split(
        digits.data / 16.0,
        digits.target,
        test_size=0.3,
        random_state=given.seed,
        stratify=digits.target,
    )
    train_x, train_y = with_shifts(train_x, train_y)
    network = MLPClassifier(
        hidden_layer_sizes=(given.hidden,),
        learning_rate_init=given.learning_rate,
        batch_size=16,
        random_state=given.seed,
    )
    for epoch in range(1, given.epochs + 1):
        network.partial_fit(train_x, train_y, classes=digits.target_names)
        confidence = network.predict_proba(test_x)
        accuracy = float((confidence.argmax(axis=1) == test_y).mean())
        loss = float(log_loss(test_y, confidence, labels=digits.target_names))
        print(f"epoch {epoch:3d}/{given.epochs}  loss {loss:.4f}  accuracy {accuracy:.4f}")
        report(
            stage="training",
            progress=epoch / (given.epochs + 1),
            message=f"epoch {epoch} of {given.epochs}",
            accuracy=accuracy,
            log_loss=loss,
            curve={"epoch": epoch, "accuracy": accuracy, "log_loss": loss},
        )
    calibration = expected_calibration_error(confidence, test_y)
    seconds = time.perf_counter() - began
    report(
        stage="evaluated",
        progress=1.0,
        message=f"accuracy {accuracy:.3f} on {len(test_y)} held-out images",
        ece=calibration,
        per_tag=by_digit(confidence.argmax(axis=1), test_y),
        cost={"cpu_seconds": time.process_time()},
    )
    print(f"done in {seconds:.1f} s: accuracy {accuracy:.4f}, calibration error {calibration:.4f}")


def with_shifts(images: Images, labels: Labels) -> tuple[Images, Labels]:
    """Each image also shifted by one pixel up, down, left and right: five times the data."""
    square = images.reshape(-1, 8, 8)
    shifts = ((0, 0), (-1, 0), (1, 0), (0, -1), (0, 1))
    moved = [np.roll(square, shift, axis=(1, 2)).reshape(-1, 64) for shift in shifts]
    return np.concatenate(moved), np.tile(labels, len(shifts))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--hidden", type=int, default=128, help="neurons in the hidden layer")
    parser.add_argument("--learning-rate", type=float, default=0.001)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    if given.epochs < 1 or given.hidden < 1:
        parser.error("--epochs and --hidden must be at least 1")
    return given


def expected_calibration_error(confidence: Images, truth: Labels) -> float:
    """Mean of |accuracy - confidence| over bins of confidence, weighted by the bin's images."""
    surest = confidence.max(axis=1)
    right = confidence.argmax(axis=1) == truth
    bins = np.minimum((surest * ECE_BINS).astype(int), ECE_BINS - 1)
    gaps = (
        abs(right[bins == b].mean() - surest[bins == b].mean()) * (bins == b).mean()
        for b in np.unique(bins)
    )
    return float(sum(gaps))


def by_digit(predicted: Labels, truth: Labels) -> dict[str, dict[str, float]]:
    precision, recall, f1, images = precision_recall_fscore_support(
        truth, predicted, labels=range(10), zero_division=0.0
    )
    return {
        str(digit): {
            "precision": precision[digit],
            "recall": recall[digit],
            "f1": f1[digit],
            "images": images[digit],
        }
        for digit in range(10)
    }


if __name__ == "__main__":
    with threadpool_limits(1):  # so small a network gains nothing from more threads
        train(arguments())
