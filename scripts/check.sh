# Sourced. check NAME COMMAND... runs one check and shows its output only if it fails. closing prints the counts.
# CHECK_LOGS has the output of a check while it runs.
# shellcheck shell=bash
checks_passed=0 checks_failed=0

check() {
  local name=$1 from=$EPOCHREALTIME status=0 said
  shift
  said=$(mktemp -p "${CHECK_LOGS:-/tmp}")
  "$@" >"$said" 2>&1 </dev/null || status=$?
  ((status == 0)) && checks_passed=$((checks_passed + 1)) || checks_failed=$((checks_failed + 1))
  awk -v n="$name" -v a="$from" -v b="$EPOCHREALTIME" -v r="$status" \
    'BEGIN { printf "%-7s %-28s %6.1f s\n", r ? "FAILED" : "ok", n, b - a }'
  ((status == 0)) || { (($(wc -l <"$said") <= 80)) || echo "    (the last 80 lines)"; tail -n 80 "$said" | sed 's/^/    /'; }
  rm -f "$said"
  return "$status"
}

closing() {
  printf '%d passed, %d failed\n' "$checks_passed" "$checks_failed"
  ((checks_failed == 0))
}
