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

# complete_nginx VESTIBULE PKI CONFIG FOLDER [FLAG...]: writes nginx's front door for CONFIG to FOLDER, with server certificate and key.
complete_nginx() {
    local vestibule=$1 pki=$2 config=$3 folder=$4 domain=api.bank.example
    "$vestibule" front-door nginx --config "$config" --out "$folder" --folder "$folder" "${@:5}"
    cp "$pki/server.pem" "$folder/$domain.pem"
    cp "$pki/server.key" "$folder/$domain.key"
    (umask 077 && echo "$domain \"$(<"$config/secrets/front-door-key")\";" >"$folder/vestibule-key")
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
