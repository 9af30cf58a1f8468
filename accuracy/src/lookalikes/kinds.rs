//! The kinds of look-alikes, and how each is written.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::{
    forge::uuid,
    random::{ALNUM, BASE64, BASE64URL, DIGIT, HEX, LOWER, Random},
};

/// A kind of look-alike.
pub(super) struct Kind {
    pub(super) name: &'static str,
    pub(super) write: fn(&mut Random, usize) -> String,
}

pub(super) const KINDS: [Kind; 18] = [
    Kind {
        name: "uuid",
        write: uuid_line,
    },
    Kind {
        name: "git-id",
        write: git_id,
    },
    Kind {
        name: "integrity",
        write: integrity,
    },
    Kind {
        name: "checksum",
        write: checksum,
    },
    Kind {
        name: "base64-image",
        write: image,
    },
    Kind {
        name: "api-id",
        write: api_id,
    },
    Kind {
        name: "cache-key",
        write: cache_key,
    },
    Kind {
        name: "page-token",
        write: page_token,
    },
    Kind {
        name: "version",
        write: version,
    },
    Kind {
        name: "path",
        write: path,
    },
    Kind {
        name: "words",
        write: words,
    },
    Kind {
        name: "template",
        write: template,
    },
    Kind {
        name: "reference",
        write: reference,
    },
    Kind {
        name: "stand-in",
        write: stand_in,
    },
    Kind {
        name: "placeholder",
        write: placeholder,
    },
    Kind {
        name: "public-key",
        write: public_key,
    },
    Kind {
        name: "minified",
        write: minified,
    },
    Kind {
        name: "time-and-count",
        write: count_line,
    },
];

fn uuid_line(random: &mut Random, at: usize) -> String {
    let uuid = uuid(random);
    match at % 6 {
        0 => format!("\"session_id\": \"{uuid}\",\n"),
        1 => format!("X-Request-Id: {uuid}\n"),
        2 => format!("INSERT INTO items VALUES ('{uuid}', 'tea');\n"),
        3 => format!("\"token\": \"{uuid}\"\n"),
        4 => format!("key: {uuid}\n"),
        _ => format!("[{uuid}] auth request finished\n"),
    }
}

fn git_id(random: &mut Random, at: usize) -> String {
    let id = random.text(HEX, 40);
    match at % 6 {
        0 => format!("commit {id}\nAuthor: Ann Ng <ann@example.org>\n"),
        1 => format!(
            "index {}..{} 100644\n",
            random.text(HEX, 7),
            random.text(HEX, 7)
        ),
        2 => format!("    rev: {id}  # v1.2\n"),
        3 => format!("- uses: acme/login-action@{id}\n"),
        4 => format!("\"key\": \"{id}\"\n"),
        _ => format!("Merge {id} into auth-token-refresh\n"),
    }
}

fn integrity(random: &mut Random, at: usize) -> String {
    match at % 4 {
        0 => format!(
            "      \"integrity\": \"sha512-{}==\",\n",
            random.text(BASE64, 86)
        ),
        1 => format!("checksum = \"{}\"\n", random.text(HEX, 64)),
        2 => format!("    --hash=sha256:{} \\\n", random.text(HEX, 64)),
        _ => format!(
            "github.com/acme/auth v1.2.3 h1:{}=\n",
            random.text(BASE64, 43)
        ),
    }
}

fn checksum(random: &mut Random, at: usize) -> String {
    match at % 5 {
        0 => format!("md5sum: {}  secret.tar.gz\n", random.text(HEX, 32)),
        1 => format!("ETag: \"{}\"\n", random.text(HEX, 32)),
        2 => format!("sha256:{} token-service:latest\n", random.text(HEX, 64)),
        3 => format!("\"password_hash\": \"$2b$12${}\"\n", random.text(ALNUM, 53)),
        _ => format!("fingerprint SHA256:{} key@host\n", random.text(BASE64, 43)),
    }
}

fn image(random: &mut Random, at: usize) -> String {
    let len = random.between(300, 3000);
    let data = STANDARD.encode(random.bytes(len));
    match at % 4 {
        0 => format!("![](data:image/png;base64,iVBORw0KGgo{data})\n"),
        1 => format!("src: url(data:font/woff2;base64,{data}) format('woff2');\n"),
        2 => format!("<img src=\"data:image/jpeg;base64,/9j/{data}\">\n"),
        _ => format!("\"image/png\": \"iVBORw0KGgo{data}\"\n"),
    }
}

