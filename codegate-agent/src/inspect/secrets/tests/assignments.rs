//! Values beside names, in every syntax that ties the two.

use super::{expand, found, none_wrong, secrets, source};

/// `N` stands for a name, `V` for a value.
const SYNTAXES: [&str; 47] = [
    "N=V\n",
    "N = V\n",
    "N: V\n",
    "N                            = \"V\"",
    "\"N\"           :              \"V\"",
    "N:V\n",
    "N = \"V\"",
    "N='V';",
    "N: 'V',",
    "N := `V`",
    "N => 'V',",
    "N == \"V\"",
    "\"N\": \"V\"",
    "'N': 'V'",
    "\"N\" : \"V\" ,",
    "\"N\"=>\"V\"",
    "N\": \"V\"\n",
    "{\"user\":\"ann\",\"N\":\"V\",\"x\":1}",
    "{\\\"N\\\":\\\"V\\\"}",
    "{\\\\\\\"N\\\\\\\": \\\\\\\"V\\\\\\\"}",
    "export N=V",
    "export N='V' X=1",
    "+N=V\n",
    "-N: V\n",
    "    14\tN = \"V\"\n",
    "  N: V # from the vault\n",
    "- name: N\n  value: V\n",
    "{\"name\": \"N\", \"value\": \"V\"}",
    "name\": \"N\"\nvalue\": \"V\"\n",
    "<N>V</N>",
    "<add key=\"N\" value=\"V\" />",
    "<meta-data android:name=\"N\" android:value=\"V\"/>",
    "const N: &str = \"V\";",
    "static N: &'static str = \"V\";",
    "let N: string = 'V';",
    "final String N = \"V\";",
    "self.N = b\"V\"",
    "os.environ[\"N\"] = \"V\"",
    "setenv(\"N\", \"V\", 1)",
    "connect(user=\"ann\", N=\"V\", db=1)",
    "connect(N=V,other=1)",
    "Server=db;User=sa;N=V;Encrypt=true",
    "https://h.example.net/x?N=V&q=1",
    "N%3DV%26",
    "first\\nN=V\\nlast",
    "docker: N=V\n",
    "-e N=V image",
];

const NAMES: [&str; 7] = [
    "password",
    "DB_PASSWORD",
    "dbPassword",
    "db.passwd",
    "passphrase",
    "mysql_root_password",
    "PGPASSWORD",
];

const TOKEN_NAMES: [&str; 8] = [
    "api_key",
    "API_KEY",
    "apiKey",
    "client_secret",
    "authToken",
    "SECRET_KEY_BASE",
    "x-api-key",
    "acme_access_token",
];

/// Values that stand as they are in every syntax above.
const PASSWORDS: [&str; 5] = [
    "hunter2",
    "S3cr3t!pass",
    "Tr0ub4dor-3",
    "x9Kq2vLm",
    "zaq12wsxCDE3",
];

fn check(names: &[&str], values: &[String]) {
    let mut wrong = Vec::new();
    for syntax in SYNTAXES {
        for name in names {
            for value in values {
                let text = syntax.replace('N', name).replace('V', "\u{1}");
                let at = text.find('\u{1}').expect("a place for the value");
                let text = text.replace('\u{1}', value);
                if found(&text) != [at..at + value.len()] {
                    wrong.push(format!("{text:?}: {:?}", secrets(&text)));
                }
            }
        }
    }
    none_wrong(&wrong);
}

#[test]
fn passwords_are_found_in_every_syntax() {
    check(&NAMES, &PASSWORDS.map(str::to_owned));
}

#[test]
fn random_values_are_found_in_every_syntax() {
    let values = [
        "‹hex 32›",
        "‹hex 64›",
        "‹alnum 24›",
        "‹alnum 40›",
        "‹b64url 43›x",
        "‹lower 20›7",
    ];
    let values: Vec<_> = (0..3)
        .flat_map(|seed| values.map(|value| expand(value, seed).text))
        .collect();
    check(&TOKEN_NAMES, &values);
}

