# The package index and git server of the tests, sourced by garage.sh: one more host, which serves what is mounted into it.
# shellcheck shell=bash disable=SC2154 # variables are garage.sh's
stock=$state/supplies              # what is served: pages, own packages, archives, repositories; and how
packages=$cache/packages           # what PyPI has, downloaded once for all checkouts

supplies_address() { echo "$subnet.210"; }

authority() {   # this checkout's own certificate authority, which every host of it trusts
  [[ -f $state/authority.pem ]] || openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 365 \
    -subj '/CN=The garage' -addext keyUsage=critical,keyCertSign,cRLSign -keyout "$state/authority.key" -out "$state/authority.pem" 2>/dev/null
}

certificate() {
  local tls=$stock/tls extensions
  extensions="subjectAltName = IP:$(supplies_address), DNS:supplies
    authorityKeyIdentifier = keyid
    basicConstraints = critical, CA:FALSE
    keyUsage = critical, digitalSignature"
  [[ ! -f $tls/certificate.pem || $state/authority.pem -nt $tls/certificate.pem ]] || return 0
  mkdir -p "$tls"
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=supplies -keyout "$tls/key.pem" 2>/dev/null |
    openssl x509 -req -CA "$state/authority.pem" -CAkey "$state/authority.key" -days 365 -out "$tls/certificate.pem" \
      -extfile <(echo "$extensions") 2>/dev/null
}

credentials() {   # of this checkout: a password for index and git, a deploy key for git over ssh
  [[ -f $stock/password ]] || printf 'garage-%s' "$(openssl rand -hex 12)" >"$stock/password"
  printf 'reader:%s\n' "$(openssl passwd -apr1 "$(<"$stock/password")")" >"$stock/htpasswd"
  [[ -f $state/deploy_key ]] || ssh-keygen -qt ed25519 -N '' -C deploy -f "$state/deploy_key"
  cp "$state/deploy_key.pub" "$stock/authorized_keys"
}

stock_up() {   # what the host needs to serve; what it serves is for stock.py of the corpus to bring
  mkdir -p "$stock"/{public,private,archives,git,cache} "$packages"
  cp "$here/supplies.conf" "$stock/nginx.conf"
  cp "$here/supplies-git.conf" "$stock/git.conf"
  authority; certificate; credentials
}

visitor() {   # visitor HOST_KEY: what a controller that comes here has to know, in place of its user's own files
  local place=$state/controller
  mkdir -p "$place"/{bin,config/git,cache}
  cat "/etc/ssl/certs/ca-certificates.crt" "$state/authority.pem" >"$place/authorities.pem"
  git config --file "$place/config/git/config" http.sslCAInfo "$place/authorities.pem"
  echo "$(supplies_address) $1" >"$place/known_hosts"
  printf '#!/bin/sh\nexec /usr/bin/ssh -o GlobalKnownHostsFile="%s" "$@"\n' "$place/known_hosts" >"$place/bin/ssh"
  chmod 755 "$place/bin/ssh"
}

supplies() {   # prints its URL
  need_root
  timed packages -- deps
  timed image supplies -- image supplies bookworm
  stock_up
  network
  run 200 supplies "$(image_of supplies bookworm)" --systemd=always \
    -v "$stock:/srv/supplies" -v "$packages:/srv/supplies/cache:ro"
  booted supplies
  visitor "$(podman exec "${prefix}supplies" cut -d ' ' -f 1,2 /etc/ssh/ssh_host_ed25519_key.pub)"
  echo "https://$(supplies_address)"
}

cut_off() {   # cut_off HOST..: it reaches the supplies, and this machine reaches it; nothing else. fresh gives it back
  local host pid route
  for host; do
    pid=$(podman inspect -f '{{.State.Pid}}' "$prefix$host")
    for route in "replace $(supplies_address) dev eth0" "replace $subnet.1 dev eth0" "del default" "del $subnet.0/24"; do
      # shellcheck disable=SC2086 # words
      nsenter -t "$pid" -m -n ip route $route
    done
    # Ansible would ask for newer package lists before it installs its own part of apt, and where they are an hour old
    podman exec "$prefix$host" sh -c 'apt-get -qq install -y --no-install-recommends python3-apt >/dev/null && touch /var/lib/apt/lists'
  done
}
