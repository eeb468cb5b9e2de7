#!/usr/bin/env bash
# steps.sh TARGET...: make each target in turn, go on after a failure, and print the time of each and the count of tests.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit
logs=.garage/logs
rm -rf "$logs"
mkdir -p "$logs"
passed=0 failed=0 table=

count() {   # count passed|failed LOG: add up the closing lines of pytest and of our own checks
  sed 's/\x1b\[[0-9;]*m//g' "$2" | grep -E '(^|=+ )([0-9]+ [a-z]+, )*[0-9]+ (passed|failed)' |
    grep -oE "[0-9]+ $1" | awk '{ n += $1 } END { print n + 0 }'
}

for step; do
  from=$EPOCHREALTIME
  "${MAKE:-make}" --no-print-directory "$step" </dev/null 2>&1 | tee "$logs/$step.log"
  status=${PIPESTATUS[0]}
  bad=$(count failed "$logs/$step.log")
  ((status == 0 || bad > 0)) || bad=1           # the target stopped before it printed a count
  passed=$((passed + $(count passed "$logs/$step.log"))) failed=$((failed + bad))
  table+=$(awk -v s="$step" -v a="$from" -v b="$EPOCHREALTIME" -v r="$status" \
    'BEGIN { printf "%-10s %7.1f s  %s", s, b - a, r ? "FAILED" : "ok" }')$'\n'
done
printf '\n%s\n%d passed, %d failed\n' "$table" "$passed" "$failed"
((failed == 0))
