"""Text fields as `multipart/form-data` (RFC 7578), the only form Einstein takes a start in."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping


def encoded(fields: Mapping[str, str]) -> tuple[bytes, str]:
    """The body and its content type. Names are ours and plain; values may be any text.

    The boundary is a digest of the fields: none of them can hold it.
    """
    digest = hashlib.sha256("\0".join(f"{k}\0{v}" for k, v in fields.items()).encode())
    boundary = f"trainbell-{digest.hexdigest()[:40]}"
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    body = "".join(parts) + f"--{boundary}--\r\n"
    return body.encode(), f"multipart/form-data; boundary={boundary}"
