"""A simulator of Salesforce Einstein Vision and Language, version 2 (metamind.readme.io)."""

from trainbell.simulators.access import Access
from trainbell.simulators.einstein.account_key import ACCOUNT, PRIVATE_KEY
from trainbell.simulators.einstein.service import EinsteinSimulator

SIMULATOR = EinsteinSimulator
ACCESS = Access(secret=PRIVATE_KEY, options={"account": ACCOUNT})

__all__ = ["ACCESS", "SIMULATOR", "EinsteinSimulator"]
