#!/usr/bin/env bash
# steps.sh TARGET...: make each target in turn, go on after a failure, and print at the end what failed, the time of each and the count of tests.
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

failures() {   # failures LOG: the lines of pytest and of our own checks that name a failure, with the beginning of its cause
  sed 's/\x1b\[[0-9;]*m//g' "$1" | awk '
    /^(FAILED|ERROR) / { print substr($0, 1, 300); left = 20; next }
    /^    / && left-- > 0 { print substr($0, 1, 200); next }
    { left = 0 }
    /^Scenarios that failed/' | head -n 100
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
for step; do failures "$logs/$step.log"; done      # again: a log this long may be cut in its middle
printf '\n%s\n%d passed, %d failed\n' "$table" "$passed" "$failed"
((failed == 0))
