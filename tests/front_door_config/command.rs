//! What the command prints and refuses.

use std::path::Path;

use crate::bank::{KEY, Tenant, authorities, crls, files, pem};
use crate::formats::{SIGNATURE, bank};
use crate::product::printed;

/// `edge-config/` with what a repository does not hold.
fn edge_config() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("edge-config");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    for name in ["vestibule.toml", "tenants/example.toml"] {
        let text = std::fs::read_to_string(from.join(name)).unwrap();
        write(name, &text.replace(&"0".repeat(64), &"1".repeat(64)));
    }
    write("secrets/pepper", &"ab".repeat(32));
    write("trusted-ca/clients-root.pem", &pem(&authorities().root.certificate));
    write("trusted-ca/clients-issuing.pem", &pem(&authorities().issuing.certificate));
    write("crl/clients.pem", &crls(&[]));
    folder
}

/// The configuration of the tests' bank, with changes to its tenant's file.
fn folder(change: impl Fn(String) -> String) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files(&[(Tenant::default(), "http://127.0.0.1:9000".into())]) {
        let text = text.replace("{port}", "18080").replace("{admin}", "19180");
        let path = folder.path().join(&name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, if name.starts_with("tenants/") { change(text) } else { text }).unwrap();
    }
    folder
}

fn refusal(config: &Path, kind: &str, arguments: &[&str]) -> String {
    let printed = printed(config, kind, |command| {
        command.args(arguments);
    });
    let said = String::from_utf8(printed.stderr).unwrap();
    assert_eq!((printed.status.code(), printed.stdout.len()), (Some(64), 0), "{kind} {arguments:?}: {said}");
    said
}

fn output(config: &Path, kind: &str, arguments: &[&str]) -> String {
    let printed = printed(config, kind, |command| {
        command.args(arguments);
    });
    assert!(printed.status.success(), "{kind}: {printed:?}");
    String::from_utf8(printed.stdout).unwrap()
}

