//! Values that stand below their names, through all of the scanner.

use super::{found, secrets};

#[test]
fn values_in_tables_are_found_with_exact_bounds() {
    for (text, values) in [
        (
            "name,url,username,password\nshop,https://a.b/,ann,x9Kq2vLm\n",
            vec!["x9Kq2vLm"],
        ),
        (
            "id;Kennwort\r\n1;Sturmflut#32rf*\r\n",
            vec!["Sturmflut#32rf*"],
        ),
        (
            "| Host | User | Password |\n|---|---|---|\n| db | `ann` | `fd#^=OR%Nj8` |\n",
            vec!["fd#^=OR%Nj8"],
        ),
        (
            " id | api_token\n----+-----------\n  1 | q8Zk2LmW0xTr5VbN7sYc\n(1 row)\n",
            vec!["q8Zk2LmW0xTr5VbN7sYc"],
        ),
        (
            "INSERT INTO u (login, password) VALUES ('ann', 'Tr0ub4dor&3'), ('bob', 'x9Kq2vLm');",
            vec!["Tr0ub4dor&3", "x9Kq2vLm"],
        ),
        (
            "COPY public.u (id, client_secret) FROM stdin;\n1\tq8Zk2LmW0xTr5VbN7sYc\n\\.\n",
            vec!["q8Zk2LmW0xTr5VbN7sYc"],
        ),
        ("## Password\n\n    x9Kq2vLm\n", vec!["x9Kq2vLm"]),
        (
            "Webhook secret\n--------------\nNr0KTwqln2joKpYeA2jLjT6U\n",
            vec!["Nr0KTwqln2joKpYeA2jLjT6U"],
        ),
        (
            "stringData:\n  password: |\n    x9Kq2vLm\n",
            vec!["x9Kq2vLm"],
        ),
        // As it stands in JSON.
        (
            r#"{"content": "user,password\nann,x9Kq2vLm\n"}"#,
            vec!["x9Kq2vLm"],
        ),
    ] {
        assert_eq!(secrets(text), values, "{text}");
    }
}

#[test]
fn tables_without_secrets_and_code_stay_as_they_are() {
    for text in [
        "name,password_hash\nann,$2b$12$abcdefghijklmnopqrstuv\n",
        "url,username,password,timePasswordChanged\nhttps://a.b,ann,,1752612578911\n",
        "INSERT INTO users (id, password) VALUES (3, '$2b$12$qJDkdgTSOv4M/WBm0SFJCei3EqTSyKTk13H37y81.AZxIthN2KwEX');",
        "| name | password |\n|---|---|\n| ann | (none, peer auth) |\n",
        "| field | token |\n|---|---|\n| type | access_token_type |\n",
        "INSERT INTO t (name, password) VALUES (:name, :password1), (?, ?);",
        "fn f(token, key) {\n    g(a1, b2);\n}\n",
        "## Password\n\nChoose-a-strong-one\n",
        "password:\n  secretKeyRef:\n    name: db-password-2\n",
    ] {
        assert_eq!(secrets(text), [""; 0], "{text}");
    }
}

#[test]
fn a_long_table_is_found_to_its_end() {
    let rows: String = (1000..1400).map(|n| format!("{n},Xk{n}qWv\n")).collect();
    let text = format!("id,password\n{rows}");
    assert_eq!(found(&text).len(), 400);
}

#[test]
fn a_text_of_nothing_but_tables_stays_linear() {
    let names = ["password"; 2].join(",");
    for row in ["Xk1qW,Xk2qW\n", "password,password\n", "Xk1qW,\n", ",\n"] {
        let text = format!("{names}\n{}", row.repeat((256 << 10) / row.len()));
        let views = super::super::columns::views(text.as_bytes(), &[8]);
        assert!(
            views.bytes().len() <= 8 * text.len(),
            "{row:?}: {}",
            views.bytes().len()
        );
    }
}

#[test]
fn what_looks_like_many_tables_takes_no_time() {
    for piece in [
        "token, ",
        "token,\\",
        "password\n",
        "| token |\n",
        "(password) VALUES (",
        "(token\n",
        "password:\n",
        "                              token,\n",
    ] {
        let text = piece.repeat((256 << 10) / piece.len());
        assert_eq!(secrets(&text), [""; 0], "{piece:?}");
    }
}
