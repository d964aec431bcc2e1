//! Which plugin stands before which route, whose groups count, and which hosts are one tenant.

use serde_json::{Value, json};
use vestibule::cli::import::kong::{Options, convert};

use crate::tables::{file, imported, parsed};

fn routed(routes: Value, plugins: Value) -> Vec<(String, Value, String, String)> {
    let service = json!([{ "name": "s", "url": "http://127.0.0.1:1", "routes": routes }]);
    let mut file = file("mtls-auth", &json!({ "revocation_check_mode": "SKIP" }), &json!({ "services": service }));
    file["plugins"].as_array_mut().unwrap().extend(plugins.as_array().unwrap().iter().cloned());
    let import = convert("kong.yml", &file, &Options::default()).unwrap();
    let tenant = parsed(&import, "tenants/a-example.toml");
    let row = |route: &Value| {
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        (word(&route["path"]), route["methods"].clone(), word(&route["upstream"]), word(&route["policy"]["verification"]))
    };
    tenant["routes"].as_array().unwrap().iter().map(row).collect()
}

fn row(path: &str, methods: Value, upstream: &str, verification: &str) -> (String, Value, String, String) {
    (path.into(), methods, upstream.into(), verification.into())
}

/// Which plugin stands before a route, and which route takes a request.
#[test]
fn scopes_and_routes() {
    let route = |name: &str, path: &str| json!({ "name": name, "hosts": ["a.example"], "paths": [path], "strip_path": false });
    let plugin = |name: &str, scope: &str, of: &str, config: Value| json!([{ "name": name, scope: of, "config": config }]);
    let cas = json!({ "ca_certificates": ["root"], "anonymous": "one", "revocation_check_mode": "SKIP" });
    // The route's own counts before the service's, and that before the one for all.
    let two = json!([route("r", "/"), route("own", "/own")]);
    let rows = routed(two.clone(), plugin("mtls-auth", "route", "own", cas.clone()));
    assert_eq!(rows, [row("/", Value::Null, "s", "enforce"), row("/own", Value::Null, "s", "permissive")]);
    let rows = routed(two.clone(), plugin("mtls-auth", "service", "s", cas.clone()));
    assert_eq!(rows, [row("/", Value::Null, "s", "permissive"), row("/own", Value::Null, "s", "permissive")]);
    // One that is switched off hides nothing.
    let off = json!([{ "name": "mtls-auth", "route": "own", "enabled": false, "config": cas }]);
    assert_eq!(routed(two.clone(), off)[1], row("/own", Value::Null, "s", "enforce"));
    // Whoever is sent elsewhere never got here.
    for guard in ["key-auth", "ip-restriction", "some-plugin-of-ours", "openid-connect", "redirect"] {
        assert_eq!(routed(two.clone(), plugin(guard, "route", "own", json!({})))[1].2, "closed", "{guard}");
        assert_eq!(routed(two.clone(), json!([{ "name": guard }]))[0].2, "closed", "{guard}");
    }
    assert_eq!(routed(two.clone(), plugin("prometheus", "route", "own", json!({})))[1].2, "s");
    assert_eq!(routed(two.clone(), plugin("acl", "route", "own", json!({ "allow": [] })))[1].2, "closed");
    for (config, upstream) in [
        (json!({ "replace": { "uri": "/public" } }), "closed"),
        (json!({ "http_method": "GET" }), "closed"),
        (json!({ "replace": { "uri": null }, "remove": { "headers": ["x-role"] } }), "s"),
    ] {
        for name in ["request-transformer", "request-transformer-advanced"] {
            assert_eq!(routed(two.clone(), plugin(name, "route", "own", config.clone()))[1].2, upstream, "{name} {config}");
        }
    }
    assert_eq!(routed(two.clone(), plugin("response-transformer", "route", "own", json!({})))[1].2, "s");
    // What cannot be read is taken for a guard, of everything if nobody can tell of what.
    for plugins in [json!("key-auth"), json!(["key-auth"]), json!({ "name": "key-auth" })] {
        let mut own = route("own", "/own");
        own["plugins"] = plugins;
        let rows = routed(json!([route("r", "/"), own.clone()]), json!([]));
        assert_eq!(rows.iter().map(|row| row.2.as_str()).collect::<Vec<_>>(), ["s", "closed"], "{own}");
    }
    for lost in [json!({}), json!(5), json!([])] {
        let rows = routed(two.clone(), json!([{ "name": "key-auth", "route": lost }]));
        assert_eq!(rows.iter().map(|row| row.2.as_str()).collect::<Vec<_>>(), ["closed", "closed"], "{lost}");
    }
    assert_eq!(routed(two, plugin("acl", "consumer", "one", json!({ "allow": ["a"] })))[1].2, "closed");
    // What a route asks for beside its path: it may be the one, and nobody here can tell.
    let mut sources = route("sources", "/own/x");
    sources["sources"] = json!([{ "ip": "10.0.0.0/8" }]);
    let rows = routed(json!([route("r", "/"), route("own", "/own"), sources.clone()]), json!([]));
    assert_eq!(rows.iter().map(|row| row.2.as_str()).collect::<Vec<_>>(), ["s", "s", "closed"]);
    sources["paths"] = json!([]);
    let rows = routed(json!([route("r", "/"), route("own", "/own"), sources]), json!([]));
    assert_eq!(rows.iter().map(|row| row.2.as_str()).collect::<Vec<_>>(), ["closed", "closed"]);
    // Server names that are the hosts change nothing.
    let mut server_names = route("r", "/");
    server_names["snis"] = json!(["a.example"]);
    assert_eq!(routed(json!([server_names.clone()]), json!([]))[0].2, "s");
    server_names["snis"] = json!(["b.example"]);
    assert_eq!(routed(json!([server_names]), json!([]))[0].2, "closed");
}

