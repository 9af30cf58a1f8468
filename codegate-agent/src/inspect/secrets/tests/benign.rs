//! What must not be found: the noise of code, tools and APIs.

use super::{expand, none_wrong, secrets};

/// Each is filled in with several seeds.
const BENIGN: [&str; 64] = [
    // Ids and hashes.
    "id: ‹hex 8›-‹hex 4›-4‹hex 3›-a‹hex 3›-‹hex 12›",
    "commit ‹hex 40›\nMerge: ‹hex 7› ‹hex 7›",
    "\"key\": \"‹hex 40›\"",
    "\"resolved\": \"https://registry.example/x.tgz#‹hex 40›\", \"integrity\": \"sha512-‹b64 86›==\"",
    "checksum = \"‹hex 64›\"",
    "sha256:‹hex 64›",
    "ETag: \"‹hex 32›\"",
    "index ‹hex 7›..‹hex 7› 100644",
    "x-request-id: req_‹alnum 24›",
    "\"prompt_cache_key\": \"‹hex 32›\"",
    "\"session_id\": \"‹hex 32›\"",
    "aws:arn:iam::123456789012:role/x",
    // What AI services call their things.
    "\"id\": \"call_‹alnum 24›\"",
    "\"tool_use_id\": \"toolu_01‹alnum 22›\"",
    "\"id\": \"msg_01‹alnum 22›\"",
    "\"id\": \"resp_‹hex 48›\"",
    "\"id\": \"chatcmpl-‹alnum 29›\"",
    "\"id\": \"fc_‹hex 48›\", \"call_id\": \"call_‹alnum 24›\"",
    "\"id\": \"rs_‹hex 48›\", \"encrypted_content\": \"gAAAAAB‹b64url 400›==\"",
    "\"signature\": \"‹b64 340›==\"",
    "\"system_fingerprint\": \"fp_‹hex 10›\"",
    "\"file_id\": \"file-‹alnum 24›\", \"assistant_id\": \"asst_‹alnum 24›\"",
    "\"max_tokens\": 4096, \"total_tokens\": 123456789, \"token_type\": \"bearer\"",
    "data:image/png;base64,iVBORw0KGgo‹b64 900›",
    "\"data\": \"/9j/4AAQSkZJRg‹b64 900›\"",
    "url(data:font/woff2;base64,d09GMgAB‹b64 400›)",
    // Public halves, and what is only about secrets.
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI‹b64 43› ann@host",
    "-----BEGIN CERTIFICATE-----\n‹lines 12›\n-----END CERTIFICATE-----",
    "-----BEGIN PUBLIC KEY-----\n‹lines 4›\n-----END PUBLIC KEY-----",
    "\"publicKey\": \"‹b64 43›=\"",
    "pk_live_‹alnum 24›",
    "password_hash = \"$argon2id$v=19$m=65536,t=3,p=4$‹b64 22›$‹b64 43›\"",
    "secretName: registry-credentials-v2",
    "secretKeyRef:\n  name: db-credentials\n  key: password",
    "passwordFile: /run/secrets/db_password_1",
    "token_url = \"https://login.acme.org/oauth2/v2.0/token\"",
    "next_page_token: \"‹b64url 40›\"",
    // Stand-ins.
    "password=${DB_PASSWORD:-}",
    "api_key: {{ .Values.apiKey2 }}",
    "token = \"<your-token-123>\"",
    "API_KEY=your_api_key_here_123",
    "SECRET=xxxxxxxxxxxxxxxxxxxxxxxx1",
    "\"password\": \"********1\"",
    "token=$GITHUB_TOKEN1",
    "token: %GITHUB_TOKEN_2%",
    "sk-ant-api03-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE",
    "postgres://user:password@localhost:5432/db",
    "mysql://root:${PW}@db/x",
    "https://user:pass@example.org/",
    "apiKey: process.env.OPENAI_API_KEY2",
    // Code.
    "password = get_password(user1)",
    "self.password = password2",
    "const token = await getToken(scope1);",
    "if password != other.password2:",
    "password: Annotated[str, Field(min_length=8)]",
    "let secret_key: [u8; 32] = rng.random();",
    "private_key = load_pem_private_key(data1, password=None)",
    "fn token(&self) -> Token2 { self.token2.clone() }",
    "auth = HTTPBasicAuth(user1, password1)",
    "\"tokenizer_class\": \"PreTrainedTokenizerFast2\"",
    "passwords.push('password1', 'password2');",
    "Enter your password: \nPassword: \nauth ok in 12ms",
];

#[test]
fn nothing_is_found_in_what_is_no_secret() {
    let mut wrong = Vec::new();
    for template in BENIGN {
        for seed in 0..20 {
            let text = expand(template, seed).text;
            let found = secrets(&text);
            if !found.is_empty() {
                wrong.push(format!("{text}\n   found {found:?}"));
                break;
            }
        }
    }
    none_wrong(&wrong);
}

#[test]
fn what_was_sealed_is_no_secret() {
    const PLACEHOLDER: &str = "CG_GITHUB_7Q4M2K9XW8T3RBNDZ5HJ6PFA";
    for text in [
        "password=X",
        "\"password\": \"X\"",
        "password\": \"X\"\n",
        "Authorization: Bearer X",
        "Authorization: Basic X",
        "https://ann:X@host/",
        "postgres://ann:X@host/db",
        "curl -u ann:X https://h",
        "DATABASE_URL=X",
        "X X\nX",
        "machine h login ann password X",
        "sshpass -p X ssh h",
        "AWS_SECRET_ACCESS_KEY=X",
        "\"auth\": \"X\"",
    ] {
        let text = text.replace('X', PLACEHOLDER);
        assert_eq!(secrets(&text), [""; 0], "{text}");
    }
}
