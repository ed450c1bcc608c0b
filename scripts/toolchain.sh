# Finds a Rust and a Node.js that are new enough, and says whether Docker runs. Read by other scripts, which set $here to the root
# of the sources.
# shellcheck shell=sh

rust_wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$here/Cargo.toml")
node_wanted=18

# at_least HAVE WANTED: whether version HAVE is WANTED or newer.
at_least() {
    [ -n "$1" ] && [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]
}

# rust_in FOLDER: whether cargo and rustc there are new enough.
rust_in() {
    [ -x "$1/cargo" ] && [ -x "$1/rustc" ] || return 1
    at_least "$(PATH="$1:$PATH" "$1/rustc" --version 2>/dev/null | cut -d ' ' -f 2)" "$rust_wanted" &&
        at_least "$(PATH="$1:$PATH" "$1/cargo" --version 2>/dev/null | cut -d ' ' -f 2)" "$rust_wanted"
}

# The folder of the first Rust that fits: the one in PATH, rustup's own place, Debian's. In $rust_folder.
rust_fits() {
    in_path=$(command -v cargo || true)
    for rust_folder in "${in_path%/*}" "${CARGO_HOME:-${HOME:-}/.cargo}/bin" /usr/bin; do
        if [ -n "$rust_folder" ] && rust_in "$rust_folder"; then return 0; fi
    done
    rust_folder=
    return 1
}

node_fits() {
    at_least "$(node --version 2>/dev/null | tr -d v)" "$node_wanted"
}

# A client of Docker that reaches no engine runs nothing.
docker_runs() {
    docker info >/dev/null 2>&1
}
