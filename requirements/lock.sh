#!/bin/sh
# Locks every set of requirements with hashes and without any URL. Usage: requirements/lock.sh path/to/uv
set -eu
uv=$1
compile() {
  "$uv" pip compile -q --universal --python-version 3.11 --generate-hashes \
    --no-emit-index-url --no-annotate --no-header "$@"
}
compile pyproject.toml --extra embedded --group dev -o requirements/dev.txt
compile pyproject.toml --extra embedded -c requirements/dev.txt -o requirements/runtime.txt
compile pyproject.toml --extra embedded --group demo -c requirements/dev.txt -o requirements/demo.txt
compile --group sam -o requirements/sam.txt
compile --group supply -o requirements/supply.txt
# The Lambda layer, without hashes because `sam build` has no use for them. boto3 is pinned with the
# rest: pip would bring its newest botocore anyway, beside an older boto3 of the runtime. Locked for
# the template's one platform.
"$uv" pip compile -q --python-platform aarch64-manylinux2014 --python-version 3.13 \
  --no-emit-index-url --no-annotate --no-header \
  pyproject.toml --extra cloud -c requirements/dev.txt -o shared/requirements.txt
# The vendors' own clients, each for an environment of its own (tests/vendor).
for each in requirements/vendor-*.in; do
  compile "$each" -o "${each%.in}.txt"
done
