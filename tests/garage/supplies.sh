# Sourced by garage.sh: the package index and git server of the tests, a host that serves the files mounted into it.
# shellcheck shell=bash disable=SC2154 # variables are garage.sh's
stock=$state/supplies              # the served pages, own packages, archives and repositories, and nginx's configuration
packages=$cache/packages           # packages of PyPI, downloaded once for all checkouts

supplies_address() { echo "$subnet.210"; }

authority() {   # make a certificate authority for this checkout, which its hosts trust
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

credentials() {   # make the password for index and git, and the deploy key for git over ssh, of this checkout
  [[ -f $stock/password ]] || printf 'garage-%s' "$(openssl rand -hex 12)" >"$stock/password"
  printf 'reader:%s\n' "$(openssl passwd -apr1 "$(<"$stock/password")")" >"$stock/htpasswd"
  [[ -f $state/deploy_key ]] || ssh-keygen -qt ed25519 -N '' -C deploy -f "$state/deploy_key"
  cp "$state/deploy_key.pub" "$stock/authorized_keys"
}

stock_up() {   # write what the host needs to serve; stock.py of the corpus adds the content
  mkdir -p "$stock"/{public,private,archives,git,cache} "$packages"
  cp "$here/supplies.conf" "$stock/nginx.conf"
  cp "$here/supplies-git.conf" "$stock/git.conf"
  authority; certificate; credentials
}

visitor() {   # visitor HOST_KEY: write the files that a controller uses in place of its user's own, to reach this host
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

cut_off() {   # cut_off HOST..: from now on it reaches only the supplies, and only this machine reaches it; fresh ends it
  local host pid route
  for host; do
    pid=$(podman inspect -f '{{.State.Pid}}' "$prefix$host")
    for route in "replace $(supplies_address) dev eth0" "replace $subnet.1 dev eth0" "del default" "del $subnet.0/24"; do
      # shellcheck disable=SC2086 # words
      nsenter -t "$pid" -m -n ip route $route
    done
    # Ansible would update package lists before it installs python3-apt, and when they are an hour old
    podman exec "$prefix$host" sh -c 'apt-get -qq install -y --no-install-recommends python3-apt >/dev/null && touch /var/lib/apt/lists'
  done
}
