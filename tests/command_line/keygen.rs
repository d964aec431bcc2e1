//! `vestibule keygen`.

use crate::edge_config::{Folder, KEY, run, tag, vestibule};

/// The key and the tag of one run.
fn keygen(folder: &Folder) -> (String, String) {
    let ran = folder.run(&["keygen"], &[], b"");
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    let lines: Vec<&str> = ran.stdout.lines().collect();
    let [key, tag] = lines[..] else { panic!("{}", ran.stdout) };
    (key.strip_prefix("key: ").unwrap().to_owned(), tag.strip_prefix("tag: ").unwrap().to_owned())
}

fn is_hex(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

#[test]
fn keys_and_tags_have_their_form_and_differ() {
    let folder = Folder::good();
    let (one, other) = (keygen(&folder), keygen(&folder));
    for (key, tag) in [&one, &other] {
        assert!(is_hex(key) && is_hex(tag.strip_prefix("hmac-sha256:").unwrap()), "{key} {tag}");
        assert_eq!(*tag, crate::edge_config::tag(key));
    }
    assert!(one.0 != other.0 && one.1 != other.1);
}

#[test]
fn peppers_have_their_form_and_differ() {
    let pepper = || run(vestibule().args(["keygen", "--pepper"]), b"").stdout;
    let (one, other) = (pepper(), pepper());
    assert!(is_hex(one.trim_end()) && is_hex(other.trim_end()) && one != other);
}

#[test]
fn a_generated_key_opens_the_door_and_no_other_does() {
    let folder = Folder::good();
    let (key, generated) = keygen(&folder);
    folder.edit("tenants/acme.toml", &tag(KEY), &generated);
    let head = |key: &str| format!("GET / HTTP/1.1\r\nHost: api.example\r\ncname-api-key: {key}\r\n\r\n");
    assert!(folder.explain(&head(&key)).contains("decision       permit"));
    for wrong in [KEY, &generated, &key.to_uppercase(), &key[..63]] {
        let said = folder.explain(&head(wrong));
        assert!(said.contains("refuse: 403 front_door_key_wrong") && !said.contains("presented"), "{said}");
        assert!(!said.contains(wrong), "{said}");
    }
}

#[test]
fn only_the_pepper_is_needed() {
    let folder = Folder::good();
    std::fs::remove_dir_all(folder.path("tenants")).unwrap();
    keygen(&folder);
    folder.write("secrets/pepper", "c0ffee");
    let ran = folder.run(&["keygen"], &[], b"");
    assert_eq!((ran.code, ran.stdout.as_str()), (64, ""));
    assert!(ran.stderr.contains("`secrets.pepper_file`: the pepper has 3 bytes"), "{}", ran.stderr);
    let pepper = [("VESTIBULE__SECRETS__PEPPER", crate::edge_config::PEPPER)];
    assert_eq!(folder.run(&["keygen"], &pepper, b"").code, 0);
}

#[test]
fn a_key_for_signatures_is_fresh_and_usable() {
    let made = || {
        let output = vestibule().args(["keygen", "--signature-key"]).output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    };
    let (one, two) = (made(), made());
    assert_ne!(one, two);
    assert!(vestibule::secret::SignatureKey::parse(&one).is_ok() && one.ends_with('\n'));
}
