//! Whether the first bytes of a connection in clear are HTTP's.

/// A version of HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Http {
    /// HTTP/1.1, or 1.0.
    One,
    /// HTTP/2, whose client knows that it will be understood (RFC 9113, section 3.3).
    Two,
}

const METHODS: [&[u8]; 7] = [
    b"GET ",
    b"POST ",
    b"PUT ",
    b"HEAD ",
    b"PATCH ",
    b"DELETE ",
    b"OPTIONS ",
];
/// How HTTP/2 begins (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0";

/// Which version of HTTP a connection begins with; `None` if it is something else.
pub fn speaks(first: &[u8]) -> Option<Http> {
    if first.starts_with(PREFACE) {
        return Some(Http::Two);
    }
    let one = METHODS.iter().any(|method| first.starts_with(method));
    one.then_some(Http::One)
}

/// Whether this may become HTTP yet, when more of it is there.
pub fn is_cut(first: &[u8]) -> bool {
    let mut all = METHODS.iter().copied().chain([PREFACE]);
    all.any(|begin| begin.len() > first.len() && begin.starts_with(first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http_is_told_by_its_first_bytes() {
        for (first, expected) in [
            ("POST /api/chat HTTP/1.1\r\n", Some(Http::One)),
            ("GET / HTTP/1.0\r\n", Some(Http::One)),
            ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Some(Http::Two)),
            ("POSTGRES", None),
            ("get / HTTP/1.1", None),
            ("PRI", None),
            ("\x16\x03\x01", None),
            ("", None),
        ] {
            assert_eq!(speaks(first.as_bytes()), expected, "{first}");
        }
        for (first, expected) in [
            ("P", true),
            ("PRI *", true),
            ("POST", true),
            ("POST ", false),
            ("X", false),
        ] {
            assert_eq!(is_cut(first.as_bytes()), expected, "{first}");
        }
    }
}
