"""A simulator of DeepVA's training, dataset and model resources (docs.deepva.com)."""

from trainbell.simulators.access import Access
from trainbell.simulators.deepva.service import API_KEY, DeepVASimulator

SIMULATOR = DeepVASimulator
ACCESS = Access(secret=API_KEY)

__all__ = ["ACCESS", "SIMULATOR", "DeepVASimulator"]
