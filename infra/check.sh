#!/bin/sh
# Lints the templates off-line. Needs aws-sam-cli and cfn-lint on the PATH (requirements/sam.txt).
set -eu
cd "$(dirname "$0")/.."
# Any region will do; without one, both tools ask for it. Nothing is sent anywhere.
export AWS_DEFAULT_REGION="${AWS_DEFAULT_REGION:-eu-west-1}" SAM_CLI_TELEMETRY=0
sam validate --lint --template template.yaml
# sam does not look into nested templates.
cfn-lint --regions "$AWS_DEFAULT_REGION" -- template.yaml infra/*.yaml