/// Groups of acl, and those of consumers, which acl counts only where it is told to.
#[test]
fn groups() {
    let people = json!({
        "consumer_groups": [{ "name": "gold" }, { "name": "silver" }],
        "consumers": [{ "id": "c-1", "acls": [{ "group": "staff" }], "groups": [{ "name": "gold" }, { "name": "silver" }],
                        "username": "one" }],
    });
    for (acl, groups) in [
        (json!({ "allow": ["staff"] }), json!(["staff", "gold", "silver"])),
        (json!({ "deny": ["gold"] }), json!(["staff", "silver"])),
        (json!({ "allow": ["gold"], "include_consumer_groups": true }), json!(["staff", "gold", "silver"])),
    ] {
        let mut more = people.clone();
        let mut plugins = file("mtls-auth", &json!({}), &json!({}))["plugins"].clone();
        plugins.as_array_mut().unwrap().push(json!({ "name": "acl", "config": acl }));
        more["plugins"] = plugins;
        let import = imported("mtls-auth", &json!({}), &more);
        assert_eq!(parsed(&import, "consumers/mtls-auth.toml")["consumers"][0]["groups"], groups, "{acl}");
    }
}

#[test]
fn groups_that_cannot_be_told_apart_close_their_routes() {
    let more = |acls: Value| {
        let mut plugins = file("mtls-auth", &json!({}), &json!({}))["plugins"].clone();
        plugins.as_array_mut().unwrap().extend(acls.as_array().unwrap().iter().cloned());
        json!({
            "plugins": plugins,
            "consumers": [{ "username": "one", "groups": [{ "name": "gold" }] }],
            "services": [{ "name": "s", "url": "http://127.0.0.1:1", "routes": [
                { "name": "r", "hosts": ["a.example"], "paths": ["/"], "strip_path": false },
                { "name": "t", "hosts": ["a.example"], "paths": ["/t"], "strip_path": false },
            ] }],
        })
    };
    let upstreams = |acls: Value| -> Vec<Value> {
        let import = imported("mtls-auth", &json!({}), &more(acls));
        let tenant = parsed(&import, "tenants/a-example.toml");
        tenant["routes"].as_array().unwrap().iter().map(|route| route["upstream"].clone()).collect()
    };
    let counting = json!({ "name": "acl", "route": "r", "config": { "deny": ["gold"], "include_consumer_groups": true } });
    assert_eq!(upstreams(json!([counting.clone()])), ["s", "s"]);
    let other = json!({ "name": "acl", "route": "t", "config": { "deny": ["gold"] } });
    assert_eq!(upstreams(json!([counting, other])), ["closed", "s"]);
    let comma = json!({ "name": "acl", "route": "t", "config": { "deny": ["a,b"] } });
    assert_eq!(upstreams(json!([comma])), ["s", "closed"]);
}

