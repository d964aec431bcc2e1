# shellcheck shell=bash
# What scripts/demo and scripts/test share; sourced from the top of the repository.

PATH="$PATH:/usr/sbin:/sbin" # Debian's nginx, for other users than root

# replace FILE OLD NEW: OLD is plain text and must stand in FILE.
replace() {
    local text
    text=$(<"$1")
    if [[ $text != *"$2"* ]]; then
        echo "$1 holds no: $2" >&2
        return 1
    fi
    printf '%s\n' "${text//"$2"/"$3"}" >"$1"
}

# complete_edge_config VESTIBULE PKI FOLDER: copies edge-config/ to FOLDER and adds what a repository does not hold: CAs, CRLs,
# pepper and a key. The key, which the front door sends, is left in FOLDER/secrets/front-door-key.
complete_edge_config() {
    local vestibule=$1 pki=$2 config=$3 key_and_tag tag
    cp -r edge-config "$config"
    mkdir -p "$config/trusted-ca" "$config/crl" "$config/secrets"
    chmod 700 "$config/secrets"
    cp "$pki/clients-root.pem" "$pki/clients-issuing.pem" "$config/trusted-ca/"
    cp "$pki/clients-crl.pem" "$config/crl/clients.pem"
    "$vestibule" keygen --pepper >"$config/secrets/pepper"
    key_and_tag=$("$vestibule" keygen --config "$config")
    sed -n 's/^key: //p' <<<"$key_and_tag" >"$config/secrets/front-door-key"
    tag=$(sed -n 's/^tag: //p' <<<"$key_and_tag")
    chmod 600 "$config"/secrets/*
    replace "$config/tenants/example.toml" "hmac-sha256:$(printf '0%.0s' {1..64})" "$tag"
}

# complete_nginx PKI KEY FOLDER: copies nginx/ to FOLDER and adds server certificate and key file.
complete_nginx() {
    local pki=$1 key=$2 folder=$3
    cp -r nginx "$folder"
    cp "$pki/server.pem" "$folder/vestibule-server.pem"
    cp "$pki/server.key" "$folder/vestibule-server.key"
    (umask 077 && echo "proxy_set_header cname-api-key \"$key\";" >"$folder/vestibule-key.conf")
}

# free_port: a port of 127.0.0.1 that nobody listens on, below the range from which outgoing connections take theirs.
free_port() {
    local port
    while true; do
        port=$((20000 + RANDOM % 10000))
        if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            echo "$port"
            return
        fi
    done
}
