//! What stands in certificates, and what is kept of them.

use openssl::hash::MessageDigest;
use openssl::x509::X509;
use vestibule::x509::der::encode;

use crate::attempt::{OWN, assert_log, assert_nobody_else, assert_refused, bank, get, intruder, raw, sha256, victim};
use crate::bank::{
    Bank, DOMAIN, Person, Request, Tenant, authorities, crls, escape, escaped, files, leaf, now, pem, person, person_of,
};
use crate::pki::{DAY, Dates, Leaf};
use crate::product::{FrontDoor, RUNNING};
use crate::tls::{Hello, connect};

/// A certificate of ours whose names were chosen to be taken for others.
fn named(name: &str) -> Person {
    person(&leaf(name))
}

fn name_of(bank: &Bank, person: &Person) -> Result<String, String> {
    let answer = raw(bank, Request::get("/").of(person).text());
    match answer.status {
        200 => Ok(bank.upstream.take_one().header("x-client-cn").to_owned()),
        status => Err(bank.refused(&answer, status)),
    }
}

#[test]
fn row_20_names_that_forge_an_element_of_xfcc() {
    let bank = bank("format = \"envoy-xfcc\"\ncertificate_header_max = \"64KiB\"");
    let (own, victim) = (person_of(&authorities().stranger, &leaf(OWN)), victim());
    let element = |person: &Person| format!("Hash={};Cert=\"{}\"", sha256(person), escaped(&person.certificate));
    let chain = |person: &Person| escape(&(pem(&person.certificate) + &pem(&authorities().issuing.certificate)));
    let (ours, theirs) = (element(&own), element(&victim));
    for (what, value) in [
        ("a whole element behind its own", format!("{ours};URI=a,{theirs};DNS=b")),
        ("a whole element before its own", format!("{theirs},{ours}")),
        ("another Hash and Cert", format!("{ours};URI=a;{theirs}")),
        ("another Hash", format!("{ours};URI=a;Hash={}", sha256(&victim))),
        ("another Cert", format!("{ours};URI=a;Cert=\"{}\"", escaped(&victim.certificate))),
        ("somebody's digest alone", format!("Hash={};Cert=\"{}\"", sha256(&victim), escaped(&own.certificate))),
        ("no digest", format!("Cert=\"{}\"", escaped(&victim.certificate))),
        ("an open quote", format!("{ours};Subject=\"CN=a\\\";URI=,{theirs}")),
        ("names alone", format!("Hash={};Subject=\"CN=victim\";URI=spiffe://victim;DNS=victim", sha256(&victim))),
    ] {
        for path in ["/", "/permissive/"] {
            let answer = raw(&bank, Request::get(path).with("x-forwarded-client-cert", &value).text());
            let codes = ["certificate_header_too_many", "certificate_header_encoding", "forwarded_field_mismatch"];
            assert_refused(&bank, &answer, &codes, what);
        }
    }
    // Where a name forges what has no meaning, the certificate is still the client's own, and judged as that.
    for value in
        [format!("{ours};URI=a;Chain=\"{}\"", chain(&victim)), format!("{ours};Subject=\"CN=victim\";DNS=victim;URI=victim")]
    {
        let answer = raw(&bank, Request::get("/").with("x-forwarded-client-cert", &value).text());
        assert_refused(&bank, &answer, &["certificate_untrusted"], "its own certificate");
    }
    assert_log(&bank, &[&own]);
}

#[test]
fn row_21_a_name_does_not_end_at_a_nul() {
    let bank = Bank::open();
    assert_eq!(name_of(&bank, &victim()).as_deref(), Ok("victim"));
    let san = |tag: u8, text: &[u8]| Leaf { extra: vec![("2.5.29.17", false, encode(0x30, &encode(tag, text)))], ..leaf(OWN) };
    for leaf in [
        leaf("victim\0.intruder.example"),
        leaf("\0victim"),
        san(0x82, b"victim\0.intruder.example"),
        san(0x86, b"spiffe://victim\0/intruder"),
        san(0x81, b"victim@bank.example\0.intruder.example"),
    ] {
        let answer = raw(&bank, Request::get("/permissive/").of(&person(&leaf)).text());
        for received in bank.upstream.take() {
            assert_ne!(received.header("x-client-cn"), "victim", "{received:?}");
            assert!(received.headers.iter().all(|(_, value)| !value.contains('\0')), "{received:?}");
        }
        if answer.status != 200 {
            let codes = ["certificate_unacceptable", "certificate_malformed"];
            assert_refused(&bank, &answer, &codes, "a NUL");
        }
        let strict = raw(&bank, Request::get("/").of(&person(&leaf)).text());
        for received in bank.upstream.take() {
            assert_eq!(strict.status, 200);
            assert_ne!(received.header("x-client-cn"), "victim");
        }
    }
}

