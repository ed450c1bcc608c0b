# Sourced by the scripts here.

say() { printf 'vm: %s\n' "$*"; }

fail() {
    printf 'vm: %s\n' "$*" >&2
    exit 1
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        fail "making a Debian system needs root (or sudo)"
    fi
}
