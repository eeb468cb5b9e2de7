#!/usr/bin/env bash
# The garage: where Backstage rehearses. Real Debian hosts with systemd, as podman containers of this checkout.
#   garage.sh up [N]            N hosts h1, h2, ... reachable over SSH (default 2: h1 bookworm, h2 trixie)
#   garage.sh newcomer KIND     n-systemd, n-bare or n-elsewhere: a fresh machine with git, make and a clone of this checkout (prints where)
#   garage.sh fresh HOST..      each made anew, empty;  reboot HOST..
#   garage.sh lane FOLDER       a copy of this checkout with a garage of its own, for scenarios beside this one's
#   garage.sh supplies          a package index and git server for tests (prints its URL);  cut_off HOST..: from all but these
#   garage.sh exec HOST CMD..   run CMD in a host;  in HOST FOLDER CMD..
#   garage.sh address HOST      its IP;  name HOST: its container;  ping: reach all over SSH
#   garage.sh down | clean      remove the hosts | and images and state, also of checkouts that are gone
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
checkout=$(cd "$here/../.." && pwd)
state=$checkout/.garage                       # key, ssh_config, inventory, this machine's containers.conf
cache=${GARAGE_CACHE:-$HOME/.cache/backstage-garage}
id=$(cksum <<<"$checkout")                    # two checkouts never meet: names and subnet come from the path
id=${id%% *}
prefix=${GARAGE_PREFIX:-garage$((id % 100000))-}
[[ -z ${GARAGE_PREFIX:-} ]] || { id=$(cksum <<<"$prefix"); id=${id%% *}; }
subnet=10.$((id / 256 % 64 + 100)).$((id % 256))
net=${prefix}net
suites=(bookworm trixie)

say() { printf 'garage: %s\n' "$*" >&2; }

timed() {   # timed WORDS -- COMMAND...: one line with the seconds it took
  local from=$EPOCHREALTIME what=()
  while [[ $1 != -- ]]; do what+=("$1"); shift; done
  shift; "$@"
  awk -v what="${what[*]}" -v a="$from" -v b="$EPOCHREALTIME" 'BEGIN { printf "garage: %-24s %5.1f s\n", what, b - a }' >&2
}

need_root() { ((EUID == 0)) || { say "needs root (containers with fixed addresses): use sudo"; exit 1; }; }

