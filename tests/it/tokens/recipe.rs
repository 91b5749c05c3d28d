//! The recipe of `docs/TOKENS.md`, held against another program: sums here were made with `hmac` and `ipaddress` of Python.

use tributary::tokens::{Keys, Made, RawField, Secret, Secrets, hex, vectors};

use super::OURS;

fn published() -> Keys {
    Keys::new(&Secret::published())
}

fn keys(secret: &str) -> Keys {
    Keys::new(Secrets::parse(secret).unwrap().current())
}

fn made(field: RawField, value: &str) -> Made {
    published().make(field, value).unwrap()
}

fn token(keys: &Keys, field: RawField, value: &str) -> String {
    keys.make(field, value).unwrap().token.map_or_else(|| "-".to_owned(), |token| hex(&token.0))
}

#[test]
fn the_vectors_are_those_of_another_program() {
    let told: String = vectors(&published())
        .into_iter()
        .map(|vector| {
            let token = vector.made.token.map_or_else(|| "-".to_owned(), |token| hex(&token.0));
            let wide = vector.made.wide.map(|wide| format!(" {}", hex(&wide.0))).unwrap_or_default();
            format!("{:<14} {:<43} {token}{wide}\n", vector.field.name(), format!("{:?}", vector.value))
        })
        .collect();
    expect_test::expect![[r#"
        ip             "81.2.69.142"                               9f2b248b101db77de23d0a5e73e6def1
        ip             "::ffff:81.2.69.142"                        9f2b248b101db77de23d0a5e73e6def1
        ip             "2a02:cf40:1234:5678:9abc:def0:1234:5678"   7667aceb1f70437f9e14025d1538997e e38c13b09a7de07ee10afd5441ad2906
        ip             "2A02:CF40:1234:5678::1"                    7667aceb1f70437f9e14025d1538997e e38c13b09a7de07ee10afd5441ad2906
        ip             "2a02:cf40:1234:5601::1"                    dd405b96596f4f09ab1b14c4bd19e177 e38c13b09a7de07ee10afd5441ad2906
        ip             "192.168.0.10"                              -
        ip             "100.64.0.1"                                -
        ip             "203.0.113.7"                               -
        ip             "fd00::1"                                   -
        ip             "::1"                                       -
        device         "fp-7c1b9e"                                 56063fb43a0a8ee8e66a70e3cda1a3ba
        device         " fp-7c1b9e\t"                              56063fb43a0a8ee8e66a70e3cda1a3ba
        email          "Ann.Lee+shop@Example.com"                  d7a4b284718d03eec8cd2b10cca67f30
        email          " ann.lee+shop@example.com "                d7a4b284718d03eec8cd2b10cca67f30
        email          "ÄNN@example.com"                           2627d7a76c17e5fd15ebd43f20b83a84
        payment_method "DE89370400440532013000"                    141aab67dc362ce4949d41cc3649754f
        payout_method  "DE89370400440532013000"                    141aab67dc362ce4949d41cc3649754f
        payout_method  "81.2.69.142"                               7328a0b9aec1b5a5c0843460e42d9417
    "#]]
    .assert_eq(&told);
    assert_eq!(published().check(), "5d68c676");
}

#[test]
fn the_document_shows_these_vectors() {
    let document = include_str!("../../../docs/TOKENS.md");
    for vector in vectors(&published()) {
        for token in [vector.made.token, vector.made.wide].into_iter().flatten() {
            assert!(document.contains(&hex(&token.0)), "{:?} of {}", vector.value, vector.field.name());
        }
    }
    assert!(document.contains(Secret::published().text().reveal()) && document.contains(&published().check()));
}

#[test]
fn another_secret_and_another_epoch_make_other_tokens() {
    let (ip, device) = ((RawField::Ip, "81.2.69.142"), (RawField::Device, "fp-7c1b9e"));
    let cases = [
        (keys(OURS), ip, "0f31f8047f1742edd5e93f72345f3464"),
        (keys(OURS), device, "764cdcdb3910eaceba25d6a5886a7353"),
        (keys(&format!("2 {OURS}")), ip, "08b3b1ef751d4ec0c144722efb167f5e"),
        (keys(&format!("2 {OURS}")), device, "500e0bc5a935859de1aa10d7c595278b"),
        // Longer than a block of SHA-256.
        (keys(&"x".repeat(100)), device, "d35c72594901cc40789b2c759eebbe47"),
    ];
    for (keys, (field, value), expected) in cases {
        assert_eq!(token(&keys, field, value), expected, "epoch {}", keys.epoch());
    }
    let checks = [OURS.to_owned(), format!("2 {OURS}")].map(|text| keys(&text).check());
    assert_eq!(checks, ["6b0d6c76", "9779ec0e"]);
}

#[test]
fn what_is_the_same_has_the_same_token_and_what_is_not_has_not() {
    use RawField::{Device, Email, Ip, PaymentMethod, PayoutMethod};
    let same = [
        (Ip, "81.2.69.142", "::FFFF:81.2.69.142"),
        (Ip, "81.2.69.142", "::ffff:5102:458e"),
        (Ip, "81.2.69.142", " 81.2.69.142\n"),
        (Ip, "2a02:cf40::1", "2A02:CF40:0:0:ffff::2"),
        (Ip, "2a02:cf40::1", "2a02:cf40::1%eth0"),
        (Email, "ann@example.com", "\tANN@EXAMPLE.COM "),
        (Device, "Fp", " Fp\r\n"),
        (PaymentMethod, "card_1", "card_1 "),
    ];
    for (field, one, other) in same {
        assert!(made(field, one).token.is_some() && made(field, one) == made(field, other), "{one:?} {other:?}");
    }
    let differ = [
        (Ip, "81.2.69.142", "81.2.69.143"),
        (Ip, "2a02:cf40:0:1::1", "2a02:cf40:0:2::1"),
        // Without tricks of one provider or another.
        (Email, "annlee@gmail.com", "ann.lee@gmail.com"),
        (Email, "ann@example.com", "ann+shop@example.com"),
        (Device, "Fp", "fp"),
        (PaymentMethod, "DE89 3704", "DE893704"),
    ];
    for (field, one, other) in differ {
        assert_ne!(made(field, one).token, made(field, other).token, "{one:?} {other:?}");
    }
    assert_eq!(made(PaymentMethod, "a@b.example"), made(PayoutMethod, "a@b.example"), "who is paid can be who paid");
    let keyed = [Device, Email, PaymentMethod].map(|field| made(field, "a@b.example").token);
    assert!(keyed[0] != keyed[1] && keyed[1] != keyed[2] && keyed[0] != keyed[2], "each purpose has its own key");
    for (field, _, _) in same {
        assert_eq!(made(field, " \t"), Made::default(), "nothing is nobody");
    }
}

#[test]
fn addresses_of_nobody_in_particular_have_no_token_and_their_neighbours_have() {
    let nobody = "0.0.0.0 0.255.255.255 10.0.0.0 10.255.255.255 100.64.0.0 100.127.255.255 127.0.0.1 169.254.0.0 172.16.0.0 \
        172.31.255.255 192.0.0.8 192.0.2.1 192.168.0.0 192.168.255.255 198.18.0.0 198.19.255.255 198.51.100.255 203.0.113.0 \
        224.0.0.1 240.0.0.1 255.255.255.255 :: ::1 ::ffff:10.0.0.1 ::5102:458e fe80::1 febf::1 fc00::1 fdff::1 ff02::1 64:ff9b::1 \
        2001:db8:: 2001:db8:ffff::1 3fff:: 3fff:fff::1 1fff::1 4000::1";
    for address in nobody.split_whitespace() {
        assert_eq!(made(RawField::Ip, address), Made::default(), "{address}");
    }
    let somebody = "1.0.0.0 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 169.253.255.255 \
        169.255.0.0 172.15.255.255 172.32.0.0 192.0.1.0 192.0.3.0 192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 \
        198.51.99.255 198.51.101.0 203.0.112.255 203.0.114.0 223.255.255.255 2001:db7:ffff::1 2001:db9:: 3ffe::1 3fff:1000::1 \
        2000:: 2002:a00::1";
    for address in somebody.split_whitespace() {
        let made = made(RawField::Ip, address);
        assert_eq!((made.token.is_some(), made.wide.is_some()), (true, address.contains(':')), "{address}");
    }
}

#[test]
fn what_is_no_address_is_refused_and_not_told() {
    for text in [
        "81.2.69",
        "81.2.69.256",
        "081.2.69.142",
        "81.2.69.142:80",
        "[2a02:cf40::1]",
        "2a02:cf40::1/64",
        "ann",
        "81.2.69.142, 10.0.0.1",
        "81.2.69.142%eth0",
    ] {
        let error = published().make(RawField::Ip, text).unwrap_err();
        assert!(!format!("{error} {error:?}").contains(text), "{text}");
    }
}

/// The program in the document, where this machine has Python.
#[test]
fn the_program_of_the_document_makes_these_vectors() {
    let document = include_str!("../../../docs/TOKENS.md");
    let program = document.split_once("```python\n").unwrap().1.split_once("```").unwrap().0;
    let ask = "import json, sys\nfor v in json.load(sys.stdin):\n    print(json.dumps(tokens(*v)))\n";
    let all = vectors(&published());
    let secret = Secret::published();
    let asked: Vec<_> = all.iter().map(|v| (secret.text().reveal(), 1, v.field.name(), v.value)).collect();
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("asked"), serde_json::to_string(&asked).unwrap()).unwrap();
    let mut python = std::process::Command::new("python3");
    python.args(["-c", &format!("{program}\n{ask}")]).stdin(std::fs::File::open(dir.path().join("asked")).unwrap());
    let Ok(output) = python.output() else { return };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told = String::from_utf8(output.stdout).unwrap();
    let hexed = |token: Option<tributary::ids::Token>| token.map(|token| hex(&token.0));
    let expected: Vec<_> = all.iter().map(|v| serde_json::json!([hexed(v.made.token), hexed(v.made.wide)])).collect();
    let found: Vec<serde_json::Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(found, expected);
}
