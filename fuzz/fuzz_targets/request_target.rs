//! Any text as a request target: an accepted path goes nowhere but down, however often a server behind decodes it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use percent_encoding::percent_decode;
use vestibule::request_head::RequestTarget;

fuzz_target!(|raw: &str| {
    let Ok(target) = RequestTarget::parse(raw) else { return };
    assert_eq!(target.raw(), raw, "the target is kept");
    let query = target.query().map(|query| format!("?{query}")).unwrap_or_default();
    assert_eq!(format!("{}{query}", target.raw_path()), raw, "path and query are the target");
    let path = target.path();
    assert!(path.starts_with('/') && !path.contains("//") && !path.contains(['\0', '\\']), "{path:?}");
    let decoded: Vec<u8> = percent_decode(target.raw_path().as_bytes()).collect();
    let mut merged = decoded.clone();
    merged.dedup_by(|next, before| *next == b'/' && *before == b'/');
    assert_eq!(path.as_bytes(), merged, "the path as another library decodes it");
    let twice: Vec<u8> = percent_decode(&decoded).collect();
    for reading in [target.raw_path().as_bytes(), target.literal_path().as_bytes(), path.as_bytes(), &decoded, &twice] {
        let cut = |segment: &[u8]| segment.split(|byte| *byte == b';').next().is_some_and(|name| name == b"." || name == b"..");
        assert!(!reading.split(|byte| *byte == b'/' || *byte == b'\\').any(cut), "{reading:?}");
    }
    assert!(target.has_path_parameters() || !decoded.contains(&b';'));
});
