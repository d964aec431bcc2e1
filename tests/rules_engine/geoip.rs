//! Where a client is, by a database that the test writes: MaxMind's own test data cannot be had here.

use crate::bank::{PROCESS, Request, files, good};
use crate::edge_config::Folder;
use crate::recording_upstream::RecordingUpstream;
use crate::vestibule_program::Vestibule;
use crate::{rule_if, tenant};

/// A value of the data section (MaxMind DB format 2.0).
enum Data {
    Array(Vec<Data>),
    Map(Vec<(&'static str, Data)>),
    Number(u8, u64),
    Text(&'static str),
}

fn control(out: &mut Vec<u8>, kind: u8, size: usize) {
    assert!(size < 29, "longer values are written in another way");
    let size = u8::try_from(size).unwrap();
    if kind > 7 {
        out.extend([size, kind - 7]);
    } else {
        out.push(kind << 5 | size);
    }
}

fn write(out: &mut Vec<u8>, data: &Data) {
    match data {
        Data::Text(text) => {
            control(out, 2, text.len());
            out.extend(text.bytes());
        }
        Data::Number(kind, number) => {
            let bytes: Vec<u8> = number.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
            control(out, *kind, bytes.len());
            out.extend(bytes);
        }
        Data::Map(pairs) => {
            control(out, 7, pairs.len());
            for (key, value) in pairs {
                write(out, &Data::Text(key));
                write(out, value);
            }
        }
        Data::Array(values) => {
            control(out, 11, values.len());
            values.iter().for_each(|value| write(out, value));
        }
    }
}

/// A database in which every address below 128.0.0.0 is in one place, and no other is anywhere.
fn database() -> Vec<u8> {
    const NODES: u32 = 1;
    let named = |name| Data::Map(vec![("names", Data::Map(vec![("en", Data::Text(name))]))]);
    let country = Data::Map(vec![("iso_code", Data::Text("PT")), ("names", Data::Map(vec![("en", Data::Text("Portugal"))]))]);
    let region = Data::Map(vec![("iso_code", Data::Text("11")), ("names", Data::Map(vec![("en", Data::Text("Lisbon"))]))]);
    let place = Data::Map(vec![
        ("city", named("Sintra")),
        ("continent", Data::Map(vec![("code", Data::Text("EU"))])),
        ("country", country),
        ("subdivisions", Data::Array(vec![region])),
    ]);
    let mut bytes = Vec::new();
    // One node: its left record points to the first value, its right one to nothing.
    for record in [NODES + 16, NODES] {
        bytes.extend(&record.to_be_bytes()[1..]);
    }
    bytes.extend([0; 16]);
    write(&mut bytes, &place);
    bytes.extend(b"\xab\xcd\xefMaxMind.com");
    let metadata = Data::Map(vec![
        ("binary_format_major_version", Data::Number(5, 2)),
        ("binary_format_minor_version", Data::Number(5, 0)),
        ("build_epoch", Data::Number(9, 1_768_478_400)),
        ("database_type", Data::Text("Test-City")),
        ("description", Data::Map(vec![("en", Data::Text("of a test"))])),
        ("ip_version", Data::Number(5, 4)),
        ("languages", Data::Array(vec![Data::Text("en")])),
        ("node_count", Data::Number(6, u64::from(NODES))),
        ("record_size", Data::Number(5, 24)),
    ]);
    write(&mut bytes, &metadata);
    bytes
}

const NAMES: [(&str, &str); 9] = [
    ("geoip_city", "Sintra"),
    ("geoip_city_continent_code", "EU"),
    ("geoip_city_country_code", "PT"),
    ("geoip_city_country_name", "Portugal"),
    ("geoip_continent_code", "EU"),
    ("geoip_country_code", "PT"),
    ("geoip_country_name", "Portugal"),
    ("geoip_region", "11"),
    ("geoip_region_name", "Lisbon"),
];

#[test]
fn every_name_and_an_address_that_is_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("city.mmdb");
    std::fs::write(&file, database()).unwrap();
    let mut rules = rule_if("firewall", "abroad", ("${geoip_country_code}", "is_equal", Some("XX")), "{ type = \"deny\" }");
    for (name, _) in NAMES {
        let header = format!("X-{}", name.replace('_', "-"));
        let behavior = format!("{{ type = \"add_request_header\", value = \"{header}: <${{{name}}}>\" }}");
        rules += &rule_if("request", name, ("${host}", "exists", None), &behavior);
    }
    let upstream = RecordingUpstream::start();
    let mut files = files(&[(tenant(&rules), upstream.url())]);
    files[0].1 = format!("{PROCESS}\n[geoip]\ndatabase = \"{}\"\n", file.display());
    let vestibule = Vestibule::start(&files);
    for (address, known) in [("42.0.0.1", true), ("::ffff:42.0.0.1", true), ("203.0.113.9", false), ("2001:db8::1", false)] {
        let request = Request::get("/").of(&good()).instead("X-Forwarded-For", address);
        assert_eq!(vestibule.ask(request.text()).status, 200);
        let received = upstream.take_one();
        for (name, value) in NAMES {
            let value = if known { value } else { "" };
            assert_eq!(received.header(&format!("x-{}", name.replace('_', "-"))), format!("<{value}>"), "{address}");
        }
    }
}

#[test]
fn without_a_good_database_nothing_starts() {
    let folder = Folder::good();
    folder.edit(crate::load::TENANT, "${subject.O}", "${geoip_city}");
    let ran = folder.check();
    assert!(ran.code == 64 && ran.stderr.contains("needs `geoip.database` in vestibule.toml"), "{}", ran.stderr);
    let whole = database();
    for (bytes, good) in [(whole.clone(), true), (whole[..40].to_vec(), false), (b"nonsense".to_vec(), false)] {
        let folder = Folder::good();
        folder.write_bytes("geo.mmdb", &bytes);
        folder.edit("vestibule.toml", "[logs]", "[geoip]\ndatabase = \"geo.mmdb\"\n[logs]");
        let ran = folder.check();
        assert_eq!(ran.code == 0, good, "{}", ran.stderr);
        assert!(good || ran.stderr.contains("`geoip.database`"), "{}", ran.stderr);
    }
}