fn api_id(random: &mut Random, at: usize) -> String {
    const IDS: [(&str, &str, usize); 12] = [
        ("tool_call_id", "call_", 24),
        ("tool_use_id", "toolu_01", 22),
        ("id", "msg_01", 22),
        ("id", "resp_", 48),
        ("id", "chatcmpl-", 29),
        ("previous_response_id", "resp_", 50),
        ("id", "req_011", 21),
        ("item_id", "fc_", 50),
        ("id", "rs_", 50),
        ("file_id", "file-", 24),
        ("system_fingerprint", "fp_", 10),
        ("container", "cntr_", 48),
    ];
    let Some((name, prefix, len)) = IDS.get(at % IDS.len()) else {
        return String::new();
    };
    format!(
        "{{\"{name}\": \"{prefix}{}\", \"type\": \"token_auth\"}}\n",
        random.text(ALNUM, *len)
    )
}

fn cache_key(random: &mut Random, at: usize) -> String {
    match at % 5 {
        0 => format!("\"prompt_cache_key\": \"{}\"\n", random.text(HEX, 32)),
        1 => format!("cache_key = \"{}\"\n", random.text(HEX, 40)),
        2 => format!("\"key\": \"{}\"\n", random.text(HEX, 40)),
        3 => format!("partition_key: {}\n", random.text(ALNUM, 24)),
        _ => format!("key=linux-node-{}\n", random.text(HEX, 64)),
    }
}

fn page_token(random: &mut Random, at: usize) -> String {
    let token = random.text(BASE64URL, 39) + "x";
    match at % 3 {
        0 => format!("\"nextPageToken\": \"{token}\"\n"),
        1 => format!("next_page_token={token}\n"),
        _ => format!("\"continuation_token\": \"{token}\"\n"),
    }
}

fn version(random: &mut Random, at: usize) -> String {
    let mut number = |len| random.text("123456789", len);
    let version = format!("{}.{}.{}", number(1), number(2), number(1));
    match at % 5 {
        0 => format!("oauth-token-{version}.tar.gz\n"),
        1 => format!("token = \"{version}-beta.2+build.{}\"\n", number(5)),
        2 => format!("passport-auth@{version}\n"),
        3 => format!("secret-manager = \"{version}\"\n"),
        _ => format!("password-hash {version} -> {version}-rc1\n"),
    }
}

fn word(random: &mut Random) -> &'static str {
    random.one(&[
        "user", "service", "client", "reader", "cache", "order", "build", "remote", "handler",
        "login", "renew", "queue", "public", "manager", "worker", "store", "helper", "window",
        "report",
    ])
}

fn path(random: &mut Random, at: usize) -> String {
    let mut word = || word(random);
    match at % 6 {
        0 => format!(
            "password_file = \"/etc/{}/{}/{}.conf\"\n",
            word(),
            word(),
            word()
        ),
        1 => format!("token: ./src/{}/{}_{}.ts\n", word(), word(), word()),
        2 => format!(
            "secret = \"projects/{}/secrets/{}-{}/versions/3\"\n",
            word(),
            word(),
            word()
        ),
        3 => format!("API_KEY=/run/secrets/{}_{}_api_key\n", word(), word()),
        4 => format!(
            "auth: https://{}.example.org/{}/{}?v=2\n",
            word(),
            word(),
            word()
        ),
        _ => format!(
            "import {{ Token }} from '../{}/{}/{}Token2';\n",
            word(),
            word(),
            word()
        ),
    }
}

fn words(random: &mut Random, at: usize) -> String {
    let mut word = || word(random);
    match at % 8 {
        0 => format!("password: {}_{}_{}\n", word(), word(), word()),
        1 => format!("\"secret\": \"{}-{}-{}\"\n", word(), word(), word()),
        2 => format!(
            "The token: it is what the {} gives to the {}.\n",
            word(),
            word()
        ),
        3 => format!("api_key = {}{}Provider\n", word(), word()),
        4 => format!("token=\"{}{}{}\"\n", word(), word(), word()),
        5 => format!("  password_label: \"Enter the {} password\"\n", word()),
        6 => format!("auth = {}.{}.{}Of(request)\n", word(), word(), word()),
        _ => format!("secretName: {}-{}-tls-v2\n", word(), word()),
    }
}

fn template(random: &mut Random, at: usize) -> String {
    let name = format!("{}_{}", word(random), word(random)).to_ascii_uppercase();
    match at % 10 {
        0 => format!("PASSWORD=${{{name}}}\n"),
        1 => format!("api_key: {{{{ .Values.{name} }}}}\n"),
        2 => format!("\"token\": \"<{name}>\"\n"),
        3 => format!("password: ${{{{ secrets.{name}_2 }}}}\n"),
        4 => format!("secret = \"%({name})s\"\n"),
        5 => format!("Authorization: Bearer ${name}\n"),
        6 => format!("token = f\"{{{name}}}-{{suffix1}}\"\n"),
        7 => format!("postgres://{{{name}}}:{{pw1}}@db/app\n"),
        8 => format!("API_TOKEN=\"$(cat {name}.txt)\"\n"),
        _ => format!("password: !vault secret/{name}#value1\n"),
    }
}

