//! Purpose: hundreds of odd client certificates, made anew in every run.

use openssl::pkey::{PKey, Private};

use crate::der_writer::{Parts, attribute, common_name, extension, name, oid, sequence, tlv, tlv_with_long_length};

/// A certificate and what is odd about it.
pub(crate) struct Odd {
    pub(crate) id: String,
    pub(crate) der: Vec<u8>,
}

/// All of them. Those whose id begins with `ber` are no DER: OpenSSL takes some, ours takes none.
pub(crate) fn all(key: &PKey<Private>) -> Vec<Odd> {
    let mut parts = vec![("plain".to_owned(), Parts::good())];
    parts.extend(subjects().into_iter().map(|(id, subject)| (id, Parts { subject, ..Parts::good() })));
    parts.extend(serials().into_iter().map(|(id, serial)| (id, Parts { serial: tlv(0x02, &serial), ..Parts::good() })));
    parts.extend(dates());
    parts.extend(tails());
    parts.extend(versions_and_issuers());
    parts.extend(not_der());
    let mut odd: Vec<Odd> = parts.into_iter().map(|(id, parts)| Odd { id, der: parts.sign(key, tlv) }).collect();
    odd.push(Odd {
        id: "ber outer length".into(),
        der: Parts { tail: vec![], ..Parts::good() }.sign(key, tlv_with_four_octets),
    });
    odd.push(Odd { id: "trailing octet".into(), der: [Parts::good().sign(key, tlv), vec![0]].concat() });
    odd.push(Odd { id: "cut".into(), der: Parts::good().sign(key, tlv).split_last().unwrap().1.to_vec() });
    odd
}

fn tlv_with_four_octets(tag: u8, content: &[u8]) -> Vec<u8> {
    [&[tag, 0x83, 0, (content.len() >> 8) as u8, content.len() as u8], content].concat()
}

fn one(dotted: &str, value: Vec<u8>) -> Vec<u8> {
    name(&[vec![attribute(&oid(dotted), &value)]])
}

fn subjects() -> Vec<(String, Vec<u8>)> {
    let mut subjects = string_types();
    subjects.extend(special_characters());
    subjects.extend(value_types());
    subjects.extend(attribute_types());
    subjects.extend(structures());
    subjects.extend(random_names());
    subjects
}

fn string_types() -> Vec<(String, Vec<u8>)> {
    let texts: [&[u8]; 13] = [
        b"alice",
        b"",
        b" lead",
        b"trail ",
        b"#x",
        b"#",
        b" ",
        b"a,b+c\"d\\e<f>g;h=i/j'k*l(m)n",
        "Jos\u{e9} \u{20ac} \u{1f600}".as_bytes(),
        b"caf\xE9",
        b"\x00\x01\x0a\x0d\x1f\x7f",
        b"\x80\x9f\xa0\xff",
        &[b'x'; 3000],
    ];
    let narrow = [0x0C, 0x12, 0x13, 0x14, 0x16].into_iter().flat_map(|tag| texts.map(|text| (tag, text.to_vec())));
    let points: [&[u32]; 9] = [
        &[0x61, 0x6C],
        &[],
        &[0x20, 0x61, 0x20],
        &[0x23],
        &[0xE9, 0x20AC],
        &[0, 0xFFFF, 0xFFFE],
        &[0xD83D, 0xDE00],
        &[0x1F600],
        &[0x2C, 0x5C, 0x2F],
    ];
    let universal = points.map(|points| (0x1C, points.iter().flat_map(|point| point.to_be_bytes()).collect()));
    let bmp = points.map(|points| (0x1E, points.iter().flat_map(|point| (*point as u16).to_be_bytes()).collect()));
    let broken = [
        (0x1E, vec![0, 0x61, 0]),
        (0x1C, vec![0, 0, 0]),
        (0x1C, vec![0, 0x11, 0, 0]),
        (0x0C, vec![0xC0, 0xAF]),
        (0x0C, vec![0xED, 0xA0, 0x80]),
    ];
    let all = narrow.chain(universal).chain(bmp).chain(broken);
    all.enumerate().map(|(index, (tag, text))| (format!("string {index} of tag {tag:02x}"), common_name(tag, &text))).collect()
}