/// Both plugins: their credentials, and their front doors, are apart.
#[test]
fn one_front_door_for_a_domain() {
    let config = |name: &str| json!({ "ca_certificates": ["root"], "certificate_header_name": name, "certificate_header_format": "url_encoded" });
    let route =
        |path: &str, plugins: Value| json!({ "name": path, "hosts": ["a.example"], "paths": [path], "plugins": plugins });
    let (header, other) = (config("X-Cert"), config("X-Other"));
    let mtls = json!({ "ca_certificates": ["root"] });
    let plugin = |name: &str, config: &Value| json!({ "name": name, "config": config });
    let services = json!([{ "name": "s", "url": "http://127.0.0.1:1", "routes": [
        route("/a", json!([plugin("header-cert-auth", &header)])),
        route("/b", json!([plugin("mtls-auth", &mtls)])),
        route("/c", json!([plugin("header-cert-auth", &other)])),
        route("/d", json!([plugin("header-cert-auth", &header), plugin("mtls-auth", &mtls)])),
        route("/e", json!([])),
    ] }]);
    let import = imported("mtls-auth", &json!({}), &json!({ "services": services, "plugins": [] }));
    let tenant = parsed(&import, "tenants/a-example.toml");
    let upstreams: Vec<&Value> = tenant["routes"].as_array().unwrap().iter().map(|route| &route["upstream"]).collect();
    assert_eq!(upstreams, ["s", "closed", "closed", "closed", "s"]);
    assert_eq!(tenant["consumers_file"], "consumers/header-cert-auth.toml");
}

/// Hosts with the same routes are one tenant; others are tenants of their own.
#[test]
fn hosts() {
    let more = json!({ "services": [{ "name": "s", "url": "http://127.0.0.1:1", "routes": [
        { "name": "one", "hosts": ["a.example", "B.example:8443"], "paths": ["/"], "strip_path": false },
        { "name": "all", "paths": ["/all"], "strip_path": false },
        { "name": "wild", "hosts": ["*.wild.example"], "paths": ["/"], "strip_path": false },
        { "name": "other", "hosts": ["c.example"], "paths": ["/"], "strip_path": false },
    ] }] });
    let options = Options { domains: vec!["x.wild.example".into(), "d.example".into()], ..Options::default() };
    let import = convert("kong.yml", &file("mtls-auth", &json!({}), &more), &options).unwrap();
    let hosts = |file: &str| -> Vec<Value> {
        let tenant = parsed(&import, file);
        let names = tenant["domains"].as_array().unwrap().iter().map(|domain| domain["name"].clone());
        names.chain(tenant["routes"].as_array().unwrap().iter().map(|route| route["path"].clone())).collect()
    };
    assert_eq!(hosts("tenants/a-example.toml"), ["a.example", "b.example", "/", "/all"]);
    assert_eq!(hosts("tenants/c-example-2.toml"), ["c.example", "/", "/all"]);
    assert_eq!(hosts("tenants/x-wild-example-3.toml"), ["x.wild.example", "/", "/all"]);
    assert_eq!(hosts("tenants/d-example-4.toml"), ["d.example", "/all"]);
}

/// A service's path keeps requests to one part of the upstream: a route without it would open the rest.
#[test]
fn a_services_path_that_cannot_be_said() {
    for (path, upstream) in
        [("/part", "s"), ("/p%20art", "closed"), ("/a;b", "closed"), ("/%{x}", "closed"), ("/${uri}", "closed")]
    {
        let route = json!([{ "name": "r", "hosts": ["a.example"], "paths": ["/"] }]);
        let service = json!([{ "name": "s", "host": "127.0.0.1", "port": 1, "path": path, "routes": route }]);
        let file = file("mtls-auth", &json!({ "revocation_check_mode": "SKIP" }), &json!({ "services": service }));
        let import = convert("kong.yml", &file, &Options::default()).unwrap();
        assert_eq!(parsed(&import, "tenants/a-example.toml")["routes"][0]["upstream"], json!(upstream), "{path}");
    }
}
