#!/bin/sh
# Reports progress without any library: one JSON object a line, appended to a file.
# Outside Trainbell there is no such file, and the lines go nowhere.
set -eu
progress_file=${TRAINBELL_PROGRESS_FILE:-/dev/null}
epochs=${1:-5}

epoch=0
while [ "$epoch" -lt "$epochs" ]; do
  epoch=$((epoch + 1))
  sleep "${EPOCH_SECONDS:-0.5}" # the training itself would be here
  progress=$(awk "BEGIN { printf \"%.3f\", $epoch / $epochs }")
  loss=$(awk "BEGIN { printf \"%.4f\", 1 / (1 + $epoch) }")
  echo "epoch $epoch of $epochs, loss $loss"
  printf '{"progress": %s, "message": "epoch %d of %d", "metrics": {"loss": %s}}\n' \
    "$progress" "$epoch" "$epochs" "$loss" >>"$progress_file"
done