fn special_characters() -> Vec<(String, Vec<u8>)> {
    let characters = b",+\"\\<>;#= /'*()\x00\x0a\x7f~";
    let placed = |c: u8| [vec![c], vec![c, b'a'], vec![b'a', c, b'b'], vec![b'a', c], vec![c, c]];
    let texts = characters.iter().flat_map(|&character| placed(character));
    texts.map(|text| (format!("special {text:02x?}"), common_name(0x0C, &text))).collect()
}

fn value_types() -> Vec<(String, Vec<u8>)> {
    let mut subjects: Vec<_> = (0..31).map(|tag| (format!("tag {tag}"), common_name(tag, b"\x01ab\x80"))).collect();
    subjects.push(("number over 30".into(), name(&[vec![attribute(&oid("2.5.4.3"), &[0x1F, 0x1F, 0x01, 0x61])]])));
    subjects.push(("context tag".into(), common_name(0x80, b"a")));
    subjects.push(("set".into(), common_name(0x31, &tlv(0x0C, b"a"))));
    for bits in [&[][..], &[0], &[5], &[0, 0xFF], &[3, 0xFF], &[7, 0xFF, 0xFF], &[8, 0xFF], &[4, 0x2F, 0x2B, 0xAF]] {
        subjects.push((format!("bits {bits:02x?}"), one("2.5.4.45", tlv(0x03, bits))));
    }
    let lines = sequence(&[tlv(0x0C, b"1 High Street"), tlv(0x0C, "Bras\u{ed}lia/DF".as_bytes())]);
    subjects.push(("postal address".into(), one("2.5.4.16", lines.clone())));
    subjects.push(("sequence of unknown type".into(), one("1.3.6.1.4.1.99999.1", lines)));
    subjects.push(("sequence of rubbish".into(), one("2.5.4.16", tlv(0x30, b"/+\x00rubbish"))));
    subjects
}

fn attribute_types() -> Vec<(String, Vec<u8>)> {
    let table = include_str!("../../src/x509/object_names.tsv").lines().filter_map(|line| line.split_once('\t'));
    let mut subjects: Vec<_> =
        table.step_by(23).map(|(dotted, _)| (format!("known {dotted}"), one(dotted, tlv(0x0C, b"x y")))).collect();
    for dotted in [
        "2.5.4.97",
        "1.3.6.1.4.1.99999.1",
        "0.0",
        "1.39",
        "2.47",
        "2.48",
        "2.999",
        "2.5.4.4294967296",
        "2.25.18446744073709551616",
        "2.18446744073709551615",
        "1.2.18446744073709551615",
        "1.2.144115188075855871",
        "1.2.144115188075855872",
        "2.25.340282366920938463463374607431768211455",
        "2.25.340282366920938463463374607431768211455.340282366920938463463374607431768211455",
        "2.25.340282366920938463463374607431768211.340282366920938463463374607431768211455",
    ] {
        subjects.push((format!("type {dotted}"), one(dotted, tlv(0x13, b"a+b"))));
    }
    for length in [1, 30, 38, 39, 40, 41, 78, 79, 80, 120, 585, 586, 587, 700] {
        subjects.push((format!("{length} arcs"), name(&[vec![attribute(&tlv(0x06, &vec![0x7F; length]), &tlv(0x0C, b"x"))]])));
        let huge = [vec![0x2B], vec![0xFF; length], vec![0x01]].concat();
        subjects.push((format!("an arc of {length} octets"), name(&[vec![attribute(&tlv(0x06, &huge), &tlv(0x16, b"x"))]])));
    }
    for bad in [&[][..], &[0x80], &[0x2B, 0x80, 0x01], &[0x2B, 0x81]] {
        subjects.push((format!("bad type {bad:02x?}"), name(&[vec![attribute(&tlv(0x06, bad), &tlv(0x0C, b"x"))]])));
    }
    subjects
}

