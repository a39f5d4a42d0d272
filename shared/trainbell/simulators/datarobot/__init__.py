"""A simulator of DataRobot's custom models (docs.datarobot.com, API v2)."""

from trainbell.simulators.access import Access
from trainbell.simulators.datarobot.service import API_KEY, DataRobotSimulator

SIMULATOR = DataRobotSimulator
ACCESS = Access(secret=API_KEY)

__all__ = ["ACCESS", "SIMULATOR", "DataRobotSimulator"]