quirks() {   # what this machine's kernel or cgroups need goes into a containers.conf; an ordinary machine gets none
  local bounding processes conf=''
  bounding=$(awk '/^CapBnd/ { print $2 }' /proc/self/status)
  if ! ((16#$bounding >> 24 & 1)); then       # no CAP_SYS_RESOURCE: podman's default limits can't be set
    processes=$(ulimit -Hu)
    [[ $processes != unlimited ]] && ((processes < 30000)) || processes=30000
    conf+=$'[containers]\n'"default_ulimits = [\"nofile=$(ulimit -Hn):$(ulimit -Hn)\", \"nproc=$processes:$processes\"]"$'\n'
  fi
  if grep -qs . /sys/fs/cgroup/unified/cgroup.controllers; then
    conf+=$'[engine]\nruntime = "runc"\n'     # crun refuses a hybrid cgroup hierarchy
  fi
  mkdir -p "$state" "$cache"
  [[ -n $conf ]] || { rm -f "$state/containers.conf"; return 0; }
  printf '%s' "$conf" >"$state/containers.conf"
  export CONTAINERS_CONF=$state/containers.conf
}

deps() {
  "$checkout/scripts/apt-missing.sh" podman runc netavark aardvark-dns containernetworking-plugins catatonit \
    mmdebstrap openssh-client nftables
}

# shellcheck source=tests/garage/images.sh
. "$here/images.sh"
# shellcheck source=tests/garage/supplies.sh
. "$here/supplies.sh"

network() {
  podman network exists "$net" ||
    podman network create --label garage.checkout="$checkout" --subnet "$subnet.0/24" "$net" >/dev/null
}

run() {   # run NUMBER HOST IMAGE OPTIONS.. [-- COMMAND..]: fixed address and MAC, so a replaced host keeps its neighbours
  local number=$1 host=$2 image=$3 options=() mac
  shift 3
  while (($#)) && [[ $1 != -- ]]; do options+=("$1"); shift; done
  (($# == 0)) || shift
  mac=$(awk -F . '{ printf "02:00:%02x:%02x:%02x:%02x", $1, $2, $3, $4 }' <<<"$subnet.$((10 + number))")
  if podman container exists "$prefix$host"; then podman start "$prefix$host" >/dev/null; return; fi
  podman run -d --name "$prefix$host" --hostname "$host" --label garage.checkout="$checkout" \
    --network "$net:ip=$subnet.$((10 + number)),mac=$mac,alias=$host" \
    "${options[@]}" "$image" "$@" >/dev/null
}

suite_of() { echo "${suites[($1 - 1) % ${#suites[@]}]}"; }

stage_host() {   # SYS_ADMIN: without it systemd skips most of a unit's sandbox without a word
  local caps=SYS_ADMIN       # root of one host lacks what most containers lack; GARAGE_WHOLE=1 or 2 says which is whole
  [[ $1 != "${GARAGE_WHOLE:-2}" ]] || caps+=,SYS_PTRACE,SYS_NICE
  run "$1" "h$1" "$(image_of stage "$(suite_of "$1")")" --systemd=always --cap-add "$caps"
}

hosts() {
  local i names=()
  network
  for ((i = 1; i <= $1; i++)); do stage_host "$i"; names+=("h$i"); done
  booted "${names[@]}"
}

booted() {   # booted HOST..: wait for systemd, at most a minute each
  local host seen i
  for host; do
    for ((i = 0; i < 240; i++)); do
      seen=$(podman exec "$prefix$host" systemctl is-system-running 2>/dev/null || true)
      [[ $seen == running || $seen == degraded ]] && break
      sleep .25
    done
    [[ $seen == running ]] || { say "$host is $seen"; podman exec "$prefix$host" systemctl --failed --no-legend; return 1; }
  done
}

forget_connection() { ssh -F "$state/ssh_config" -O exit "$1" 2>/dev/null || true; }   # or the next task asks a dead socket

fresh() {   # fresh h2: the same name and address, nothing of what was done to it
  local host
  need_root
  for host; do
    forget_connection "$host"
    podman rm -f -t 0 "$prefix$host" >/dev/null
    stage_host "${host#h}"
  done
  booted "$@"
}

reboot() {
  local host
  for host; do
    forget_connection "$host"
    podman restart -t 30 "$prefix$host" >/dev/null   # systemd that is killed leaves what it would have removed
  done
  booted "$@"
}

write_ssh_config() {   # the short timeouts: Ansible over a kept connection to a paused host would hang for ever
  local i
  for ((i = 1; i <= $1; i++)); do printf 'Host h%d\n  HostName %s\n' "$i" "$subnet.$((10 + i))"; done
  cat <<CONFIG
Host h* $subnet.*
  User root
  IdentityFile "$state/id_ed25519"
  IdentitiesOnly yes
  StrictHostKeyChecking no
  UserKnownHostsFile /dev/null
  LogLevel ERROR
  ControlMaster auto
  ControlPersist 60s
  ControlPath /tmp/${prefix}%C
  ConnectTimeout 5
  ServerAliveInterval 3
  ServerAliveCountMax 2
CONFIG
}

write_inventory() {   # for use outside molecule: ansible-playbook -i .garage/inventory ...
  local i group
  cat <<INVENTORY
---
all:
  vars:
    ansible_ssh_common_args: "-F '$state/ssh_config'"
    ansible_pipelining: true
    ansible_python_interpreter: /usr/bin/python3
  children:
INVENTORY
  for group in backstage_stage backstage_front_of_house; do
    printf '    %s:\n      hosts:\n' "$group"
    for ((i = 1; i <= $1; i++)); do printf '        h%d:\n          ansible_host: %s\n' "$i" "$subnet.$((10 + i))"; done
  done
}

up() {
  local count=${1:-2} suite
  need_root
  timed packages -- deps
  for suite in "${suites[@]}"; do timed image "$suite" -- image stage "$suite"; done
  timed hosts -- hosts "$count"
  write_ssh_config "$count" >"$state/ssh_config"
  mkdir -p "$state/inventory"
  write_inventory "$count" >"$state/inventory/hosts.yml"
}

copy() { (cd "$checkout" && git ls-files -coz --exclude-standard | tar -c --null -T - --ignore-failed-read 2>/dev/null); }

lane() {   # lane FOLDER: the images are this checkout's: what they are made of comes along
  local suite other
  need_root
  timed packages -- deps
  for suite in "${suites[@]}"; do timed image "$suite" -- image stage "$suite"; done
  clean_lane "$1"
  mkdir -p "$1/.garage"
  copy | tar -x -C "$1"
  cp -p "$state"/{id_ed25519,id_ed25519.pub,authority.key,authority.pem} "$1/.garage/"
  other=$("$1/tests/garage/garage.sh" name '')
  for suite in "${suites[@]}"; do podman tag "$(image_of stage "$suite")" "localhost/${other}stage:$suite"; done
}

clean_lane() {
  [[ ! -e $1 ]] || "$1/tests/garage/garage.sh" clean
  rm -rf "$1"
}

newcomer() {   # newcomer systemd|bare|elsewhere: made anew each time, then make site and all the rest inside it
  local init=$1 host=n-$1 number=201 owner=root folder='/root/a clone' suite=bookworm
  local options=(--systemd=always --cap-add SYS_ADMIN --cap-add NET_ADMIN) command=()   # as root has them; unit tests need both
  if [[ $init == bare ]]; then
    number=202 owner=roadie folder=/home/roadie/backstage options=(--init) command=(-- sleep infinity)
  fi
  [[ $init != elsewhere ]] || { number=203 suite=trixie; }
  need_root
  timed packages -- deps
  timed image newcomer -- image newcomer "$suite"
  podman rm -f -t 0 "$prefix$host" >/dev/null 2>&1 || true
  network
  run "$number" "$host" "$(image_of newcomer "$suite")" "${options[@]}" "${command[@]}"
  [[ $init == bare ]] || booted "$host"
  podman exec "$prefix$host" mkdir -p "$folder"
  copy | podman exec -i -w "$folder" "$prefix$host" tar -x
  # a clone, as a newcomer has it: what isn't committed yet is committed there
  podman exec -w "$folder" "$prefix$host" sh -c \
    "git init -q && git add -A && git -c user.name=newcomer -c user.email=newcomer@localhost commit -qm clone && chown -R $owner: ."
  echo "$folder"
}

remove() { podman rm -f -t 0 "$prefix$1" >/dev/null; }
ping() { ansible all -i "$state/inventory/" -m ansible.builtin.ping -o; }
name() { echo "$prefix$1"; }
address() { podman inspect -f "{{(index .NetworkSettings.Networks \"$net\").IPAddress}}" "$prefix$1"; }

down() {
  local mine host
  while read -r host; do forget_connection "$host"; done < <(sed -n 's/^Host \(h[0-9]*\)$/\1/p' "$state/ssh_config" 2>/dev/null)
  rm -rf "$state/molecule"       # what molecule believes about the hosts
  command -v podman >/dev/null || return 0
  mapfile -t mine < <(podman ps -aq --filter "name=^$prefix")
  ((${#mine[@]} == 0)) || podman rm -f -t 0 "${mine[@]}" >/dev/null
  ! podman network exists "$net" || podman network rm -f "$net" >/dev/null
}

sweep() {   # what checkouts that are gone left behind
  local kind id path
  local -A list=([container]="ps -aq" [network]="network ls -q" [image]="images -q")
  local -A label=([container]=.Config.Labels [network]=.Labels [image]=.Labels)
  for kind in container network image; do
    # shellcheck disable=SC2086 # words
    for id in $(podman ${list[$kind]} --filter label=garage.checkout | sort -u); do
      path=$(podman "$kind" inspect -f "{{index ${label[$kind]} \"garage.checkout\"}}" "$id")
      [[ -d $path ]] || podman "$kind" rm -f "$id" >/dev/null
    done
  done
}

clean() {
  clean_lane "$state/lane"
  down
  if command -v podman >/dev/null; then forget_images; sweep; fi
  rm -rf "$state"
}

quirks
case ${1:-} in
  exec) host=$2; shift 2; exec podman exec "$prefix$host" "$@" ;;
  in) host=$2 folder=$3; shift 3; exec podman exec -w "$folder" "$prefix$host" "$@" ;;
  up | newcomer | lane | supplies | cut_off | fresh | reboot | remove | ping | name | address | down | clean) "$@" ;;
  *) sed -n '2,11s/^# *//p' "${BASH_SOURCE[0]}"; exit 2 ;;
esac