#[test]
fn names_alone_and_words_beside_them_are_no_secrets() {
    let values = [
        "required",
        "string",
        "null",
        "true",
        "changeme",
        "my-secret-name",
        "getPassword()",
        "user.password",
        "./key.pem",
        "/run/secrets/db1",
        "${PASSWORD}",
        "$PASSWORD1",
        "<password>",
        "{{ password1 }}",
        "%PASSWORD%",
        "xxxxxxxx",
        "********",
        "1.2.3",
        "v2.0.1",
        "2026-01-01",
        "https://vault.acme.org/v1",
        "config.password1",
        "ann@acme.org",
        "password123",
    ];
    let mut wrong = Vec::new();
    for syntax in SYNTAXES {
        for name in ["password", "API_KEY", "authToken"] {
            for value in values {
                let text = syntax.replace('N', name).replace('V', value);
                if !found(&text).is_empty() {
                    wrong.push(format!("{text:?}: {:?}", secrets(&text)));
                }
            }
        }
    }
    none_wrong(&wrong);
}

/// All that is found in a text.
fn value(text: &str) -> String {
    secrets(text).concat()
}

#[test]
fn a_word_on_a_line_of_settings_is_a_password() {
    assert_eq!(value("DB_PASSWORD=sunflower\n"), "sunflower");
    assert_eq!(value("export DB_PASSWORD=Sunflower # mine"), "Sunflower");
    for text in [
        "DB_PASSWORD=postgres\n",
        "DB_PASSWORD=something\n",
        "DB_PASSWORD=somepassword\n",
        "DB_PASSWORD=abcdefghijkl\n",
        "DB_PASSWORD=getDefault\n",
        "DB_PASSWORD=sun\n",
        "API_TOKEN=sunflower\n",
        "password: sunflower\n",
        "let password = sunflower",
    ] {
        assert_eq!(value(text), "", "{text}");
    }
}

#[test]
fn a_value_ends_where_its_element_does() {
    for text in [
        "<p>Password: x9Kq2vLm</p>",
        "<td>password=x9Kq2vLm</td>",
        "<Value>my password:x9Kq2vLm</Value>",
    ] {
        assert_eq!(value(text), "x9Kq2vLm", "{text}");
    }
    for text in ["password: x9Kq2vLm<T>", "<p>Password: required</p>"] {
        assert_eq!(value(text), "", "{text}");
    }
}

#[test]
fn quotes_within_quotes_are_no_part_of_a_value() {
    let key = expand("‹hex 32›", 1).text;
    for text in [
        "buildConfigField 'String', 'API_KEY', '\"V\"'",
        "buildConfigField \"String\", \"API_KEY\", \"\\\"V\\\"\"",
        "api_key: \"'V'\"",
        "export API_KEY='\"V\"'",
    ] {
        assert_eq!(value(&text.replace('V', &key)), key, "{text}");
    }
}

#[test]
fn a_key_is_found_where_words_tie_it_to_its_service() {
    let key = expand("‹hex 32›", 7).text;
    for text in [
        "my datadog api key V",
        "datadog key is V",
        "datadog-secrettoken-V",
        "DATADOG ACCESS KEY  :  V",
        "the Datadog token 'V'",
    ] {
        assert_eq!(value(&text.replace('V', &key)), key, "{text}");
    }
    for text in [
        "datadog build V",
        "datadog api version V",
        "datadog V",
        "datadog access key V00",
    ] {
        assert_eq!(value(&text.replace('V', &key)), "", "{text}");
    }
}