#[test]
fn the_repositorys_nginx_is_what_the_command_prints_for_the_example() {
    let (config, out) = (edge_config(), tempfile::tempdir().unwrap());
    let printed = printed(config.path(), "nginx", |command| {
        command.arg("--out").arg(out.path());
    });
    assert!(printed.status.success(), "{printed:?}");
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("nginx");
    let names = |folder: &Path| {
        let mut names: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(names(&kept), names(out.path()));
    for name in names(&kept) {
        let read = |folder: &Path| std::fs::read_to_string(folder.join(&name)).unwrap();
        assert!(read(&kept) == read(out.path()), "nginx/{name:?} is not what `vestibule front-door nginx` prints");
    }
}

#[test]
fn no_secret_is_printed() {
    let config = folder(|text| text);
    for kind in ["nginx", "haproxy", "apache", "caddy", "envoy"] {
        assert!(!output(config.path(), kind, &[]).contains(KEY), "{kind}");
    }
}

#[test]
fn what_a_product_cannot_do_is_refused_with_the_mend() {
    let signing = bank(SIGNATURE, "\"signature\"");
    for kind in ["caddy", "apache", "envoy"] {
        let said = refusal(signing.vestibule.folder(), kind, &[]);
        assert!(said.contains("cannot sign requests: use nginx or HAProxy"), "{kind}: {said}");
    }
    let plain = folder(|text| text);
    let said = refusal(plain.path(), "traefik", &[]);
    assert!(said.contains("set its `format` to one of: traefik\n"), "{said}");
    let xfcc = folder(|text| text.replace("proofs = [\"api_key\"]", "proofs = [\"api_key\"]\nformat = \"envoy-xfcc\""));
    for (kind, formats) in
        [("nginx", "nginx, auth0"), ("apache", "apache-base64"), ("caddy", "caddy, rfc9440"), ("haproxy", "haproxy")]
    {
        let said = refusal(xfcc.path(), kind, &[]);
        assert!(said.contains("set its `format` to one of: ") && said.contains(formats), "{kind}: {said}");
    }
    let judging =
        folder(|text| text.replace("proofs = [\"api_key\"]", "proofs = [\"api_key\"]\nforwarded_verdict = \"require\""));
    assert!(refusal(judging.path(), "nginx", &[]).contains("set forwarded_verdict = \"ignore\""));
}

#[test]
fn nothing_that_would_end_a_line_or_a_quote_is_written() {
    let config = folder(|text| text);
    for kind in ["nginx", "haproxy", "apache", "caddy", "envoy"] {
        for bad in ["a b.pem", "a\".pem", "a'.pem", "a;.pem", "a\n.pem", "a{x}.pem", "$x.pem", "#x.pem", "../x.pem", "a\\.pem"]
        {
            for flag in ["--certificate", "--key", "--client-ca", "--secrets"] {
                let said = refusal(config.path(), kind, &[flag, bad]);
                assert!(said.contains("file"), "{said}");
            }
        }
        for arguments in
            [["--folder", "relative"], ["--folder", "/etc/with space"], ["--run-as", "www data"], ["--listen", "0"]]
        {
            refusal(config.path(), kind, &arguments);
        }
    }
}

#[test]
fn the_front_door_must_be_one() {
    let config = folder(|text| text);
    assert!(refusal(config.path(), "nginx", &["--tenant", "other"]).contains("there is `nginx` of tenant `bank`"));
    let without = folder(|text| text.replace("enable_mtls_endpoint_aliases = true", ""));
    assert!(refusal(without.path(), "nginx", &["--ask", "aliases"]).contains("set enable_mtls_endpoint_aliases = true"));
    assert!(refusal(config.path(), "nginx", &["--vestibule-address", "0.0.0.0:80"]).contains("--vestibule-address"));
    let off = folder(|text| {
        let text = text.replace("[policy]", "[policy]\nverification = \"off\"");
        let kept = text.split("[[rules]]").next().unwrap().lines().filter(|line| !line.starts_with("policy = {"));
        kept.collect::<Vec<_>>().join("\n")
    });
    // Where nobody looks at certificates, nobody is asked for one.
    let printed = output(off.path(), "nginx", &[]);
    assert!(!printed.contains("ssl_verify_client") && printed.contains("vestibule-proxy-silent.conf"));
}

#[test]
fn envoy_and_traefik_get_yaml_that_says_what_it_must() {
    use yaml_rust2::{Yaml, YamlLoader};
    let xfcc = |form: &str| {
        let form = form.to_owned();
        folder(move |text| text.replace("proofs = [\"api_key\"]", &format!("proofs = [\"api_key\"]\nformat = \"{form}\"")))
    };
    let chains = |config: &Path, arguments: &[&str]| {
        let text = output(config, "envoy", arguments);
        let parsed = YamlLoader::load_from_str(&text).unwrap();
        parsed.last().unwrap()["static_resources"]["listeners"][1]["filter_chains"].clone()
    };
    let manager = |chain: &Yaml| chain["filters"][0]["typed_config"].clone();
    for (form, details) in [("nginx", "SANITIZE"), ("envoy-xfcc", "SANITIZE_SET"), ("envoy-xfcc-json", "SANITIZE_SET")] {
        let all = chains(xfcc(form).path(), &["--ask", "aliases"]);
        assert_eq!(all.as_vec().unwrap().len(), 2, "{form}");
        for (chain, asks) in all.as_vec().unwrap().iter().zip([true, false]) {
            let tls = &chain["transport_socket"]["typed_config"]["common_tls_context"];
            let trust = tls["validation_context"]["trust_chain_verification"].as_str();
            assert_eq!(trust, asks.then_some("ACCEPT_UNTRUSTED"), "{form}");
            let manager = manager(chain);
            let expected = if asks { details } else { "SANITIZE" };
            assert_eq!(manager["forward_client_cert_details"].as_str(), Some(expected), "{form}");
            assert_eq!(manager["use_remote_address"].as_bool(), Some(true));
            let lua = manager["http_filters"][0]["typed_config"]["default_source_code"]["inline_string"].as_str().unwrap();
            assert!(
                lua.contains("[\"cname-api-key\"] = true") && lua.contains("headers:replace(\"cname-api-key\", key)"),
                "{lua}"
            );
            assert_eq!(lua.contains("urlEncodedPemEncodedPeerCertificate"), asks && form == "nginx", "{lua}");
            assert_eq!(lua.contains("\"NONE\""), form == "nginx", "{lua}");
        }
    }
    let config = xfcc("traefik");
    let text = output(config.path(), "traefik", &[]);
    let parsed = YamlLoader::load_from_str(&text).unwrap();
    let http = parsed.iter().map(|part| &part["http"]).find(|http| !http.is_badvalue()).unwrap();
    let strip = &http["middlewares"]["vestibule-strip"]["headers"]["customRequestHeaders"];
    for name in ["x-forwarded-tls-client-cert", "x_forwarded_tls_client_cert", "x.forwarded.tls.client.cert", "cname-api-key"] {
        assert_eq!(strip[name].as_str(), Some(""), "{name}");
    }
    assert_eq!(http["middlewares"]["vestibule-certificate"]["passTLSClientCert"]["pem"].as_bool(), Some(true));
    let router = &http["routers"]["vestibule-api_bank_example"]["middlewares"];
    let order: Vec<&str> = router.as_vec().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    assert_eq!(order, ["vestibule-strip", "vestibule-key-api_bank_example", "vestibule-certificate"]);
}
