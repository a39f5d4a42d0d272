"""A simulator of Azure AI Vision's custom models (Image Analysis 4.0, 2023-04-01-preview)."""

from trainbell.simulators.access import Access
from trainbell.simulators.azure_vision.service import API_KEY, AzureVisionSimulator

SIMULATOR = AzureVisionSimulator
ACCESS = Access(secret=API_KEY)

__all__ = ["ACCESS", "SIMULATOR", "AzureVisionSimulator"]
