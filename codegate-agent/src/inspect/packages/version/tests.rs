use super::*;

/// Every list stands in order; each version is compared with each.
fn ascending(ecosystem: Ecosystem, versions: &[&str]) {
    for (i, a) in versions.iter().enumerate() {
        for (j, b) in versions.iter().enumerate() {
            assert_eq!(compare(ecosystem, a, b), Some(i.cmp(&j)), "{a} and {b}");
        }
    }
}

fn same(ecosystem: Ecosystem, a: &str, b: &str) {
    assert_eq!(compare(ecosystem, a, b), Some(Ordering::Equal), "{a}, {b}");
}

#[test]
fn semantic_versions() {
    let versions = [
        "0.0.0-20200101000000-abcdefabcdef",
        "0.0.1",
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-alpha.beta",
        "1.0.0-beta.2",
        "1.0.0-beta.11",
        "1.0.0-rc.1",
        "1.0.0",
        "1.9.0",
        "1.10.0",
        "99999999999999999999999.0.0",
    ];
    ascending(Ecosystem::Npm, &versions);
    same(Ecosystem::Go, "v1.2.3", "1.2.3+incompatible");
    same(Ecosystem::Crates, "1", "1.0.0");
    for bad in ["", "latest", "^1.2", "1.x", "1.2.3.4", "1..2", "1.0.0-"] {
        assert_eq!(compare(Ecosystem::Npm, bad, "1.0.0"), None, "{bad}");
    }
}

#[test]
fn pythons_versions() {
    let versions = [
        "1.0.dev456",
        "1.0a1",
        "1.0a2.dev456",
        "1.0a12.dev456",
        "1.0a12",
        "1.0b1.dev456",
        "1.0b2",
        "1.0b2.post345.dev456",
        "1.0b2.post345",
        "1.0rc1.dev456",
        "1.0rc1",
        "1.0",
        "1.0+abc.5",
        "1.0+abc.7",
        "1.0+5",
        "1.0.post456.dev34",
        "1.0.post456",
        "1.1.dev1",
        "1.10",
        "1!0.1",
    ];
    ascending(Ecosystem::PyPI, &versions);
    same(Ecosystem::PyPI, "1.0-1", "1.0.post1");
    same(Ecosystem::PyPI, "V1.0.0", "1");
    same(Ecosystem::PyPI, "1.0-alpha_1", "1.0a1");
    assert_eq!(compare(Ecosystem::PyPI, "1.0-foo", "1"), None);
}

#[test]
fn mavens_versions() {
    let versions = [
        "1-alpha-1",
        "1-beta-1",
        "1-milestone-2",
        "1-rc-1",
        "1-snapshot",
        "1",
        "1-sp",
        "1-foo",
        "1-1",
        "1.1",
        "1.2",
        "1.10",
    ];
    ascending(Ecosystem::Maven, &versions);
    same(Ecosystem::Maven, "1.0.0", "1-ga");
    same(Ecosystem::Maven, "1.0-a1", "1-alpha-1");
    same(Ecosystem::Maven, "1.0.RC1", "1-cr1");
}

#[test]
fn the_others_versions() {
    let gems = ["1.0.a", "1.0.b1", "1.0.rc1", "1.0", "1.0.1", "1.10"];
    ascending(Ecosystem::RubyGems, &gems);
    same(Ecosystem::RubyGems, "1.0", "1.0.0");
    let nuget = ["1.0-a.2", "1.0-a.10", "1.0-B", "1.0", "1.0.0.1", "1.2"];
    ascending(Ecosystem::NuGet, &nuget);
    same(Ecosystem::NuGet, "1.0.0-RC", "1.0-rc+x");
    let composer = [
        "1.0-dev",
        "1.0-alpha1",
        "1.0-beta",
        "1.0-RC1",
        "1.0-rc2",
        "1.0",
        "1.0-p1",
        "1.0.1",
        "v1.10",
    ];
    ascending(Ecosystem::Packagist, &composer);
}

#[test]
fn no_text_is_too_strange() {
    let strange = [
        "", "-", ".", "é1", "1é", "1.-.2", "+", "!", "1!", "v", "1_", "\u{0}", "a1b2",
    ];
    for ecosystem in Ecosystem::ALL {
        for a in strange {
            for b in strange {
                let order = compare(ecosystem, a, b);
                assert_eq!(
                    order,
                    compare(ecosystem, b, a).map(Ordering::reverse),
                    "{a} {b}"
                );
            }
        }
        assert_eq!(compare(ecosystem, &"1".repeat(300), "1"), None);
    }
}
