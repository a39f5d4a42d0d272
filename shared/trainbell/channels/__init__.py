"""Where to tell: one folder for each kind of channel, found by its name.

A folder has `__init__.py` with a `CHANNEL` (a `ports.ChannelSpec`), `channel.py` that sends,
`message.py` that words what is sent, and a `README.md`. Nothing else has to be edited. A channel
from another package is found by the entry point group `trainbell.channels`, whose entries name
a `ChannelSpec`.
"""
