"""Files that the service gives back: a version as a zip, a log as a tar.gz."""

from __future__ import annotations

import io
import tarfile
import zipfile

from trainbell.simulators.datarobot.records import Version
from trainbell.simulators.service import Answer


def download(version: Version, with_script: bool) -> Answer:
    """`with_script`: with the script that installs the dependencies (`pps=true`)."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for path, file in version.files.items():
            archive.writestr(path, file.content)
        if with_script:
            archive.writestr(
                "install_dependencies.sh", "#!/bin/sh\npip install -r requirements.txt"
            )
    name = f"attachment;filename=model-{version.id}.zip"
    return Answer(200, buffer.getvalue(), "application/zip", {"Content-Disposition": name})


def log_archive(text: str) -> bytes:
    content = text.encode()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        member = tarfile.TarInfo("build.log")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()