fn structures() -> Vec<(String, Vec<u8>)> {
    let pair = |dotted: &str, text: &str| attribute(&oid(dotted), &tlv(0x0C, text.as_bytes()));
    let (c, o, ou) = (pair("2.5.4.6", "GB"), pair("2.5.4.10", "Ex/am+ple"), pair("2.5.4.11", "CN=admin"));
    let (alice, bob) = (pair("2.5.4.3", "alice"), pair("2.5.4.3", "bob,CN=admin"));
    let cases: [(&str, Vec<Vec<Vec<u8>>>); 12] = [
        ("empty subject", vec![]),
        ("one empty set", vec![vec![]]),
        ("empty sets between", vec![vec![], vec![c.clone()], vec![], vec![alice.clone()], vec![]]),
        ("two common names", vec![vec![alice.clone()], vec![o.clone()], vec![bob.clone()]]),
        ("one set of three", vec![vec![c.clone()], vec![alice.clone(), o.clone(), ou.clone()]]),
        ("the same three reversed", vec![vec![ou.clone(), o.clone(), alice.clone()], vec![c.clone()]]),
        ("twice in one set", vec![vec![alice.clone(), bob.clone(), alice.clone()]]),
        ("two sets of two", vec![vec![c.clone(), o.clone()], vec![ou.clone(), bob.clone()]]),
        ("no common name", vec![vec![c.clone()], vec![ou.clone()]]),
        ("common name first", vec![vec![alice.clone()], vec![o.clone()], vec![c.clone()]]),
        ("seventy names", vec![vec![alice.clone()]; 70]),
        ("forty in one set", vec![vec![bob; 40]]),
    ];
    let mut subjects: Vec<_> = cases.into_iter().map(|(id, rdns)| (id.to_owned(), name(&rdns))).collect();
    let three = sequence(&[oid("2.5.4.3"), tlv(0x0C, b"a"), tlv(0x0C, b"b")]);
    subjects.push(("an attribute of three".into(), name(&[vec![three]])));
    subjects.push(("an attribute without a value".into(), name(&[vec![sequence(&[oid("2.5.4.3")])]])));
    subjects
}

/// Names of random attributes, the same in every run.
fn random_names() -> Vec<(String, Vec<u8>)> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = move |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let types =
        ["2.5.4.3", "2.5.4.10", "2.5.4.11", "0.9.2342.19200300.100.1.25", "1.2.840.113549.1.9.1", "1.2.3.4.5", "2.5.4.45"];
    let mut random_pair = || {
        let dotted = types[next(types.len() as u64) as usize];
        let tag = [0x0C, 0x13, 0x14, 0x16, 0x12][next(5) as usize];
        let text: Vec<u8> = (0..next(12)).map(|_| b" #,+\"\\<>;=/az09\x00\x1f\x7f"[next(18) as usize]).collect();
        attribute(&oid(dotted), &tlv(tag, &text))
    };
    let shapes = (0..120_usize).map(|seed| (seed, [1 + seed % 4, 1 + seed / 4 % 3]));
    shapes
        .map(|(seed, [rdns, pairs])| (format!("random {seed}"), name(&vec_of(rdns, || vec_of(pairs, &mut random_pair)))))
        .collect()
}

fn vec_of<T>(count: usize, mut make: impl FnMut() -> T) -> Vec<T> {
    (0..count).map(|_| make()).collect()
}

fn serials() -> Vec<(String, Vec<u8>)> {
    let mut serials: Vec<Vec<u8>> = (1..=40).map(|length| vec![0x5A; length]).collect();
    serials.extend([69, 70, 71, 80, 105, 106, 200].map(|length| vec![0x11; length]));
    serials.extend([35, 36, 37].map(|length| vec![0xA5; length]));
    serials.extend([35, 36].map(|length| [vec![0x00], vec![0xA5; length]].concat()));
    serials.extend([35, 36].map(|length| [vec![0x80], vec![0x00; length - 1]].concat()));
    serials.extend([35, 36].map(|length| [vec![0xFF], vec![0x00; length]].concat()));
    let short: [&[u8]; 15] = [
        &[],
        &[0],
        &[1],
        &[0x7F],
        &[0x80],
        &[0xFF],
        &[0, 0x80],
        &[0, 0xFF],
        &[0xFF, 0],
        &[0xFF, 0x7F],
        &[0xFF, 0, 1],
        &[0x80, 0],
        &[0, 1],
        &[0xFF, 0xFF],
        &[0, 0],
    ];
    serials.extend(short.map(<[u8]>::to_vec));
    serials.into_iter().enumerate().map(|(index, serial)| (format!("serial {index} of {}", serial.len()), serial)).collect()
}

