# Sourced by demo and test: makes .venv and whatever the machine lacks. Nothing here runs twice without need.
# shellcheck shell=bash

export DEBIAN_FRONTEND=noninteractive PIP_DISABLE_PIP_VERSION_CHECK=1

say() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; }

# Puts the way to root rights into `as_root`; fails when there is none.
find_root() {
    as_root=()
    [ "$(id -u)" -eq 0 ] && return 0
    as_root=(sudo -n)
    command -v sudo >/dev/null && sudo -n true 2>/dev/null
}

# Installs Debian packages. Daemons that a package would start by itself stay stopped, now and after a reboot.
apt_install() {
    local policy=/usr/sbin/policy-rc.d own_policy="" status=0
    say "installing Debian packages: $*"
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
        "${as_root[@]}" chmod 755 "$policy"
        own_policy=yes
    fi
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive sh -ec '
        apt-get update -qq
        apt-get install -y -qq --no-install-recommends "$@"
        ' sh "$@" </dev/null >/dev/null || status=$?
    [ -z "$own_policy" ] || "${as_root[@]}" rm -f "$policy"
    if [[ " $* " == *" ser2net "* ]] && [ -d /run/systemd/system ]; then
        "${as_root[@]}" systemctl disable --quiet ser2net 2>/dev/null || true
    fi
    return "$status"
}

# want_programs PROGRAM=PACKAGE...: installs the packages of programs that are missing; without root says so and goes on.
want_programs() {
    local pair missing=()
    for pair in "$@"; do
        PATH="$PATH:/usr/sbin:/sbin" command -v "${pair%%=*}" >/dev/null || missing+=("${pair##*=}")
    done
    [ ${#missing[@]} -eq 0 ] && return 0
    if ! command -v apt-get >/dev/null; then
        say "no apt-get here: tests that need ${missing[*]} are skipped"
    elif ! find_root; then
        say "needs root, so tests that need them are skipped: apt-get install ${missing[*]}"
    elif ! apt_install "${missing[@]}"; then
        say "apt-get could not install ${missing[*]}: tests that need them are skipped"
    fi
}

want_python() {
    if python3 -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        return 0
    fi
    if command -v apt-get >/dev/null && find_root; then
        apt_install python3 python3-venv || true
    fi
    if ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        say "needs Python 3.11 or newer as python3"
        exit 2
    fi
    if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
        say "needs root once, nothing was done: apt-get install python3-venv"
        exit 2
    fi
}

# want_venv EXTRA: .venv with this project in it; EXTRA is empty or "dev".
want_venv() {
    local extra=$1 stamp=.venv/installed${1:+-$1} now
    now="$(sha256sum pyproject.toml) $PWD"
    if [ -x .venv/bin/python ] && .venv/bin/python -c '' 2>/dev/null; then
        # What serves the tests serves the demo too.
        if grep -qxsF -- "$now" "$stamp" .venv/installed-dev; then
            return 0
        fi
    else
        want_python
        say "making .venv"
        rm -rf .venv
        python3 -m venv .venv
    fi
    say "installing Python packages into .venv"
    .venv/bin/python -m pip install --quiet --upgrade "pip>=24"
    .venv/bin/python -m pip install --quiet --editable ".${extra:+[$extra]}"
    printf '%s\n' "$now" >"$stamp"
}

# want_node PACKAGE@VERSION: a Node package for tests, in .venv/npm; without npm says so and goes on.
want_node() {
    local name=${1%@*}
    [ -d ".venv/npm/node_modules/$name" ] && return 0
    want_programs npm=npm
    if ! command -v npm >/dev/null; then
        say "no npm here: tests that need $name are skipped"
    elif ! npm install --prefix .venv/npm --no-save --no-audit --no-fund --loglevel=error "$1" >/dev/null; then
        say "npm could not install $name: tests that need it are skipped"
    fi
}
