"""A simulator of DeepVA's training, dataset and model resources (docs.deepva.com)."""

from trainbell.simulators.deepva.service import DeepVASimulator

SIMULATOR = DeepVASimulator

__all__ = ["SIMULATOR", "DeepVASimulator"]