fn dates() -> Vec<(String, Parts)> {
    let utc = [
        "500101000000Z",
        "691231235959Z",
        "691231235958Z",
        "700101000000Z",
        "991231235959Z",
        "000101000000Z",
        "240229120000Z",
        "230229120000Z",
        "491231235959Z",
        "4512312359Z",
        "451231235959+0000",
        "451231235959+0100",
        "451231235959-1259",
        "451231235959+1300",
        "4512312359+0100",
        "451231235959",
        "451231235960Z",
        "451331235959Z",
        "450001000000Z",
        "garbage",
        "",
        "Z",
        "451231235959.5Z",
        "451231235959ZZ",
        "500101000000+0100",
    ];
    let generalized = [
        "00000101000000Z",
        "00010101000000Z",
        "00991231235959Z",
        "09991231235959Z",
        "10000101000000Z",
        "18991231235959Z",
        "19500101000000Z",
        "19691231235959Z",
        "19700101000000Z",
        "20250101000000Z",
        "20491231235959Z",
        "20500101000000Z",
        "99991231235959Z",
        "20400101000000.123Z",
        "20400101000000.0Z",
        "20400101000000.Z",
        "20400101000000.5+0130",
        "20400101000000,5Z",
        "204001010000Z",
        "204001010000-0500",
        "2040010100Z",
        "20400101000000+0000",
        "20400101000000",
        "19000101000000+0100",
        "99991231235959-0100",
        "21000229000000Z",
        "20000229000000Z",
        "rubbish",
        "",
        "10000101000000+0000",
        "20400101000000.12345678901234567890Z",
    ];
    let times = utc.map(|text| (0x17, text)).into_iter().chain(generalized.map(|text| (0x18, text)));
    let mut dates = Vec::new();
    for (tag, text) in times {
        let (good, odd) = (tlv(0x17, b"250101000000Z"), tlv(tag, text.as_bytes()));
        dates.push((
            format!("notAfter {tag:02x} {text}"),
            Parts { validity: sequence(&[good.clone(), odd.clone()]), ..Parts::good() },
        ));
        dates.push((format!("notBefore {tag:02x} {text}"), Parts { validity: sequence(&[odd, good]), ..Parts::good() }));
    }
    let wrong = [vec![tlv(0x17, b"250101000000Z")], vec![tlv(0x13, b"250101000000Z"), tlv(0x17, b"451231235959Z")]];
    dates.extend(
        wrong
            .iter()
            .map(|parts| (format!("validity of {}", parts.len()), Parts { validity: sequence(parts), ..Parts::good() })),
    );
    dates
}

