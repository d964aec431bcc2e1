//! Kong's router and ours give the same request to the same route: by an oracle that knows only Kong's order.

use proptest::prelude::*;
use serde_json::{Value, json};
use vestibule::cli::import::kong::{Options, convert};

const PATHS: [&str; 6] = ["/", "/a", "/a/", "/a/b", "/ab", "/b"];
const METHODS: [&str; 3] = ["GET", "POST", "PUT"];
const REQUESTS: [&str; 9] = ["/", "/a", "/a/", "/a/b", "/a/bc", "/a/c", "/ab", "/b/x", "/c"];

/// A route: paths, methods, and whether it names the host.
#[derive(Debug, Clone)]
struct Route {
    paths: Vec<&'static str>,
    methods: Vec<&'static str>,
    host: bool,
}

fn routes() -> impl Strategy<Value = Vec<Route>> {
    let paths = prop::sample::subsequence(PATHS.to_vec(), 0..3);
    let methods = prop::sample::subsequence(METHODS.to_vec(), 0..3);
    let route = (paths, methods, any::<bool>()).prop_map(|(paths, methods, host)| Route { paths, methods, host });
    prop::collection::vec(route, 1..6)
}

/// Which route Kong takes: the one that asks for the most, then the longer path, then the one that was there first.
fn kong(routes: &[Route], path: &str, method: &str) -> Option<usize> {
    let rank = |at: usize, route: &Route| {
        let longest = route.paths.iter().filter(|start| path.starts_with(**start)).map(|start| start.len()).max();
        let fits =
            (route.paths.is_empty() || longest.is_some()) && (route.methods.is_empty() || route.methods.contains(&method));
        let asks = usize::from(route.host) + usize::from(!route.methods.is_empty()) + usize::from(!route.paths.is_empty());
        fits.then(|| (asks, route.host, longest.unwrap_or(0), std::cmp::Reverse(at)))
    };
    let ranked = routes.iter().enumerate().filter_map(|(at, route)| Some((rank(at, route)?, at)));
    ranked.max().map(|(_, at)| at)
}

/// Which one ours takes: the longest path, of equal ones those with methods first.
fn ours(tenant: &Value, path: &str, method: &str) -> Option<String> {
    let mut routes: Vec<&Value> = tenant["routes"].as_array().unwrap().iter().collect();
    routes.sort_by_key(|route| (std::cmp::Reverse(route["path"].as_str().unwrap().len()), route["methods"].is_null()));
    let fits = |route: &&&Value| {
        let methods = route["methods"].as_array();
        path.starts_with(route["path"].as_str().unwrap())
            && methods.is_none_or(|methods| methods.iter().any(|one| one.as_str() == Some(method)))
    };
    routes.iter().find(fits).map(|route| route["upstream"].as_str().unwrap().to_owned())
}

proptest! {
    #[test]
    fn requests_take_the_same_route(mut routes in routes()) {
        // One of them says which host it is about.
        routes[0].host = true;
        let services: Vec<Value> = routes.iter().enumerate().map(|(at, route)| {
            let hosts = if route.host { vec!["a.example"] } else { vec![] };
            let one = json!({ "name": format!("r{at}"), "hosts": hosts, "paths": route.paths, "methods": route.methods,
                              "strip_path": false });
            json!({ "name": format!("s{at}"), "url": "http://127.0.0.1:1", "routes": [one] })
        }).collect();
        let import = convert("kong.yml", &json!({ "_format_version": "3.0", "services": services }), &Options::default()).unwrap();
        let file = import.files.iter().find(|file| file.path == "tenants/a-example.toml").unwrap();
        let source = config::File::from_str(&file.text, config::FileFormat::Toml);
        let tenant: Value = config::Config::builder().add_source(source).build().unwrap().try_deserialize().unwrap();
        for path in REQUESTS {
            for method in ["GET", "POST", "PUT", "DELETE"] {
                let wanted = kong(&routes, path, method).map(|at| format!("s{at}"));
                prop_assert_eq!(ours(&tenant, path, method), wanted, "{} {} {:?}", method, path, routes);
            }
        }
    }
}
