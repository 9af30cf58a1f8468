//! What is a table, and what only has commas.

use super::*;

/// The names and values of the table in whose head `^` stands behind a name.
fn table(text: &str) -> Option<Vec<(String, String)>> {
    let name = text.find('^').unwrap_or_default();
    let text = text.replacen('^', "", 1);
    let bytes = text.as_bytes();
    if !may_stand_above(&bytes[name..]) {
        return None;
    }
    let head = lines::around(bytes, name)?;
    let table = rows::below(bytes, &head)
        .or_else(|| insert::below(bytes, name))
        .or_else(|| heading::below(bytes, &head))?;
    let of = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let pair = |(column, value): &(usize, Range<usize>)| {
        (of(&table.names[*column]), of(&bytes[value.clone()]))
    };
    Some(table.values.iter().map(pair).collect())
}

/// The values below the name at which `^` stands.
fn below(text: &str, name: &str) -> Vec<String> {
    let pairs = table(text).unwrap_or_default().into_iter();
    pairs
        .filter(|(of, _)| of == name)
        .map(|(_, value)| value)
        .collect()
}

#[test]
fn values_stand_below_their_names() {
    for (text, values) in [
        (
            "user,password^\nann,x9Kq2vLm\nbob,\"a,b;c\"\n",
            vec!["x9Kq2vLm", "a,b;c"],
        ),
        (
            "user;password^;url\r\nann;x9Kq2vLm;https://a.b/c\r\n",
            vec!["x9Kq2vLm"],
        ),
        (
            "the accounts:\nuser\tpassword^\nann\tx9Kq2vLm",
            vec!["x9Kq2vLm"],
        ),
        (
            r#"{"text":"Konto\tZweck\tpassword^\tGUID\nsvc\tSQL Agent\tzOjH7T-Sx#W!v\t59980bdd\n"}"#,
            vec!["zOjH7T-Sx#W!v"],
        ),
        (
            "a\n```csv\nuser,password^\nann,x9Kq2vLm\n```\n",
            vec!["x9Kq2vLm"],
        ),
        (
            "| User | password^ |\n|------|:--------:|\n| ann | `x9Kq2vLm` |\n| bob | **zz** |\nend | here |\n",
            vec!["x9Kq2vLm", "zz"],
        ),
        (
            "user | password^\n-----|---------\nann | x9Kq2vLm\n",
            vec!["x9Kq2vLm"],
        ),
        (
            " id | password^ | x\n----+----------+---\n  1 | x9Kq2vLm | t\n(1 row)\n",
            vec!["x9Kq2vLm"],
        ),
        (
            "+----+----------+\n| id | password^ |\n+----+----------+\n|  1 | x9Kq2vLm |\n+----+----------+\n",
            vec!["x9Kq2vLm"],
        ),
        (
            "  | user | password^ |\n  | ann | x9Kq2vLm |\n",
            vec!["x9Kq2vLm"],
        ),
        (
            r#""csv": "user,password^\nann,x9Kq2vLm\nbob,y7""#,
            vec!["x9Kq2vLm", "y7"],
        ),
        (
            r#"user,password^\nann,x9Kq2vLm\nbob,y7Wq2vLm"#,
            vec!["x9Kq2vLm", "y7Wq2vLm"],
        ),
        (
            "INSERT INTO users (id, password^) VALUES (1, 'x9Kq2vLm'), (2, N'it''s');",
            vec!["x9Kq2vLm", "it''s"],
        ),
        (
            "INSERT INTO `users` (`password^`, `at`)\nVALUES\n  ('x9Kq2vLm', now()),\n  (NULL, date(1, 2));",
            vec!["x9Kq2vLm", "NULL"],
        ),
        (
            r"insert into users ([password^],\n  [at])\nvalues ('x9Kq2vLm', 1)",
            vec!["x9Kq2vLm"],
        ),
        ("## password^\n\n```\nx9Kq2vLm\n```\n", vec!["x9Kq2vLm"]),
        ("**password^:**\n`x9Kq2vLm`\n", vec!["x9Kq2vLm"]),
        ("password^:\nx9Kq2vLm", vec!["x9Kq2vLm"]),
        ("  password^: |\n    x9Kq2vLm\n", vec!["x9Kq2vLm"]),
        (r#""password^:\nx9Kq2vLm\nuser""#, vec!["x9Kq2vLm"]),
        ("password^\n--------\n\nx9Kq2vLm*\n", vec!["x9Kq2vLm*"]),
        ("# 1. password^\n\n| a | b |\n", vec![]),
        (
            "||User||password^||\n|ann|x9Kq2vLm|\n|bob|\\{x|\n",
            vec!["x9Kq2vLm", "\\{x"],
        ),
        (
            "COPY public.users (id, password^, at) FROM stdin;\n1\tx9Kq2vLm\t2\n2\t\\N\t3\n\\.\n",
            vec!["x9Kq2vLm", "\\N"],
        ),
        (
            r"COPY users (id, password^) FROM stdin;\n1\tx9Kq2vLm\n2\ty7Wq2vLm\n\\.\n",
            vec!["x9Kq2vLm", "y7Wq2vLm"],
        ),
    ] {
        assert_eq!(below(text, "password"), values, "{text}");
    }
}

#[test]
fn a_name_is_what_a_cell_says() {
    for (text, name) in [
        ("id,API key^ (staging)\n1,x9Kq2vLm\n", "API_key"),
        ("id,\"Client Secret^\"\n1,x9Kq2vLm\n", "Client_Secret"),
        (
            "| # | **db/password^** |\n|---|---|\n| 1 | x9Kq2vLm |",
            "db_password",
        ),
    ] {
        assert_eq!(below(text, name), ["x9Kq2vLm"], "{text}");
    }
}

#[test]
fn what_only_has_commas_is_no_table() {
    for text in [
        "foo(token^, bar);\nbaz(a, b);\n",
        "let x = y;\n    token^, key,\n    a, b,\n",
        "user,password^\n",
        "user,password^\nann\n",
        "(user, password^) in (select a, b)",
        "a | password^ | b\nc | x9Kq2vLm | d\n",
        "the password^\nx9Kq2vLm\n",
        "password^:\n  valueFrom:\n",
        "def test_password^(self):\n    self.send(4)\n",
        "password^:\n    curses.has_key(13)\n",
        "F(a, set_password^, c)\nG(b, x9Kq2vLm, d)\n",
        "password^: {\n",
        "password^,\n",
        "",
    ] {
        let text = if text.is_empty() { "password^" } else { text };
        assert_eq!(table(text), None, "{text}");
    }
}
