#!/usr/bin/env bash
# env.sh NAME: print the path of the virtualenv of requirements/NAME.txt. All checkouts share it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
python=/usr/bin/python3     # Debian's, even if pyenv or conda has put another one first on PATH
"$PWD/scripts/apt-missing.sh" python3-venv ca-certificates >&2
cache=${GARAGE_CACHE:-$HOME/.cache/backstage-garage}/envs
mapfile -t included < <(sed -n 's#^-r #requirements/#p' "requirements/$1.txt")
key=$({ $python -VV; cat "requirements/$1.txt" "${included[@]}" </dev/null; } | cksum | cut -d ' ' -f 1)
env=$cache/$1-$key
mkdir -p "$cache"
exec {lock}>"$cache/.$1.lock"
flock "$lock"
if [[ ! -f $env/.ready ]]; then
  rm -rf "$env"
  $python -m venv "$env" >&2
  "$env/bin/pip" install -qq --disable-pip-version-check -r "requirements/$1.txt" >&2
  touch "$env/.ready"
fi
echo "$env"
