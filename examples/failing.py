"""A training that fails by itself: gradient descent whose learning rate is too large.

The loss grows with every epoch until it is no number any more. Then the script gives up with exit
code 3, as a careful training script does. With
`--learning-rate 0.1` it succeeds.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from sklearn.datasets import load_diabetes  # type: ignore[import-untyped]

from trainbell.training import report

DIVERGED = 3


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=200)
    parser.add_argument("--learning-rate", type=float, default=10.0)
    parser.add_argument("--epoch-seconds", type=float, default=0.03, help="pause after each epoch")
    given = parser.parse_args()

    features, target = load_diabetes(return_X_y=True, scaled=False)
    features = (features - features.mean(axis=0)) / features.std(axis=0)
    target = target - target.mean()
    weights = np.zeros(features.shape[1])
    np.seterr(over="ignore", invalid="ignore")  # the divergence is what this example is about
    for epoch in range(1, given.epochs + 1):
        error = features @ weights - target
        loss = float(np.mean(error**2))
        print(f"epoch {epoch:3d}/{given.epochs}  loss {loss:.4g}")
        if not np.isfinite(loss):
            report(message=f"the loss is no longer finite in epoch {epoch}: giving up")
            return DIVERGED
        report(
            stage="training",
            progress=epoch / given.epochs,
            message=f"epoch {epoch} of {given.epochs}, loss {loss:.4g}",
            loss=loss,
            curve={"epoch": epoch, "loss": loss},
        )
        weights -= given.learning_rate * 2 * features.T @ error / len(target)
        time.sleep(given.epoch_seconds)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