fn tails() -> Vec<(String, Parts)> {
    let dns = |count: usize| -> Vec<u8> {
        (0..count).flat_map(|n| tlv(0x82, format!("host-{n}.some-long-label.example").as_bytes())).collect()
    };
    let kinds = [
        tlv(0x81, b"a@example.com"),
        tlv(0x86, b"urn:x:1,2"),
        tlv(0x87, &[192, 0, 2, 1]),
        tlv(0x87, &[0x20; 16]),
        tlv(0x88, &[0x2A, 0x03]),
        tlv(0xA4, &common_name(0x0C, b"dir, name")),
        tlv(0xA0, &[oid("1.3.6.1.4.1.311.20.2.3"), tlv(0xA0, &tlv(0x0C, b"upn@x"))].concat()),
    ];
    let san = |content: &[u8]| extension("2.5.29.17", &tlv(0x30, content));
    let mut tails = vec![("no extensions".to_owned(), Parts { tail: vec![], ..Parts::good() })];
    for (id, extensions) in [
        ("one SAN", vec![san(&dns(1))]),
        ("110 SANs", vec![san(&dns(110))]),
        ("700 SANs", vec![san(&dns(700))]),
        ("all kinds of SAN", vec![san(&kinds.concat())]),
        ("SAN twice", vec![san(&dns(1)), san(&dns(2))]),
        ("SAN that is empty", vec![san(&[])]),
        ("SAN that is rubbish", vec![extension("2.5.29.17", b"rubbish")]),
        ("SAN with an address of 3", vec![san(&tlv(0x87, &[1, 2, 3]))]),
        ("unknown critical", vec![sequence(&[oid("1.2.3.4"), tlv(0x01, &[0xFF]), tlv(0x04, b"x")])]),
        ("critical written FALSE", vec![sequence(&[oid("1.2.3.4"), tlv(0x01, &[0]), tlv(0x04, b"x")])]),
        ("no extension in the list", vec![]),
        ("a CA", vec![extension("2.5.29.19", &sequence(&[tlv(0x01, &[0xFF])]))]),
        ("for servers", vec![extension("2.5.29.37", &sequence(&[oid("1.3.6.1.5.5.7.3.1")]))]),
    ] {
        tails.push((id.to_owned(), Parts::good().with_extensions(&extensions)));
    }
    let identifiers = [tlv(0x81, &[0, 1]), tlv(0x82, &[0, 2])].concat();
    tails.push(("unique identifiers".into(), Parts { tail: [identifiers, Parts::good().tail].concat(), ..Parts::good() }));
    tails.push(("a field too many".into(), Parts { tail: [Parts::good().tail, tlv(0xA4, &[])].concat(), ..Parts::good() }));
    tails
}

fn versions_and_issuers() -> Vec<(String, Parts)> {
    let mut parts = vec![
        ("version 1".to_owned(), Parts { version: vec![], tail: vec![], ..Parts::good() }),
        ("version 1 with extensions".to_owned(), Parts { version: vec![], ..Parts::good() }),
        ("self-issued".to_owned(), Parts { issuer: Parts::good().subject, ..Parts::good() }),
        ("both names empty".to_owned(), Parts { issuer: name(&[]), subject: name(&[]), ..Parts::good() }),
        ("issuer of latin-1".to_owned(), Parts { issuer: common_name(0x14, b" caf\xE9/"), ..Parts::good() }),
        ("issuer with a bad string".to_owned(), Parts { issuer: common_name(0x0C, b"caf\xE9"), ..Parts::good() }),
    ];
    for number in [0, 1, 3, 9, 127] {
        parts.push((format!("version written {number}"), Parts { version: tlv(0xA0, &tlv(0x02, &[number])), ..Parts::good() }));
    }
    parts
}

fn not_der() -> Vec<(String, Parts)> {
    let long_value = attribute(&oid("2.5.4.3"), &tlv_with_long_length(0x0C, b"alice"));
    let in_pieces = attribute(&oid("2.5.4.3"), &tlv(0x2C, &[tlv(0x0C, b"al"), tlv(0x0C, b"ice")].concat()));
    let endless = [&[0x30, 0x80][..], &tlv(0x31, &attribute(&oid("2.5.4.3"), &tlv(0x0C, b"a"))), &[0, 0]].concat();
    vec![
        ("ber value length".into(), Parts { subject: name(&[vec![long_value]]), ..Parts::good() }),
        ("ber string in pieces".into(), Parts { subject: name(&[vec![in_pieces]]), ..Parts::good() }),
        ("ber endless name".into(), Parts { subject: endless, ..Parts::good() }),
        ("ber serial length".into(), Parts { serial: tlv_with_long_length(0x02, &[1]), ..Parts::good() }),
        ("ber version of two octets".into(), Parts { version: tlv(0xA0, &tlv(0x02, &[1, 0])), ..Parts::good() }),
    ]
}