#[test]
fn row_22_one_name_in_the_text_of_another() {
    let bank = Bank::open();
    for name in [
        "x,CN=victim",
        "x/CN=victim",
        "x+CN=victim",
        "victim,O=Bank",
        "CN=victim",
        "victim\\",
        "x\nCN=victim",
        "x\r\nx-client-cn: victim",
    ] {
        let read = name_of(&bank, &named(name));
        assert!(read.as_deref() != Ok("victim"), "{name:?}");
        // The whole value, or a refusal: no part of it.
        assert!(read.as_ref().is_err() || read.as_ref().is_ok_and(|read| read.len() >= name.len()), "{name:?}: {read:?}");
    }
    let organised = person(&Leaf { attributes: vec![("O", "CN=victim".into()), ("OU", "x,CN=victim".into())], ..leaf(OWN) });
    assert_eq!(name_of(&bank, &organised).as_deref(), Ok(OWN));
    // The front door's text is not believed either.
    let claims = Tenant {
        door_lines: "[front_doors.headers]\nssl_client_s_dn = \"x-dn\"\nssl_client_s_dn_parsed = \"x-cn\"\n".into(),
        ..Tenant::default()
    };
    let claims = Bank::with(&claims);
    for (header, text) in [("x-dn", "CN=victim,O=Vestibule Test"), ("x-cn", "victim"), ("x-dn", "/O=Vestibule Test/CN=victim")]
    {
        for own in [named("x,CN=victim"), intruder()] {
            let answer = raw(&claims, Request::get("/permissive/").of(&own).with(header, text).text());
            assert_refused(&claims, &answer, &["forwarded_dn_mismatch"], text);
        }
    }
}

#[test]
fn row_23_a_name_counts_as_what_it_is() {
    let bank = Bank::open();
    // A subject alternative name is not the CN, and an address in the CN is no address.
    let alternative = person(&Leaf { dns: vec!["victim".into()], ..leaf(OWN) });
    assert_eq!(name_of(&bank, &alternative).as_deref(), Ok(OWN));
    let address = person(&Leaf { dns: vec!["intruder.example".into()], ..leaf("victim@bank.example") });
    assert_eq!(name_of(&bank, &address).as_deref(), Ok("victim@bank.example"));
    let mail = person(&Leaf { attributes: vec![("1.2.840.113549.1.9.1", "victim".into())], ..leaf(OWN) });
    assert_eq!(name_of(&bank, &mail).as_deref(), Ok(OWN));
    // A rule about the CN sees the CN alone.
    let contractor = person(&Leaf { dns: vec!["victim".into()], ..leaf("contractor-1") });
    let answer = raw(&bank, Request::get("/payments/1").of(&contractor).text());
    assert_eq!(bank.refused(&answer, 403), "denied_by_rule");
}

#[test]
fn row_24_no_identity_hangs_on_sha1() {
    let sha1 = |person: &Person| hex::encode(person.certificate.digest(MessageDigest::sha1()).unwrap());
    let victim = victim();
    // A front door's digest is only compared.
    let bank = bank("[front_doors.headers]\nssl_client_fingerprint = \"x-sha1\"");
    for (own, certificate) in [(intruder(), &victim), (person_of(&authorities().stranger, &leaf("victim")), &victim)] {
        let answer = raw(&bank, Request::get("/permissive/").of(&own).with("x-sha1", &sha1(certificate)).text());
        assert_refused(&bank, &answer, &["forwarded_field_mismatch"], "another's digest");
    }
    assert_refused(
        &bank,
        &raw(&bank, Request::get("/public/").with("x-sha1", &sha1(&victim)).text()),
        &["forwarded_field_mismatch"],
        "a digest alone",
    );
    // And nobody can be registered by one.
    for entry in [format!("sha1:{}", sha1(&victim)), format!("sha256:{}", sha1(&victim)), sha1(&victim)] {
        for list in ["allow_certificates", "self_signed_certificates"] {
            let tables =
                format!("[[routes]]\npath = \"/listed/\"\nupstream = \"core\"\npolicy = {{ {list} = [\"{entry}\"] }}\n");
            let folder = tempfile::tempdir().unwrap();
            for (path, text) in files(&[(Tenant { tables, ..Tenant::default() }, "http://127.0.0.1:1".into())]) {
                let path = folder.path().join(path);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, text.replace("{port}", "18080").replace("{admin}", "18081")).unwrap();
            }
            let mut check = std::process::Command::new(env!("CARGO_BIN_EXE_vestibule"));
            let checked = check.args(["check", "--config"]).arg(folder.path()).output().unwrap();
            let said = String::from_utf8_lossy(&checked.stdout).into_owned() + &String::from_utf8_lossy(&checked.stderr);
            assert!(!checked.status.success() && said.contains(list), "{entry}: {said}");
        }
    }
}