#[test]
fn a_wrong_rule_is_named_with_its_file_and_its_fault() {
    let wrong = |rule: &str| {
        let text = format!("[[rule]]\nid = \"x\"\n{rule}\nexamples = []\n");
        let sources = source::read("mine.toml", &text);
        let error = sources
            .and_then(|sources| super::Scanner::from_sources(sources, None))
            .err();
        error.expect("an error").to_string()
    };
    for (rule, says) in [
        (
            "kind = \"x\"\npattern = \"abcdef\"",
            "mine.toml: rule `x`: `x` is no kind: 2 to 12 of A-Z and 0-9",
        ),
        (
            "kind = \"AB\"",
            "mine.toml: rule `x`: it needs either a `pattern` or names",
        ),
        (
            "kind = \"AB\"\npattern = \"a(\"",
            "mine.toml: rule `x`: pattern: ",
        ),
        (
            "kind = \"AB\"\npattern = \".*\"",
            "mine.toml: rule `x`: pattern: its part without",
        ),
        (
            "kind = \"AB\"\nbeside = [\"acme\"]",
            "mine.toml: rule `x`: a rule `beside` names needs",
        ),
        (
            "kind = \"AB\"\nbeside = [\"acme\"]\nvalue = \"a(\"",
            "mine.toml: rule `x`: value: ",
        ),
        (
            "kind = \"AB\"\npattern = \"abcdef\"\ncheck = \"sum\"",
            "mine.toml: TOML parse error at line 5",
        ),
        (
            "kind = \"AB\"\npatern = \"abcdef\"",
            "unknown field `patern`",
        ),
        (
            "kind = \"AB\"\npattern = \"abcdef\"\n[[rule]]\nid = \"x\"\nkind = \"AB\"\npattern = \"abcdef\"",
            "its id is taken",
        ),
    ] {
        let error = wrong(rule);
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn an_id_occurs_once() {
    let text =
        "[[rule]]\nid = \"x\"\nkind = \"AB\"\npattern = \"abcdef\"\nexamples = []\n".repeat(2);
    let error = source::read("mine.toml", &text)
        .and_then(|sources| super::Scanner::from_sources(sources, None))
        .err();
    assert_eq!(
        error.expect("an error").to_string(),
        "mine.toml: rule `x`: its id is taken"
    );
}

#[test]
fn other_quotes_notes_and_types_tie_values_too() {
    for (text, value) in [
        ("secret = ‘MeBwl93Ec8Lbo3huSaWh’", "MeBwl93Ec8Lbo3huSaWh"),
        ("password = „x9Kq2+vLm“", "x9Kq2+vLm"),
        ("password (UAT): `5CopperHarbor*`", "5CopperHarbor*"),
        ("password = '''QuBm-@-X808fv'''", "QuBm-@-X808fv"),
        (
            "Friend FtpPassword As String = \"m*!e=3BLDW\"",
            "m*!e=3BLDW",
        ),
        (
            "c_pwd CONSTANT VARCHAR2(30) := 'P3likan2019.';",
            "P3likan2019.",
        ),
        (
            "var signingKey = []byte(\"f1e8b296f5453e782fbfd462398df118\")",
            "f1e8b296f5453e782fbfd462398df118",
        ),
        (
            "-   - name: API_KEY\n-     value: 0a58b42283a95475a68a9150aec2d594\n",
            "0a58b42283a95475a68a9150aec2d594",
        ),
        (
            "\"db_password\": {\n \"sensitive\": true,\n \"type\": \"string\",\n \"value\": \"SF@C@aU#VXN3y\"\n}",
            "SF@C@aU#VXN3y",
        ),
        (
            "<Key>Password</Key>\n<Value ProtectInMemory=\"True\">x9Kq2vLm</Value>",
            "x9Kq2vLm",
        ),
        (
            r"<key>Password</key>\n\t<string>x9Kq2vLm</string>",
            "x9Kq2vLm",
        ),
        ("<Password>\n  <Value>Sommer2020!</Value>", "Sommer2020!"),
        (
            "(103, 'mail_smtp_pass', 'WO*Ly~7#necRt', 'yes')",
            "WO*Ly~7#necRt",
        ),
    ] {
        assert_eq!(secrets(text), [value], "{text}");
    }
}

#[test]
fn what_only_stands_beside_a_name_is_of_something_else() {
    for text in [
        "<trusted-key id=\"310BBB410C5130D2689649D57C49529B27618CBF\" group=\"a\"/>",
        "checksum/secret: 6a35cea2c48bc25569e2a38e8764da7e567154c5fcc18c12e1f57d7f06da7a04",
        "arn:aws:secretsmanager:us-east-1:169424880747:secret:DbSecret8A632C6D-knBps8gBaYh8",
        "<script nonce=\"SXe9KMqujudp6r1iruuirM7z\">",
        "\"hashed_secret\": \"17321c39b77f22c284a6df1d04e3ed63d7e79052\"",
        "STRIPE_PUBLISHABLE_KEY=\"pk_live_TrdKS9aRCCRwwL3mvtT78aZp\"",
        "SSH_AUTH_SOCK=\"/tmp/ssh-XXp3QMa3sK2V/agent.46798\"",
        "'password' => 'required|confirmed|min:12',",
        "const TOKEN = \"0x8010DD56e99DF870245c4f0AFA91db325fB28378\";",
        "ALTER ROLE app PASSWORD 'SCRAM-SHA-256$4096:5kOPO2EQMyAuPXijI9RcuA==$LzPZ8SnN'",
    ] {
        assert_eq!(secrets(text), [""; 0], "{text}");
    }
}
