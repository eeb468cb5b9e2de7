# Sourced by garage.sh: builds the images from Debian's packages, without a container registry, and from the Containerfile.
# shellcheck shell=bash disable=SC2154 # variables are garage.sh's
base_packages=systemd,systemd-sysv,dbus,python3,ca-certificates,iproute2,procps,openssh-server,sudo

base_image() {   # base_image SUITE: kept in the cache, as a tarball that every checkout shares
  local suite=$1 tarball part
  tarball=$cache/$1-$(cksum <<<"$base_packages" | cut -d ' ' -f 1).tar
  exec {lock}>"$cache/.lock"
  flock "$lock"
  if [[ ! -s $tarball ]]; then
    part=$cache/$suite.$$.tar                   # the name must end in .tar, or mmdebstrap writes a directory
    mmdebstrap --quiet --variant=minbase --include="$base_packages" "$suite" "$part" >&2
    mv "$part" "$tarball"
  fi
  podman image exists "localhost/garage-base:$suite" || podman import -q "$tarball" "localhost/garage-base:$suite" >/dev/null
  exec {lock}>&-
}

image_of() { echo "localhost/${prefix}$1:$2"; }

image() {   # image TARGET SUITE: built once a day, because package lists age, and if anything in it changes
  local target=$1 suite=$2 context=$state/context wanted old
  base_image "$suite"
  mkdir -p "$context/ca"
  [[ -f $state/id_ed25519 ]] || ssh-keygen -qt ed25519 -N '' -C garage -f "$state/id_ed25519"
  cp "$state/id_ed25519.pub" "$context/authorized_keys"
  cp "$here/Containerfile" "$context/"
  # if this machine trusts more certificate authorities, such as a company's, its containers need them, too
  touch "$context/ca/.keep"
  authority
  cp "$state/authority.pem" "$context/ca/garage.crt"
  find /usr/local/share/ca-certificates -name '*.crt' -exec cp -t "$context/ca" {} + 2>/dev/null || true
  wanted=$(date +%F; podman image inspect -f '{{.Id}}' "localhost/garage-base:$suite"; (cd "$context" && find . -type f -exec cksum {} + | sort))
  wanted=$(cksum <<<"$wanted" | cut -d ' ' -f 1)
  old=$(podman image inspect -f '{{.Id}} {{index .Labels "garage"}}' "$(image_of "$target" "$suite")" 2>/dev/null || true)
  [[ ${old##* } == "$wanted" && -n $old ]] && return
  podman build -q --layers=false --target "$target" --build-arg SUITE="$suite" --label garage="$wanted" \
    --label garage.checkout="$checkout" -t "$(image_of "$target" "$suite")" "$context" >"$state/build.log" 2>&1 ||
    { cat "$state/build.log" >&2; return 1; }
  # without force, which would remove the hosts that use it, too: after midnight those of a run that began before
  [[ -z $old ]] || podman rmi "${old%% *}" >/dev/null 2>&1 || true
}

forget_images() {
  local mine
  mapfile -t mine < <(podman images --format '{{.Repository}}:{{.Tag}}' | grep "^localhost/$prefix" || true)
  ((${#mine[@]} == 0)) || podman rmi -f "${mine[@]}" >/dev/null
}