#[test]
fn row_25_the_same_names_and_number_of_another_ca() {
    let (genuine, other) = (victim(), person_of(&authorities().stranger, &leaf("victim")));
    let texts = |certificate: &X509| {
        format!("{:?} {:?} {:?}", certificate.subject_name(), certificate.issuer_name(), certificate.serial_number().to_bn())
    };
    assert_eq!(texts(&genuine.certificate), texts(&other.certificate), "else this shows nothing");
    let entry = "issuer-serial:3e8 CN=Journey Issuing,O=Vestibule Test";
    let mut tables = String::new();
    for path in ["/by-number/", "/by-digest/"] {
        tables += &format!(
            "[[routes]]\npath = \"{path}\"\nupstream = \"core\"\npolicy = {{ trusted_ca = \"clients\", allow_certificates = [\"lists{path}list\"] }}\n"
        );
    }
    let upstream = crate::recording_upstream::RecordingUpstream::start();
    let mut files = files(&[(Tenant { tables, ..Tenant::default() }, upstream.url())]);
    files.push(("lists/by-number/list".into(), format!("{entry}\n")));
    files.push(("lists/by-digest/list".into(), format!("sha256:{}\n", sha256(&genuine))));
    let bank = Bank { vestibule: crate::vestibule_program::Vestibule::start(&files), upstream };
    for path in ["/", "/by-number/", "/by-digest/"] {
        for first in [&genuine, &other] {
            for person in [first, &genuine, &other] {
                let answer = raw(&bank, Request::get(path).of(person).text());
                if std::ptr::eq(person, &raw const other) {
                    assert_eq!(bank.refused(&answer, 401), "certificate_untrusted", "{path}");
                } else {
                    assert_eq!((answer.status, bank.upstream.take_one().header("x-client-cn")), (200, "victim"), "{path}");
                }
            }
        }
    }
}

#[test]
fn row_26_what_is_remembered_is_remembered_of_one_certificate() {
    let bank = Bank::open();
    let (genuine, text) = (intruder(), pem(&intruder().certificate));
    let der = genuine.certificate.to_der().unwrap();
    let flipped = |at: usize| {
        let mut bytes = der.clone();
        let at = if at == 0 { bytes.len() - 1 } else { at };
        bytes[at] ^= 1;
        let body: Vec<String> = openssl::base64::encode_block(&bytes)
            .as_bytes()
            .chunks(64)
            .map(|line| String::from_utf8_lossy(line).into())
            .collect();
        escape(&format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", body.join("\n")))
    };
    // Its signature, and its serial number, changed by one bit: same key, same names.
    let serial_at = der.windows(4).position(|four| four == [2, 2, 3, 0xe8]).unwrap() + 3;
    for _ in 0..3 {
        for spelling in
            [escape(&text), escaped(&genuine.certificate).replace("%0A", "%0a"), escape(&text.replace('\n', "\r\n"))]
        {
            let answer = raw(&bank, Request::get("/").carrying(&spelling).text());
            assert_eq!(answer.status, 200, "{}", bank.vestibule.access_line(&answer));
            assert_nobody_else(&bank.upstream.take_one(), true, "another spelling");
        }
        for broken in [flipped(0), flipped(serial_at)] {
            let answer = raw(&bank, Request::get("/").carrying(&broken).text());
            assert_refused(&bank, &answer, &["certificate_untrusted", "certificate_malformed"], "one bit");
        }
        let renamed = escape(&text.replace("CERTIFICATE", "X509 CERTIFICATE"));
        assert_refused(
            &bank,
            &raw(&bank, Request::get("/").carrying(&renamed).text()),
            &["certificate_header_not_pem"],
            "another label",
        );
        // What one route lets pass, another one asks about again.
        let expired = person(&Leaf { dates: crate::bank::expired(), ..leaf("victim") });
        assert_eq!(raw(&bank, Request::get("/grace/").of(&expired).text()).status, 200);
        bank.upstream.take();
        assert_eq!(bank.refused(&raw(&bank, Request::get("/").of(&expired).text()), 401), "certificate_expired");
    }
}

#[test]
fn row_27_a_certificate_ends_on_an_open_connection() {
    for kind in RUNNING {
        let door = FrontDoor::open(kind);
        let last = now() + 4;
        let person = person(&Leaf { dates: Dates(now() - DAY, last), ..leaf(OWN) });
        let mut client = connect(door.https, &Hello::of(Some(&person))).unwrap();
        let answer = client.ask(get("/", ""));
        // A slow machine may be too late.
        assert!(answer.status == 200 || now() >= last, "{kind}: {answer:?} {}", door.said());
        door.bank.upstream.take();
        while now() <= last {
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        let answer = client.ask(get("/", ""));
        assert_eq!(door.bank.refused(&answer, 401), "certificate_expired", "{kind}");
    }
    // Revoked between two requests.
    let (bank, own) = (Bank::open(), intruder());
    let mut client = bank.vestibule.connect();
    let request = Request::get("/").of(&own).text();
    assert_eq!(client.ask(&request).status, 200);
    assert_nobody_else(&bank.upstream.take_one(), true, DOMAIN);
    bank.vestibule.replace_file("crl/clients.pem", &crls(&[1000]));
    bank.vestibule.signal("HUP");
    bank.vestibule.wait_for_counter("vestibule_reloads_total", 1);
    assert_eq!(bank.refused(&client.ask(&request), 401), "certificate_revoked");
}