fn reference(random: &mut Random, at: usize) -> String {
    let name = word(random);
    match at % 9 {
        0 => format!(
            "password = os.environ[\"{}_PW1\"]\n",
            name.to_ascii_uppercase()
        ),
        1 => format!("const token = await {name}.getToken2();\n"),
        2 => format!("apiKey: process.env.{}_KEY_1,\n", name.to_ascii_uppercase()),
        3 => format!("self.password = {name}_config.password1\n"),
        4 => format!("let secret = &{name}.secrets[0].value2;\n"),
        5 => format!("$password = $_POST['{name}2'];\n"),
        6 => format!("password: z.string().min(8).max(64), // {name}\n"),
        7 => format!("token: Option<{name}Token2>,\n"),
        _ => format!("secret := viper.GetString(\"{name}.secret_v2\")\n"),
    }
}

fn stand_in(random: &mut Random, at: usize) -> String {
    let name = word(random);
    match at % 10 {
        0 => format!(
            "{}_API_KEY=your_api_key_here_123\n",
            name.to_ascii_uppercase()
        ),
        1 => "password: changeme123\n".to_owned(),
        2 => format!("token: xxxxxxxx-{name}-xxxxxxxx1\n"),
        3 => "\"api_key\": \"sk-ant-api03-...\"\n".to_owned(),
        4 => "AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE\n".to_owned(),
        5 => "secret_key = \"REPLACE_ME_WITH_32_CHARACTERS_0\"\n".to_owned(),
        6 => "PASSWORD=********\n".to_owned(),
        7 => format!("mysql://{name}:password@localhost/{name}\n"),
        8 => "export OPENAI_API_KEY=sk-proj-xxxxxxxxxxxxxxxxxxxxxxxx1\n".to_owned(),
        _ => "token = \"0123456789abcdef0123456789abcdef\"\n".to_owned(),
    }
}

fn placeholder(random: &mut Random, at: usize) -> String {
    let body = random.text("0123456789ABCDEFGHJKMNPQRSTVWXYZ", 24);
    let kind = random.one(&[
        "GITHUB", "PASSWORD", "AWSKEY", "SECRET", "POSTGRES", "PEMKEY",
    ]);
    let token = format!("CG_{kind}_{body}");
    match at % 6 {
        0 => format!("GITHUB_TOKEN={token}\n"),
        1 => format!("\"password\": \"{token}\"\n"),
        2 => format!("Authorization: Bearer {token}\n"),
        3 => format!("https://ann:{token}@git.example.org/app.git\n"),
        4 => format!("curl -u ann:{token} https://example.org\n"),
        _ => format!("aws_secret_access_key = {token}\n"),
    }
}

fn public_key(random: &mut Random, at: usize) -> String {
    match at % 4 {
        0 => format!(
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{} ann@host\n",
            random.text(BASE64, 43)
        ),
        1 => {
            let lines: Vec<String> = (0..12).map(|_| random.text(BASE64, 64)).collect();
            format!(
                "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
                lines.join("\n")
            )
        }
        2 => format!("\"public_key\": \"{}=\"\n", random.text(BASE64, 43)),
        _ => format!("minisign public key: RW{}\n", random.text(BASE64, 54)),
    }
}

fn minified(random: &mut Random, _at: usize) -> String {
    let mut code = String::from("!function(e,t){");
    for _ in 0..random.between(4, 16) {
        let (a, b) = (random.text(LOWER, 1), random.text(LOWER, 2));
        let piece = random.one(&[
            "token", "key", "auth", "secret", "password", "pass", "apiKey",
        ]);
        let (number, end) = (random.text(DIGIT, 3), random.one(&["", "", "[0]", "2"]));
        code.push_str(&format!(
            "{a}.{piece}={b}[{number}],{b}.{piece}=t?{a}:{b}.{a}{end},"
        ));
    }
    code + "e()}(this);\n"
}

fn count_line(random: &mut Random, at: usize) -> String {
    let mut number = |len| random.text("123456789", len);
    match at % 6 {
        0 => format!(
            "\"max_tokens\": {}, \"token_count\": {}\n",
            number(4),
            number(10)
        ),
        1 => format!(
            "{{\"input_tokens\":{},\"output_tokens\":{}}}\n",
            number(5),
            number(3)
        ),
        2 => format!(
            "password_changed_at: 2026-01-1{}T10:00:00.{}Z\n",
            number(1),
            number(6)
        ),
        3 => format!(
            "token expires in {}ms, key size {} bits\n",
            number(6),
            number(4)
        ),
        4 => format!("auth_timeout={}00ms\n", number(2)),
        _ => format!(
            "secret_rotation_days = {}\npassword_min_length: 1{}\n",
            number(2),
            number(1)
        ),
    }
}
