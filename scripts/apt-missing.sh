#!/bin/sh
# apt-missing.sh PACKAGE...: install the packages that this machine lacks, and print them. Print nothing if none is missing.
set -eu
missing=
for package; do
  case $(dpkg-query -Wf '${Status}' "$package" 2>/dev/null) in
    *' ok installed') ;;
    *) missing="$missing $package" ;;
  esac
done
[ -n "$missing" ] || exit 0

sudo=
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null || { echo "Debian packages are missing:$missing. Run this as root, or install sudo." >&2; exit 1; }
  sudo=sudo
fi
echo "Installing Debian packages:$missing"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# A machine that has just booted updates its package lists. DPkg::Lock::Timeout does not cover this lock, so retry.
tries=0
until $sudo apt-get -qq -o DPkg::Lock::Timeout=600 update >"$log" 2>&1 </dev/null; do
  tries=$((tries + 1))
  [ "$tries" -lt 12 ] || { cat "$log" >&2; exit 1; }
  sleep 5
done
# shellcheck disable=SC2086 # words
$sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=600 install --no-install-recommends \
  $missing >"$log" 2>&1 </dev/null || { cat "$log" >&2; exit 1; }
