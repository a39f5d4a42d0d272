#!/bin/sh
# Every package that is shipped has a licence that is allowed. Usage: licences.sh PYTHON PIP_LICENSES
# Of what is locked for some systems only (a marker behind the version), what is installed here.
set -eu
python=$1 pip_licenses=$2
cd "$(dirname "$0")/.."
allowed="Apache Software License;Apache-2.0;Apache-2.0 OR BSD-3-Clause;BSD License;BSD-2-Clause;\
BSD-3-Clause;ISC License (ISCL);MIT;MIT License;MIT-0;Mozilla Public License 2.0 (MPL 2.0);PSF-2.0"
locks="requirements/runtime.txt shared/requirements.txt"
# shellcheck disable=SC2086 # two files, and below one word a package
shipped=$(sed -nE 's/^([a-z0-9._-]+)==.*/\1/p' $locks | sort -u)
# shellcheck disable=SC2086
everywhere=$(sed -nE 's/^([a-z0-9._-]+)==[^; ]+( \\)?$/\1/p' $locks | sort -u)
normal() { tr 'A-Z_.' 'a-z--' | sort; }
# shellcheck disable=SC2086
found=$("$pip_licenses" --python="$python" --packages $shipped --allow-only="$allowed" --format=csv)
seen=$(echo "$found" | sed '1d; s/^"\([^"]*\)".*/\1/' | normal)
missing=$(echo "$everywhere" | normal | grep -vxF "$seen" || true)
[ -z "$missing" ] || { echo "not installed, so that its licence is not known: $missing" >&2; exit 1; }
